# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A load balancer that others own: the role has its own rules and target groups there, and touches nothing else."""

from __future__ import annotations

import json
import typing as t

import pytest

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud, Run

Json = dict[str, t.Any]

REGION = "eu-central-1"
OURS = {"slipway:project": "shop"}
WEB = {"name": "web", "port": 8080, "hosts": ["shop.example.com"], "priority": 20}


def entry(name: str = "main") -> Json:
    return {"name": name, "ansible.builtin.include_role": {"name": "slipway.aws.ecs_load_balancer", "tasks_from": name}}


def tags(**given: str) -> list[Json]:
    return [{"Key": key.replace("__", ":"), "Value": value} for key, value in given.items()]


class Others(t.NamedTuple):
    """What other people have in the account."""

    cloud: Cloud
    network: Json
    balancer: str
    listeners: list[str]
    group: str

    @property
    def elb(self) -> t.Any:
        return self.cloud.client("elbv2")

    def rules(self, *, ours: bool) -> list[Json]:
        """The rules with or without the tag of this project, with their tags."""
        found: list[Json] = []
        for listener in self.listeners:
            for rule in self.elb.describe_rules(ListenerArn=listener)["Rules"]:
                described = self.elb.describe_tags(ResourceArns=[rule["RuleArn"]])["TagDescriptions"]
                own = {tag["Key"]: tag["Value"] for one in described for tag in one["Tags"]}
                if ("slipway:project" in own and own["slipway:project"] == "shop") == ours:
                    found.append({**rule, "Tags": own})
        return found

    def groups(self) -> list[str]:
        return sorted(one["TargetGroupName"] for one in self.elb.describe_target_groups()["TargetGroups"])

    def state(self) -> str:
        """All that AWS says about what is not this project's."""
        balancers = self.elb.describe_load_balancers()["LoadBalancers"]
        attributes = self.elb.describe_load_balancer_attributes(LoadBalancerArn=self.balancer)["Attributes"]
        listeners = self.elb.describe_listeners(LoadBalancerArn=self.balancer)["Listeners"]
        group = self.elb.describe_target_groups(TargetGroupArns=[self.group])["TargetGroups"]
        settings = self.elb.describe_target_group_attributes(TargetGroupArn=self.group)["Attributes"]
        marks = self.elb.describe_tags(ResourceArns=[self.balancer, self.group])["TagDescriptions"]
        parts = [balancers, attributes, listeners, self.rules(ours=False), group, settings, marks]
        return json.dumps(parts, default=str, sort_keys=True)


@pytest.fixture(scope="module")
def others(cloud: Cloud) -> Others:
    ec2, elb = cloud.client("ec2"), cloud.client("elbv2")
    vpc = cloud.public_vpc()
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    security = ec2.create_security_group(GroupName="others", Description="x", VpcId=vpc)["GroupId"]
    balancer = elb.create_load_balancer(
        Name="shared", Subnets=subnets, SecurityGroups=[security], Tags=tags(owner="platform", stage="test")
    )["LoadBalancers"][0]["LoadBalancerArn"]
    settings = {"Protocol": "HTTP", "Port": 9000, "VpcId": vpc, "TargetType": "ip"}
    group = elb.create_target_group(Name="theirs", **settings)["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    listeners = [
        elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=forward)
        for port in (80, 8080)
    ]
    arns = [one["Listeners"][0]["ListenerArn"] for one in listeners]
    for priority, more in ((10, tags(owner="a")), (30, tags(slipway__project="other"))):
        path = [{"Field": "path-pattern", "Values": [f"/{priority}"]}]
        elb.create_rule(ListenerArn=arns[0], Priority=priority, Conditions=path, Actions=forward, Tags=more)
    network = {
        "vpc_id": vpc,
        "public_subnet_ids": subnets,
        "private_subnet_ids": subnets,
        "security_group_ids": {"load_balancer": "", "tasks": security},
    }
    return Others(cloud, network, balancer, arns, group)


def play(others: Others, *options: str, entries: t.Sequence[str] = ("main",), **more: t.Any) -> Run:
    shown = {"ansible.builtin.debug": {"msg": "result={{ ecs_load_balancer_result | to_json }}"}}
    tasks = [*map(entry, entries), *([] if "absent" in entries else [shown])]
    named = {"slipway_project": "shop", "ecs_load_balancer_arn": others.balancer}
    groups = {"ecs_load_balancer_target_groups": [WEB], "ecs_network_result": others.network}
    return others.cloud.play(tasks, *options, **{**named, **groups, **more})


def result_of(run: Run) -> Json:
    text = run.output.partition("result=")[2].partition("\n")[0].removesuffix('"').replace('\\"', '"')
    return dict(json.loads(text))


def said(run: Run) -> str:
    return " ".join(run.output.split())


