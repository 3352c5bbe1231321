# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variants of the role ecs_network, run by ansible-playbook: VPC endpoints against MiniStack, NAT gateways and a
VPC that is there already against moto. Both emulators work at the same time, as a run is mostly processes starting."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from ansible_collections.slipway.aws.tests import hard_cloud
from ansible_collections.slipway.aws.tests.plays import run as run_playbook

Json = dict[str, t.Any]

ROOT = Path(__file__).resolve().parents[3]
KEYS = {"access_key": "key", "secret_key": "b2f0c1d4e7a9"}
# What an emulator is asked for is there at once, unless it is as hard as AWS; modules that pause all the same need not.
NO_PAUSES = "import time\n\npause = time.sleep\ntime.sleep = lambda seconds: pause(min(seconds, 0.05))\n"
KINDS = (
    "flow_logs",
    "vpcs",
    "subnets",
    "security_groups",
    "nat_gateways",
    "addresses",
    "route_tables",
    "internet_gateways",
)
HERE = {"ecs_network_docker_host_cidrs": ["192.0.2.1/32"]}
ENDPOINTS = {
    "ecs_network_nat": "none",
    "ecs_network_endpoints": ["ecr.api", "ecr.dkr", "s3"],
    "ecs_network_flow_logs": "reject",
}
GIVEN = {
    "ecs_network_vpc_tags": {"Name": "company"},
    "ecs_network_public_subnet_tags": {"Tier": "public"},
    "ecs_network_private_subnet_tags": {"Tier": "private"},
}


@dataclass
class Played:
    """What ansible-playbook reports of one play."""

    tasks: list[Json]

    def results(self) -> Iterator[tuple[str, Json]]:
        for task in self.tasks:
            for answer in task["hosts"].values():
                for one in answer.get("results") or [answer]:
                    yield task["task"]["name"], one

    @property
    def changed(self) -> list[str]:
        """Names of the tasks that changed something, with the item where there are several."""
        changed = [(name, one.get("item")) for name, one in self.results() if one.get("changed")]
        keys = ("name", "key", "group_name", "service", "cidr_block", "route_table_id")
        names = [
            next(str(item[key]) for key in keys if key in item) if isinstance(item, dict) else item
            for _task, item in changed
        ]
        return [f"{task} {name}" if name else task for (task, _item), name in zip(changed, names, strict=True)]

    @property
    def failure(self) -> str:
        return " ".join(str(one["msg"]) for _task, one in self.results() if one.get("failed"))

    @property
    def published(self) -> Json:
        facts = [one.get("ansible_facts", {}) for _task, one in self.results()]
        facts = [fact for fact in facts if "ecs_network_result" in fact]
        return t.cast("Json", facts[-1]["ecs_network_result"])


@dataclass
class Account:
    """A region of an emulator, and playbooks that are run on it."""

    address: str
    region: str
    folder: Path

    def client(self, service: str) -> t.Any:
        keys = {"aws_access_key_id": KEYS["access_key"], "aws_secret_access_key": KEYS["secret_key"]}
        return boto3.client(service, endpoint_url=self.address, region_name=self.region, **keys)

    @property
    def ec2(self) -> t.Any:
        return self.client("ec2")

    def delivery(self) -> list[str]:
        """What delivers flow logs: log groups and IAM roles."""
        groups = self.client("logs").describe_log_groups(logGroupNamePrefix="/ecs/")["logGroups"]
        roles = self.client("iam").list_roles()["Roles"]
        return [one["logGroupName"] for one in groups] + [one["RoleName"] for one in roles]

    def play(self, plays: list[Json], *options: str) -> list[Played]:
        connection = {"region": self.region, "endpoint_url": self.address, **KEYS}
        common = {"hosts": "localhost", "gather_facts": False, "module_defaults": {"group/slipway.aws.aws": connection}}
        playbook = self.folder / f"{self.region}.yml"
        playbook.write_text(yaml.safe_dump([{**common, **play} for play in plays]))
        (self.folder / "sitecustomize.py").write_text("" if hard_cloud.kinds() else NO_PAUSES)
        settings = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "PYTHONPATH": str(self.folder)}
        ended = run_playbook(f"--inventory={ROOT}/inventory/local", *options, playbook, **settings)
        assert ended.stdout.startswith("{"), ended.stdout + ended.stderr
        return [Played(play["tasks"]) for play in json.loads(ended.stdout)["plays"]]

    def role(self, entry: str = "main", check: bool = False, **variables: t.Any) -> Played:
        role = {"name": "slipway.aws.ecs_network", "tasks_from": entry}
        tasks = [{"name": "Network", "ansible.builtin.include_role": role}]
        return self.play([{"vars": {**HERE, **variables}, "tasks": tasks}], *(["--check"] if check else []))[0]

    def refusals(self, cases: list[Json]) -> list[str]:
        """Why each set of variables is refused."""
        role = {"name": "slipway.aws.ecs_network"}
        block = [{"name": "Network", "ansible.builtin.include_role": role}]
        rescue = [{"name": "It is refused", "ansible.builtin.debug": {"msg": "refused"}}]
        tasks = [{"name": "One case", "block": block, "rescue": rescue}]
        return [played.failure for played in self.play([{"vars": {**HERE, **case}, "tasks": tasks} for case in cases])]

    def state(self) -> list[Json]:
        """All that there is, without what AWS still shows for a while."""
        described = [getattr(self.ec2, f"describe_{kind}")() for kind in (*KINDS, "vpc_endpoints")]
        lists = [value for answer in described for key, value in answer.items() if key != "ResponseMetadata"]
        return [one for there in lists if isinstance(there, list) for one in there if one.get("State") != "deleted"]


