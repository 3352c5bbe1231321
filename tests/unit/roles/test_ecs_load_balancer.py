# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load balancer with all of its options: what it creates, answers over HTTP, deletes and refuses."""

from __future__ import annotations

import http.client
import http.server
import json
import threading
import typing as t

import pytest

Json = dict[str, t.Any]

ROLE = "slipway.aws.ecs_load_balancer"
REGION = "eu-central-1"
GIVEN = f"arn:aws:acm:{REGION}:123456789012:certificate/12345678-1234-1234-1234-123456789012"
WEB = {"name": "web", "port": 8080}
API = {"name": "api", "port": 8000}
BUCKET = "ecs-logs-0123"
SITE = {
    "ecs_load_balancer_domains": ["*.example.com"],
    "ecs_load_balancer_access_logs_bucket": BUCKET,
    "ecs_load_balancer_access_logs_create": True,
    "ecs_load_balancer_idle_timeout": 120,
    "ecs_load_balancer_target_groups": [
        WEB,
        {**API, "paths": ["/api", "/api/*"]},
        {"name": "shop", "port": 8001, "hosts": ["shop.example.com"], "priority": 5},
    ],
}


def role(entry: str = "main") -> list[Json]:
    return [{"name": entry, "ansible.builtin.import_role": {"name": ROLE, "tasks_from": entry}}]


@pytest.fixture(scope="module")
def network(cloud: t.Any) -> Json:
    """The result of the role before, and a hosted zone."""
    ec2 = cloud.client("ec2")
    vpc = cloud.public_vpc()
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="ecs-load-balancer", Description="x", VpcId=vpc)["GroupId"]
    cloud.client("route53").create_hosted_zone(Name="example.com", CallerReference="a")
    return {"vpc_id": vpc, "public_subnet_ids": subnets, "security_group_ids": {"load_balancer": group}}


class Account(t.NamedTuple):
    """What there is of load balancers, and what comes with them."""

    cloud: t.Any

    def listeners(self) -> dict[int, Json]:
        elb = self.cloud.client("elbv2")
        balancers = elb.describe_load_balancers()["LoadBalancers"]
        listeners = (
            elb.describe_listeners(LoadBalancerArn=balancers[0]["LoadBalancerArn"])["Listeners"] if balancers else []
        )
        return {listener["Port"]: listener for listener in listeners}

    def attributes(self) -> dict[str, str]:
        elb = self.cloud.client("elbv2")
        arn = elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
        answer = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)
        return {item["Key"]: item["Value"] for item in answer["Attributes"]}

    def target_groups(self) -> dict[str, str]:
        groups = self.cloud.client("elbv2").describe_target_groups()["TargetGroups"]
        return {group["TargetGroupName"]: group["TargetGroupArn"] for group in groups}

    def certificates(self) -> list[str]:
        answer = self.cloud.client("acm").list_certificates()
        return [certificate["CertificateArn"] for certificate in answer["CertificateSummaryList"]]

    def records(self) -> set[str]:
        route53 = self.cloud.client("route53")
        zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
        sets = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {record["Name"] for record in sets if record["Type"] == "CNAME"}

    def buckets(self) -> list[str]:
        return [bucket["Name"] for bucket in self.cloud.client("s3").list_buckets()["Buckets"]]


@pytest.fixture
def account(cloud: t.Any) -> Account:
    return Account(cloud)


@pytest.fixture(scope="module")
def empty(cloud: t.Any, network: Json) -> t.Any:
    """Check mode, before anything exists."""
    return cloud.play(role(), "--check", ecs_network_result=network, **SITE)


@pytest.fixture(scope="module")
def created(empty: t.Any, cloud: t.Any, network: Json) -> t.Any:
    return cloud.play(role(), ecs_network_result=network, **SITE)


@pytest.mark.variants
def test_check_mode_runs_from_an_empty_account(empty: t.Any, cloud: t.Any) -> None:
    assert empty.code == 0, empty.output
    assert Account(cloud).target_groups() == {}
    assert Account(cloud).certificates() == []


@pytest.mark.variants
def test_check_mode_predicts_the_changes(empty: t.Any, created: t.Any) -> None:
    assert (created.code, created.changed) == (0, empty.changed), created.output