def absent(others: Others, **more: t.Any) -> None:
    deleted = play(others, entries=["absent"], **more)
    assert deleted.code == 0, deleted.output
    assert (others.rules(ours=True), others.groups()) == ([], ["theirs"])


@pytest.mark.variants
@pytest.mark.parametrize("named_by", ["arn", "name", "tags"])
def test_rules_of_the_project_come_and_go_on_a_listener_of_others(others: Others, named_by: str) -> None:
    given: Json = {
        "arn": {},
        "name": {"ecs_load_balancer_arn": "shared"},
        "tags": {"ecs_load_balancer_arn": "", "ecs_load_balancer_name_tags": {"owner": "platform"}},
    }[named_by]
    before = others.state()
    for options, changes in ((("--check",), 2), ((), 2), ((), 0), (("--check",), 0)):
        run = play(others, *options, **given)
        assert (run.code, run.changed) == (0, changes), run.output
        assert result_of(run)["arn"] == others.balancer
    (rule,) = others.rules(ours=True)
    result = result_of(run)
    assert (rule["Priority"], rule["Tags"]) == ("20", OURS)
    assert rule["Actions"][0]["TargetGroupArn"] == result["target_groups"]["web"]["arn"]
    assert (result["existing"], result["url"]) == (True, f"http://{result['dns_name']}")
    assert others.groups() == ["shop-web", "theirs"]
    assert others.state() == before
    found = play(others, entries=["find"], **given)
    assert result_of(found)["target_groups"] == result["target_groups"]
    changed = play(others, **given, ecs_load_balancer_target_groups=[{**WEB, "hosts": ["www.example.com"]}])
    assert (changed.code, changed.changed) == (0, 1), changed.output
    absent(others, **given)
    assert others.state() == before


@pytest.mark.variants
def test_a_target_group_of_others_gets_a_rule_and_no_other_settings(others: Others) -> None:
    before = others.state()
    group = {**WEB, "arn": others.group, "health_check_path": "/ours", "deregistration_delay": 1}
    for changes in (1, 0):
        run = play(others, ecs_load_balancer_target_groups=[group])
        assert (run.code, run.changed) == (0, changes), run.output
    result = result_of(run)
    assert result["target_groups"]["web"] == {"arn": others.group, "port": 9000, "target_type": "ip"}
    # What a release would change.
    assert result["target_group_settings"] == {}
    assert others.state() == before
    absent(others, ecs_load_balancer_target_groups=[group])
    assert others.state() == before


@pytest.mark.variants
def test_a_rule_that_moves_to_another_listener_leaves_none_behind(others: Others) -> None:
    before = others.state()
    for listener in others.listeners:
        run = play(others, ecs_load_balancer_listener_arns=[listener])
        assert run.code == 0, run.output
        assert [
            rule["RuleArn"].rpartition("/")[0].replace("listener-rule", "listener") for rule in others.rules(ours=True)
        ] == [listener]
    assert result_of(run)["url"].endswith(":8080")
    absent(others)
    assert others.state() == before


@pytest.fixture
def secure(others: Others) -> t.Iterator[str]:
    """A listener of HTTPS on their load balancer."""
    certificate = others.cloud.client("acm").request_certificate(DomainName="example.com")["CertificateArn"]
    forward = [{"Type": "forward", "TargetGroupArn": others.group}]
    place = {"LoadBalancerArn": others.balancer, "Protocol": "HTTPS", "Port": 443}
    made = others.elb.create_listener(**place, DefaultActions=forward, Certificates=[{"CertificateArn": certificate}])
    arn = str(made["Listeners"][0]["ListenerArn"])
    others.listeners.append(arn)
    yield arn
    others.listeners.remove(arn)
    others.elb.delete_listener(ListenerArn=arn)