@dataclass
class Story:
    """What happened, by the name of the step, for the tests to look at."""

    played: dict[str, Played] = field(default_factory=dict)
    states: dict[str, list[Json]] = field(default_factory=dict)
    delivery: dict[str, list[str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


# Wrong variables, and what the refusal says.

# More of them, and of what does not fit what exists, in tests/unit/plugins/plugin_utils/test_ecs_network.py.
OWN: list[tuple[Json, str]] = [
    ({"ecs_network_nat": "many"}, "ecs_network_nat: expected one of single, per_zone, none, got 'many'"),
    (
        {"ecs_network_cidr": "10.0.0.0/8", "ecs_network_task_ports": ["http"]},
        "ecs_network_task_ports[0]: expected a port",
    ),
    ({"ecs_network_zones": ["mars-1a", "mars-1b"]}, "ecs_network_zones: expected zones of this region"),
    (
        {"ecs_network_endpoints": ["ecr"]},
        "ecs_network_endpoints: expected services that AWS offers in eu-central-1a and",
    ),
    (GIVEN, "ecs_network_vpc_tags: expected one VPC in this region, got none"),
]
# Where the project has a network.
GROWN: list[tuple[Json, str]] = [
    ({"ecs_network_cidr": "10.1.0.0/16"}, "AWS cannot change the range of a VPC"),
    (
        {"ecs_network_zones": ["eu-central-1b", "eu-central-1a"]},
        "got eu-central-1b. AWS cannot move a subnet",
    ),
    (GIVEN, "with the tag slipway:project=ecs, which destroy would delete"),
]
# Where a VPC exists.
COMPANY: list[tuple[Json, str]] = [
    (GIVEN, "expected names other than ECS-sg, which the existing VPC already has without the tag slipway:project=ecs"),
]


# Stories


def as_the_release_before(account: Account) -> None:
    """Public addresses for what starts in a public subnet, rules in the default security group, no flow log."""
    ec2, iam, logs = (account.client(service) for service in ("ec2", "iam", "logs"))
    ec2.delete_flow_logs(FlowLogIds=[one["FlowLogId"] for one in ec2.describe_flow_logs()["FlowLogs"]])
    iam.delete_role_policy(RoleName="ecs-flow-logs", PolicyName="flow-logs")
    iam.delete_role(RoleName="ecs-flow-logs")
    logs.delete_log_group(logGroupName="/ecs/ecs/flow-logs")
    found = ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["ecs-subnet-public*"]}])["Subnets"]
    for subnet in found:
        ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": True})
    group = default_groups(ec2.describe_security_groups()["SecurityGroups"], found[0]["VpcId"])[0]["GroupId"]
    anything, own = {"IpProtocol": "-1"}, {"GroupId": group, "UserId": "000000000000"}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{**anything, "UserIdGroupPairs": [own]}])
    ec2.authorize_security_group_egress(
        GroupId=group, IpPermissions=[{**anything, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )


def endpoints(account: Account) -> Story:
    """From an empty account to endpoints, and back."""
    story = Story()
    story.states["empty"] = account.state()
    story.played["predicted"] = account.role(check=True, **ENDPOINTS)
    story.states["checked"] = account.state()
    story.played["made"] = account.role(**ENDPOINTS)
    story.states["made"] = account.state()
    story.played["again"] = account.role(**ENDPOINTS)
    story.refused = account.refusals([case for case, _text in GROWN])
    story.states["refused"] = account.state()
    story.delivery["made"] = account.delivery()
    as_the_release_before(account)
    story.states["before"] = account.state()
    story.played["upgrade predicted"] = account.role(check=True, **ENDPOINTS)
    story.played["upgraded"] = account.role(**ENDPOINTS)
    story.states["upgraded"] = account.state()
    story.played["removed"] = account.role("absent")
    story.states["removed"] = account.state()
    story.delivery["removed"] = account.delivery()
    return story


def half_built(ec2: t.Any, project: str) -> None:
    """A VPC and one subnet, as an interrupted run leaves them."""

    def tags(kind: str, name: str) -> list[Json]:
        own = [{"Key": "slipway:project", "Value": project}, {"Key": "Name", "Value": f"{project}-{name}"}]
        return [{"ResourceType": kind, "Tags": own}]

    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags("vpc", "vpc"))["Vpc"]["VpcId"]
    zone = "eu-central-1a"
    named = tags("subnet", f"subnet-public1-{zone}")
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20", AvailabilityZone=zone, TagSpecifications=named)
    ec2.create_security_group(
        GroupName="ECS-sg", Description="x", VpcId=vpc, TagSpecifications=tags("security-group", "sg")
    )
    ec2.allocate_address(Domain="vpc", TagSpecifications=tags("elastic-ip", f"nat-{zone}"))


def gateways(account: Account) -> Story:
    """From a half-built network to a NAT gateway a zone, beside another project, and to nothing."""
    story = Story()
    half_built(account.ec2, "other")
    story.states["other"] = account.state()
    half_built(account.ec2, "ecs")
    story.states["half-built"] = account.state()
    story.played["predicted"] = account.role(check=True, ecs_network_nat="per_zone")
    story.states["checked"] = account.state()
    story.played["made"] = account.role(ecs_network_nat="per_zone")
    story.states["made"] = account.state()
    story.played["removed"] = account.role("absent")
    story.states["removed"] = account.state()
    return story


def existing(account: Account) -> Story:
    """In a VPC that is there already."""
    story = Story()
    ec2 = account.ec2
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "company"}])
    for number, (tier, zone) in enumerate([("public", "b"), ("public", "a"), ("private", "b"), ("private", "a")]):
        made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.8.{number}.0/24", AvailabilityZone=f"{account.region}{zone}")
        ec2.create_tags(Resources=[made["Subnet"]["SubnetId"]], Tags=[{"Key": "Tier", "Value": tier}])
    ec2.create_security_group(GroupName="ECS-sg", Description="The company's", VpcId=vpc)
    story.states["before"] = account.state()
    story.refused = account.refusals([case for case, _text in COMPANY])
    variables = {**GIVEN, "ecs_network_docker_host_group": "docker-host"}
    story.played["made"] = account.role(**variables)
    story.played["found"] = account.role("find", **variables)
    story.played["removed"] = account.role("absent", **variables)
    story.states["removed"] = account.state()
    return story