@pytest.mark.variants
@pytest.mark.usefixtures("created")
class TestCreated:
    def test_http_is_redirected_to_https(self, account: Account) -> None:
        redirect = account.listeners()[80]["DefaultActions"][0]["RedirectConfig"]
        assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == ("HTTPS", "443", "HTTP_301")

    def test_https_has_the_certificate_and_a_current_policy(self, account: Account) -> None:
        listener = account.listeners()[443]
        assert [item["CertificateArn"] for item in listener["Certificates"]] == account.certificates()
        assert listener["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"

    def test_aws_can_see_whose_the_domains_are(self, account: Account) -> None:
        assert account.records() == {"_acme-challenge.example.com."}

    def test_attributes_are_set(self, account: Account) -> None:
        attributes = account.attributes()
        assert attributes["idle_timeout.timeout_seconds"] == "120"
        assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
        assert attributes["access_logs.s3.bucket"] == BUCKET

    def test_load_balancers_may_write_their_logs(self, cloud: t.Any) -> None:
        statements = json.loads(cloud.client("s3").get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
        # Nobody else may do anything, as the security control S3.6 asks.
        (statement,) = (one for one in statements if one["Effect"] == "Allow")
        assert statement["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
        assert (statement["Action"], statement["Resource"]) == (
            "s3:PutObject",
            "arn:aws:s3:::ecs-logs-0123/AWSLogs/000000000000/*",
        )

    @pytest.mark.parametrize(
        ("host", "path", "service"),
        [
            ("www.example.com", "/", "web"),
            ("www.example.com", "/apis", "web"),
            ("www.example.com", "/api", "api"),
            ("www.example.com", "/api/orders?open=1", "api"),
            ("shop.example.com", "/", "shop"),
            # The lower priority counts.
            ("shop.example.com", "/api", "shop"),
        ],
    )
    @pytest.mark.usefixtures("services")
    def test_services_share_the_load_balancer(self, cloud: t.Any, host: str, path: str, service: str) -> None:
        assert ask(cloud, host, path) == (200, service)

    def test_a_browser_is_sent_to_https(self, cloud: t.Any) -> None:
        assert ask(cloud, "www.example.com", "/a?b=c", port=80) == (301, "https://www.example.com:443/a?b=c")


@pytest.fixture(scope="module")
def upgraded(created: t.Any, cloud: t.Any, network: Json) -> list[t.Any]:
    """With a bucket as the release before created it: check mode, a run, and a rerun."""
    s3 = cloud.client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    policy["Statement"] = [one for one in policy["Statement"] if one["Effect"] == "Allow"]
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    s3.delete_bucket_lifecycle(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="AWSLogs/000000000000/log", Body=b"x")
    return [cloud.play(role(), *options, ecs_network_result=network, **SITE) for options in (["--check"], [], [])]


@pytest.mark.variants
def test_a_bucket_of_the_release_before_is_changed_in_place(upgraded: list[t.Any], cloud: t.Any) -> None:
    predicted, run, again = upgraded
    assert [(one.code, one.changed) for one in upgraded] == [(0, 2), (0, 2), (0, 0)], predicted.output + run.output
    for task in ("Create the bucket for access logs", "Set the retention of access logs"):
        assert f"~ {task}" in predicted.output
    s3 = cloud.client("s3")
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert (rule["Status"], rule["Expiration"]["Days"]) == ("Enabled", 365)
    effects = [one["Effect"] for one in json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]]
    assert sorted(effects) == ["Allow", "Deny"]
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    assert again.code == 0


class Service(http.server.BaseHTTPRequestHandler):
    """Says its name."""

    name = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.name.encode())

    def log_message(self, *_args: t.Any) -> None:
        pass


@pytest.fixture(scope="module")
def services(created: t.Any, cloud: t.Any) -> t.Iterator[None]:
    """A server for each target group."""
    elb, servers = cloud.client("elbv2"), []
    for name, arn in Account(cloud).target_groups().items():
        handler = type(name, (Service,), {"name": name.removeprefix("ecs-")})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": server.server_port}])
        servers.append(server)
    yield
    for server in servers:
        server.shutdown()
        server.server_close()


def ask(cloud: t.Any, host: str, path: str, port: int = 443) -> tuple[int, str]:
    """What the listener on that port answers: the status, and the page or where to go instead."""
    connection = http.client.HTTPConnection(cloud.address.removeprefix("http://"), timeout=10)
    # The emulator speaks plain HTTP on one port: the path selects the load balancer, the header the listener.
    connection.request("GET", f"/_alb/ecs-alb{path}", headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    return answer.status, answer.getheader("Location") or page


@pytest.fixture(scope="module")
def given(created: t.Any, cloud: t.Any, network: Json) -> t.Any:
    """The same site with a certificate of its own, fewer services and no logs, and a rerun."""
    arn = cloud.client("acm").import_certificate(Certificate=b"x", PrivateKey=b"x")["CertificateArn"]
    groups = [WEB, {**API, "hosts": ["api.example.com"]}]
    site = {"ecs_load_balancer_certificate_arn": arn, "ecs_load_balancer_target_groups": groups}
    runs = [cloud.play(role(), ecs_network_result=network, **site) for _run in range(2)]
    return arn, runs


@pytest.mark.variants
def test_a_given_certificate_replaces_the_requested_one(given: t.Any, account: Account) -> None:
    arn, runs = given
    assert runs[0].code == 0, runs[0].output
    assert account.listeners()[443]["Certificates"][0]["CertificateArn"] == arn
    assert (account.certificates(), account.records()) == ([arn], set())
    assert account.attributes()["access_logs.s3.enabled"] == "false"


@pytest.mark.witness("ecs_load_balancer")
@pytest.mark.variants
def test_a_rerun_is_unchanged(given: t.Any) -> None:
    _arn, runs = given
    assert (runs[1].code, runs[1].changed) == (0, 0), runs[1].output


@pytest.mark.variants
def test_a_load_balancer_with_deletion_protection_is_kept_whole(given: t.Any, account: Account, cloud: t.Any) -> None:
    protect(cloud, True)
    refused = cloud.play(role("absent"))
    protect(cloud, False)
    assert refused.code != 0
    assert "ecs-alb: expected no deletion protection" in refused.output
    assert set(account.listeners()) == {80, 443}


def protect(cloud: t.Any, enabled: bool) -> None:
    elb = cloud.client("elbv2")
    arn = elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    value = {"Key": "deletion_protection.enabled", "Value": str(enabled).lower()}
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[value])


@pytest.mark.variants
def test_absent_deletes_everything_that_the_role_created(given: t.Any, account: Account, cloud: t.Any) -> None:
    arn, _runs = given
    vpc = cloud.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    cloud.client("elbv2").create_target_group(Name="theirs", Protocol="HTTP", Port=80, VpcId=vpc)
    deleted = cloud.play(role("absent"))
    assert deleted.code == 0, deleted.output
    assert (account.listeners(), list(account.target_groups())) == ({}, ["theirs"])
    assert (account.certificates(), account.buckets()) == ([arn], [BUCKET])


def groups(**second: t.Any) -> Json:
    return {"ecs_load_balancer_target_groups": [WEB, {**API, **second}]}


def of_acm(value: str) -> Json:
    return {"ecs_load_balancer_certificate_arn": value}


# Invalid variables, and what the error names: the variable, what is expected, the value.
INVALID: dict[str, tuple[Json, list[str]]] = {
    "arn of another service": (
        of_acm("arn:aws:iam::123456789012:server-certificate/x"),
        ["server-certificate/x", "acm:eu"],
    ),
    "certificate of another region": (
        of_acm(GIVEN.replace(REGION, "us-east-1")),
        ["us-east-1", f"expected an ACM certificate in {REGION}"],
    ),
    "certificate that is not there": (of_acm(GIVEN), [GIVEN, "status: not found", "expected an issued certificate"]),
    "domain without a zone": (
        {"ecs_load_balancer_domains": ["www.example.com", "www.example.org"]},
        ["www.example.org", "public hosted zone", "example.com."],
    ),
    "zone of others": (
        {"ecs_load_balancer_domains": ["www.example.com"], "ecs_load_balancer_hosted_zone_id": "Z1"},
        ["ecs_load_balancer_hosted_zone_id: expected the ID of a hosted zone in this account", "'Z1'"],
    ),
    "no domain": (
        {"ecs_load_balancer_domains": ["https://example.com"]},
        ["ecs_load_balancer_domains[0]: expected a name such as www.example.com", "https://example.com"],
    ),
    "old tls": (
        {**of_acm(GIVEN), "ecs_load_balancer_ssl_policy": "ELBSecurityPolicy-2016-08"},
        ["ELBSecurityPolicy-2016-08", "TLS 1.2"],
    ),
    "priority twice": (
        {"ecs_load_balancer_target_groups": [{**WEB, "paths": ["/"]}, {**API, "paths": ["/a"], "priority": 10}]},
        ["ecs_load_balancer_target_groups[1] (api).priority: expected a unique priority, got 10, which web has"],
    ),
    "host without a dot": (
        groups(hosts=["localhost"]),
        ["(api).hosts: expected names such as api.example.com", "'localhost'"],
    ),
    "idle timeout": (
        {"ecs_load_balancer_idle_timeout": 0},
        ["ecs_load_balancer_idle_timeout: expected 1 to 4000 seconds, got 0."],
    ),
    "bucket": ({"ecs_load_balancer_access_logs_bucket": "My_Logs"}, ["'My_Logs'", "lower-case"]),
    "bucket of no name": (
        {"ecs_load_balancer_access_logs_create": True},
        ["expected the name of a bucket for ecs_load_balancer_access_logs_create, got none."],
    ),
    "prefix": (
        {"ecs_load_balancer_access_logs_bucket": "logs", "ecs_load_balancer_access_logs_prefix": "/lb"},
        ["'/lb'", "expected no slash at either end"],
    ),
    "bucket of others": (
        {"ecs_load_balancer_access_logs_bucket": "theirs", "ecs_load_balancer_access_logs_create": True},
        ["ecs_load_balancer_access_logs_bucket: expected names that no other project uses, got theirs", "=ecs"],
    ),
    "load balancer of others": (
        {"ecs_load_balancer_name": "theirs"},
        ["ecs_load_balancer_name: expected names that no other project uses, got theirs", "other names"],
    ),
    "target group of others": (
        {"ecs_load_balancer_target_groups": [{"name": "theirs", "port": 80}]},
        ["ecs-theirs", "without the tag slipway:project=ecs"],
    ),
    "deregistration": (
        groups(deregistration_delay=3601),
        ["(api).deregistration_delay: expected 0 to 3600, got 3601."],
    ),
}


@pytest.fixture(scope="module")
def refusals(network: Json, cloud: t.Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The error of each case; all in one playbook, which starts once."""
    errors = tmp_path_factory.mktemp("refusals") / "errors.json"
    subnets, groups = network["public_subnet_ids"], [network["security_group_ids"]["load_balancer"]]
    cloud.client("elbv2").create_load_balancer(Name="theirs", Subnets=subnets, SecurityGroups=groups)
    owner = [{"Key": "slipway:project", "Value": "theirs"}]
    cloud.client("elbv2").create_target_group(
        Name="ecs-theirs", Protocol="HTTP", Port=80, VpcId=network["vpc_id"], Tags=owner
    )
    cloud.client("s3").create_bucket(Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": REGION})
    remember = {
        "ansible.builtin.set_fact": {"errors": "{{ errors | combine({case: ansible_failed_result | to_json}) }}"}
    }
    checks = [{"name": ROLE, "tasks_from": entry} for entry in ("preflight", "dependencies")]
    tasks: list[Json] = [
        {
            "name": case,
            "vars": {"case": case},
            "block": [{"name": case, "ansible.builtin.include_role": check, "vars": variables} for check in checks],
            "rescue": [{"name": f"{case}, refused", **remember}],
        }
        for case, (variables, _words) in INVALID.items()
    ]
    tasks.append(
        {"name": "Write the errors", "ansible.builtin.copy": {"content": "{{ errors | to_json }}", "dest": str(errors)}}
    )
    done = cloud.play(tasks, ecs_network_result=network, errors={})
    assert done.code == 0, done.output
    found: dict[str, str] = json.loads(errors.read_text())
    return found


@pytest.mark.variants
@pytest.mark.parametrize("case", INVALID)
def test_invalid_variables_are_refused(refusals: dict[str, str], case: str) -> None:
    message = refusals[case]
    assert [words for words in INVALID[case][1] if words not in message] == []


@pytest.mark.variants
def test_nothing_is_created_before_that(refusals: dict[str, str], account: Account) -> None:
    assert [name for name in account.target_groups() if name not in {"theirs", "ecs-theirs"}] == []