@pytest.mark.variants
def test_http_redirects_to_https_on_their_load_balancer_and_leaves_no_rule(others: Others, secure: str) -> None:
    """Also a site whose rules forwarded on both, and whose inventory names the load balancer no more."""
    before = others.state()
    both: Json = {"ecs_load_balancer_listener_arns": [others.listeners[0], secure]}
    former = play(others, **both, ecs_load_balancer_redirect_http=False)
    assert former.code == 0, former.output
    assert [one["Actions"][0]["Type"] for one in others.rules(ours=True)] == ["forward", "forward"]
    plan = play(others, "--check", "--diff", **both)
    assert (plan.code, plan.changed) == (0, 1), plan.output
    assert "redirect" in plan.output, plan.output
    for changes in (1, 0):
        run = play(others, **both)
        assert (run.code, run.changed) == (0, changes), run.output
    by_type = {one["Actions"][0]["Type"]: one for one in others.rules(ours=True)}
    assert sorted(by_type) == ["forward", "redirect"]
    assert by_type["redirect"]["Actions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    assert others.listeners[0].rpartition("/")[2] in by_type["redirect"]["RuleArn"]
    assert result_of(run)["url"].startswith("https://")
    absent(others, ecs_load_balancer_arn="")
    assert others.state() == before


@pytest.mark.variants
def test_project_without_target_groups_has_no_load_balancer(others: Others) -> None:
    before = others.state()
    nothing = {"ecs_load_balancer_target_groups": [], "ecs_load_balancer_arn": ""}
    for entries in (["main"], ["find"], ["absent"]):
        run = play(others, entries=entries, **nothing)
        assert (run.code, run.changed) == (0, 0), run.output
    assert (others.state(), others.groups()) == (before, ["theirs"])


WIDE = {
    **WEB,
    "health_check_port": "8081",
    "attributes": {"stickiness.enabled": True, "slow_start.duration_seconds": 60},
    "conditions": [{"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24"]}}],
}
MOVED = {"Type": "redirect", "RedirectConfig": {"Host": "shop.example.com", "StatusCode": "HTTP_301"}}


@pytest.mark.variants
def test_conditions_actions_and_attributes_of_aws_are_set_once(others: Others) -> None:
    before = others.state()
    rules = [{"priority": 21, "hosts": ["old.example.com"], "actions": [MOVED]}]
    given = {"ecs_load_balancer_target_groups": [WIDE], "ecs_load_balancer_rules": rules}
    for options, changes in ((("--check",), 2), ((), 2), ((), 0)):
        run = play(others, *options, **given)
        assert (run.code, run.changed) == (0, changes), run.output
    forward, redirect = sorted(others.rules(ours=True), key=lambda one: int(one["Priority"]))
    assert {one["Field"] for one in forward["Conditions"]} == {"host-header", "source-ip"}
    assert redirect["Actions"][0]["RedirectConfig"]["Host"] == "shop.example.com"
    (group,) = others.elb.describe_target_groups(Names=["shop-web"])["TargetGroups"]
    settings = others.elb.describe_target_group_attributes(TargetGroupArn=group["TargetGroupArn"])["Attributes"]
    assert {"Key": "stickiness.enabled", "Value": "true"} in settings
    assert group["HealthCheckPort"] == "8081"
    absent(others, **given)
    assert others.state() == before


# What the role finds in the account; each problem is in tests/unit/plugins/plugin_utils.
WRONG: Json = {
    "ecs_load_balancer_target_groups": [
        {**WEB, "priority": 10},
        {**WEB, "name": "other", "paths": ["/other"], "priority": 30},
    ],
}
REFUSED = [
    "priority 10: expected a free priority, got the rule",
    "of project other",
]


def test_what_is_taken_is_refused_before_anything_is_created(others: Others) -> None:
    before = others.state()
    run = play(others, **WRONG)
    assert run.code == 2
    assert [problem for problem in REFUSED if problem not in said(run)] == []
    assert (others.state(), others.groups()) == (before, ["theirs"])


@pytest.mark.variants
def test_load_balancer_in_another_vpc_is_refused(others: Others) -> None:
    elsewhere = {**others.network, "vpc_id": "vpc-0123456789abcdef0"}
    run = play(others, ecs_network_result=elsewhere)
    assert run.code == 2
    assert "expected a load balancer in vpc-0123456789abcdef0, the VPC of the project, got" in said(run)


def test_what_is_not_adopted_is_compared_in_check_mode_and_refused_in_a_run(others: Others) -> None:
    created = play(others)
    assert created.code == 0, created.output
    group = result_of(created)["target_groups"]["web"]["arn"]
    (rule,) = others.rules(ours=True)
    others.elb.remove_tags(ResourceArns=[group, rule["RuleArn"]], TagKeys=["slipway:project"])
    before = others.state()
    predicted = play(others, "--check")
    assert (predicted.code, predicted.changed) == (0, 0), predicted.output
    assert "Not adopted: target group shop-web." in said(predicted)
    refused = play(others, ecs_load_balancer_target_groups=[WEB, {"name": "new", "paths": ["/new"], "priority": 40}])
    assert refused.code == 2
    assert "Not adopted: target group shop-web. Expected the tag slipway:project, got none." in said(refused)
    assert rule["RuleArn"] in said(refused)
    assert (others.state(), others.groups()) == (before, ["shop-web", "theirs"])
    # Adopted, it is the project's again.
    others.elb.add_tags(ResourceArns=[group, rule["RuleArn"]], Tags=tags(slipway__project="shop"))
    adopted = play(others, entries=["main", "absent"])
    assert (adopted.code, adopted.changed) == (0, 2), adopted.output
    assert (others.rules(ours=True), others.groups()) == ([], ["theirs"])