Stories = dict[str, Future[Story]]


@pytest.fixture(scope="module")
def moto_address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def stories(ministack: str, moto_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    def account(address: str, region: str) -> Account:
        return Account(address, region, tmp_path_factory.mktemp(region))

    def on_moto() -> tuple[Story, Story]:
        return gateways(account(moto_address, "eu-central-1")), existing(account(moto_address, "eu-west-1"))

    with ThreadPoolExecutor() as pool:
        moto = pool.submit(on_moto)
        tellers: dict[str, Callable[[], Story]] = {
            "endpoints": lambda: endpoints(account(ministack, "eu-central-1")),
            "gateways": lambda: moto.result()[0],
            "existing": lambda: moto.result()[1],
        }
        yield {name: pool.submit(tell) for name, tell in tellers.items()}


@pytest.fixture
def empty(ministack: str, tmp_path: Path) -> Account:
    """One in which nothing is made."""
    return Account(ministack, "eu-central-1", tmp_path)


@pytest.fixture
def story(request: pytest.FixtureRequest, stories: Stories) -> Story:
    return stories[request.param].result()


def about(*names: str) -> t.Callable[[t.Any], t.Any]:
    """A test of these stories, which take minutes."""

    def marked(test: t.Any) -> t.Any:
        return pytest.mark.variants(pytest.mark.parametrize("story", names, indirect=True)(test))

    return marked


def default_groups(state: list[Json], vpc: str) -> list[Json]:
    return [one for one in state if one.get("GroupName") == "default" and one["VpcId"] == vpc]


def of_project(state: list[Json], key: str, project: str = "ecs") -> list[Json]:
    """Resources of a kind, identified by a member that only it has, that belong to a project."""
    owned = {"Key": "slipway:project", "Value": project}
    return [one for one in state if key in one and owned in one.get("Tags", [])]


# Tests


@pytest.mark.variants
def test_wrong_variables_are_refused_before_anything_is_made(empty: Account) -> None:
    before = empty.state()
    refusals = empty.refusals([case for case, _text in OWN])
    assert [(text, message) for (_case, text), message in zip(OWN, refusals, strict=True) if text not in message] == []
    assert empty.state() == before


@pytest.mark.variants
def test_the_load_balancer_reaches_an_application_on_its_own_port(empty: Account) -> None:
    """The inventory of the guide, with port 8000, which it declares once."""
    mappings = [{"containerPort": 8000}]
    definition = {"family": "shop", "containerDefinitions": [{"name": "shop", "portMappings": mappings}]}
    service = {"name": "shop", "load_balancers": [{"targetGroupArn": "shop"}], "task_definition": definition}
    shop = {"ecs_app_services": [service], "ecs_load_balancer_target_groups": [{"name": "shop"}]}
    image = {"name": "shop", "path": "shop", "smoke_test": {"port": 10100}}
    images = {"container_image_images": [image], "container_image_smoke_test_port": 10080}
    played = empty.role(check=True, **shop, **images)
    assert played.failure == ""
    groups = {one["item"]["key"]: one["item"] for _task, one in played.results() if "key" in (one.get("item") or {})}
    assert [rule["ports"] for rule in groups["load_balancer"]["rules_egress"]] == [[8000]]
    assert [rule["ports"] for rule in groups["tasks"]["rules"]] == [[8000]]
    assert [rule["ports"] for rule in groups["docker_host"]["rules"]] == [[22, 10080, 10100]]


@pytest.mark.variants
@pytest.mark.parametrize(("story", "cases"), [("endpoints", GROWN), ("existing", COMPANY)], indirect=["story"])
def test_what_does_not_fit_what_exists_is_refused(story: Story, cases: list[tuple[Json, str]]) -> None:
    assert [
        (text, message) for (_case, text), message in zip(cases, story.refused, strict=True) if text not in message
    ] == []


@about("endpoints")
def test_refusals_and_predictions_change_nothing(story: Story) -> None:
    assert story.states["checked"] == story.states["empty"]
    assert story.states["refused"] == story.states["made"]


@about("endpoints", "gateways")
def test_check_mode_predicts_what_is_made(story: Story) -> None:
    assert story.played["made"].failure == ""
    assert story.played["made"].changed
    assert story.played["predicted"].changed == story.played["made"].changed


@pytest.mark.witness("ecs_network")
@about("endpoints")
def test_second_run_changes_nothing(story: Story) -> None:
    assert (story.played["again"].failure, story.played["again"].changed) == ("", [])
    assert story.played["again"].published == story.played["made"].published


@about("endpoints")
def test_endpoints_are_where_the_tasks_are(story: Story) -> None:
    made = story.states["made"]
    private = story.played["made"].published["private_subnet_ids"]
    places = {one["ServiceName"]: one["SubnetIds"] for one in of_project(made, "VpcEndpointId") if one["SubnetIds"]}
    assert places == dict.fromkeys(
        ("com.amazonaws.eu-central-1.ecr.api", "com.amazonaws.eu-central-1.ecr.dkr"), private
    )
    [gateway] = [one for one in of_project(made, "VpcEndpointId") if one["RouteTableIds"]]
    tables = of_project(made, "Associations")
    routed = {
        there["SubnetId"]
        for table in tables
        for there in table["Associations"]
        if table["RouteTableId"] in gateway["RouteTableIds"]
    }
    assert (gateway["ServiceName"], routed) == ("com.amazonaws.eu-central-1.s3", set(private))
    assert not of_project(made, "NatGatewayId")


@about("endpoints")
def test_only_containers_and_docker_host_reach_the_endpoints(story: Story) -> None:
    groups = {one["GroupName"]: one for one in of_project(story.states["made"], "IpPermissions")}
    rules = groups["ecs-endpoints"]["IpPermissions"]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(443, 443)}
    assert not [rule for rule in rules if rule["IpRanges"]]
    let_in = {pair["GroupId"] for rule in rules for pair in rule["UserIdGroupPairs"]}
    assert let_in == {groups["ecs-tasks"]["GroupId"], groups["ECS-sg"]["GroupId"]}


@about("endpoints", "gateways")
def test_the_default_security_group_of_an_own_vpc_is_closed(story: Story) -> None:
    [group] = default_groups(story.states["made"], story.played["made"].published["vpc_id"])
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])


@about("endpoints", "gateways")
def test_nothing_gets_a_public_address_by_itself(story: Story) -> None:
    subnets = [one for one in of_project(story.states["made"], "CidrBlock") if "SubnetId" in one]
    assert [one["SubnetId"] for one in subnets if one["MapPublicIpOnLaunch"]] == []


@about("endpoints")
def test_a_network_of_the_release_before_is_changed_in_place(story: Story) -> None:
    upgraded = story.played["upgraded"]
    assert story.played["upgrade predicted"].changed == upgraded.changed
    assert [change.partition(" : ")[2] for change in upgraded.changed] == [
        "Create the public subnets ecs-subnet-public1-eu-central-1a",
        "Create the public subnets ecs-subnet-public2-eu-central-1b",
        "Remove the rules of the default security group",
        "Create the log group of flow logs",
        "Create the IAM role of flow logs",
        "Set the permissions of the IAM role of flow logs",
        "Create the flow log of the VPC",
    ]
    # All that there is, is what the first run made, and the new flow log.
    made, now = ([one for one in story.states[when] if "FlowLogId" not in one] for when in ("made", "upgraded"))
    assert [(one, other) for one, other in zip(made, now, strict=True) if one != other] == []
    assert len(story.states["upgraded"]) == len(now) + 1


@about("endpoints")
def test_refused_connections_are_recorded_until_the_network_is_deleted(story: Story) -> None:
    [one] = of_project(story.states["made"], "FlowLogId")
    assert (one["ResourceId"], one["TrafficType"]) == (story.played["made"].published["vpc_id"], "REJECT")
    assert one["DeliverLogsPermissionArn"].endswith(":role/ecs-flow-logs")
    assert story.delivery == {"made": ["/ecs/ecs/flow-logs", "ecs-flow-logs"], "removed": []}


@about("gateways")
def test_each_zone_has_a_gateway_and_a_route_to_it(story: Story) -> None:
    assert story.states["checked"] == story.states["half-built"]
    made = story.states["made"]
    subnets = {one["SubnetId"]: one["AvailabilityZone"] for one in of_project(made, "CidrBlock") if "SubnetId" in one}
    zones = {one["NatGatewayId"]: subnets[one["SubnetId"]] for one in of_project(made, "NatGatewayId")}
    routed = {
        (subnets[there["SubnetId"]], zones[route["NatGatewayId"]])
        for table in of_project(made, "Associations")
        for route in table["Routes"]
        for there in table["Associations"]
        if "NatGatewayId" in route
    }
    assert routed == {("eu-central-1a", "eu-central-1a"), ("eu-central-1b", "eu-central-1b")}
    # The one that was allocated already is used.
    assert len([one for one in of_project(made, "AllocationId") if "PublicIp" in one]) == 2


@about("existing")
def test_given_subnets_are_found_in_the_order_of_their_zones(story: Story) -> None:
    published = story.played["made"].published
    zones = {one["SubnetId"]: one["AvailabilityZone"] for one in story.states["before"] if "AvailabilityZone" in one}
    for kind in ("public_subnet_ids", "private_subnet_ids"):
        assert [zones[one] for one in published[kind]] == ["eu-west-1a", "eu-west-1b"]
    assert published["vpc_cidr"] == "10.8.0.0/16"
    assert story.played["found"].published == published


@about("existing")
def test_of_a_given_vpc_only_security_groups_are_made(story: Story) -> None:
    assert {change.split(" : ")[-1].rsplit(" ", 1)[0] for change in story.played["made"].changed} == {
        "Create the security groups"
    }


@pytest.mark.variants
@pytest.mark.parametrize(
    ("story", "before"), [("endpoints", "empty"), ("gateways", "other"), ("existing", "before")], indirect=["story"]
)
def test_absent_keeps_what_existed_before(story: Story, before: str) -> None:
    assert story.played["removed"].failure == ""
    assert story.states["removed"] == story.states[before]
