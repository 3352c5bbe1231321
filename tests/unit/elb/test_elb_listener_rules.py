"""A listener gets exactly the rules that are asked for, each in one step."""

from __future__ import annotations

import typing as t

import boto3
import pytest

Json = dict[str, t.Any]
BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)


class Listener(t.NamedTuple):
    client: t.Any
    arn: str
    api: str
    shop: str

    def rules(self) -> dict[str, Json]:
        """The rules but the default one, by priority: what they ask for and where they lead."""
        answer = self.client.describe_rules(ListenerArn=self.arn)["Rules"]
        return {
            rule["Priority"]: {
                **{condition["Field"]: sorted(values(condition)) for condition in rule["Conditions"]},
                "to": rule["Actions"][0].get("TargetGroupArn"),
            }
            for rule in answer
            if not rule["IsDefault"]
        }


def values(condition: Json) -> list[str]:
    config = condition.get("HostHeaderConfig") or condition.get("PathPatternConfig") or condition
    return list(config["Values"])


@pytest.fixture
def listener(aws: None) -> Listener:
    ec2, elb = boto3.client("ec2"), boto3.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-central-1{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(Name="lb", Subnets=[subnet["SubnetId"] for subnet in subnets])
    web, api, shop = (
        elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")["TargetGroups"][0][
            "TargetGroupArn"
        ]
        for name in ("web", "api", "shop")
    )
    created = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": web}],
    )
    return Listener(elb, created["Listeners"][0]["ListenerArn"], api, shop)


def rule(priority: int, to: str, **conditions: list[str]) -> Json:
    return {"priority": priority, "target_group_arn": to, **conditions}


@BOTH
def test_twelve_steps(listener: Listener, run: t.Any) -> None:
    first = [rule(10, listener.api, paths=["/api/*", "/api"]), rule(20, listener.shop, hosts=["shop.example.com"])]
    second = [rule(10, listener.shop, paths=["/api"], hosts=["*.example.com"])]
    for wanted, priorities in ((first, {"10", "20"}), (second, {"10"}), ([], set())):
        before = listener.rules()
        predicted = run("elb_listener_rules", check=True, listener_arn=listener.arn, rules=wanted)
        assert listener.rules() == before
        done = run("elb_listener_rules", listener_arn=listener.arn, rules=wanted)
        assert set(listener.rules()) == priorities
        assert (predicted["changed"], done["changed"]) == (True, True)
        assert predicted["rules"] == done["rules"]
        for check in (True, False):
            assert run("elb_listener_rules", check=check, listener_arn=listener.arn, rules=wanted)["changed"] is False


@BOTH
def test_a_rule_loses_its_hosts(listener: Listener, run: t.Any) -> None:
    """amazon.aws.elb_application_lb does not see that."""
    run(
        "elb_listener_rules",
        listener_arn=listener.arn,
        rules=[rule(10, listener.api, paths=["/a"], hosts=["a.example.com"])],
    )
    changed = run("elb_listener_rules", listener_arn=listener.arn, rules=[rule(10, listener.api, paths=["/a"])])
    assert changed["changed"]
    assert listener.rules() == {"10": {"path-pattern": ["/a"], "to": listener.api}}


def test_a_rule_moves_to_the_priority_of_one_that_goes(listener: Listener, run: t.Any, calls: list[str]) -> None:
    """On AWS, and moto, amazon.aws.elb_application_lb fails there: the priority is taken."""
    both = [rule(10, listener.api, paths=["/api"]), rule(20, listener.shop, paths=["/shop"])]
    run("elb_listener_rules", listener_arn=listener.arn, rules=both)
    calls.clear()
    run("elb_listener_rules", listener_arn=listener.arn, rules=[rule(10, listener.shop, paths=["/shop"])])
    assert listener.rules() == {"10": {"path-pattern": ["/shop"], "to": listener.shop}}
    assert [call for call in calls if "Describe" not in call] == ["ModifyRule", "DeleteRule"]


def test_a_rule_of_another_kind_is_replaced(listener: Listener, run: t.Any) -> None:
    listener.client.create_rule(
        ListenerArn=listener.arn,
        Priority=10,
        Conditions=[{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": listener.api}],
    )
    run("elb_listener_rules", listener_arn=listener.arn, rules=[rule(10, listener.api, paths=["/api"])])
    assert listener.rules() == {"10": {"path-pattern": ["/api"], "to": listener.api}}


def test_a_condition_that_no_option_has_is_a_difference_and_named(listener: Listener, run: t.Any) -> None:
    """Else POST alone would go on being served."""
    method = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}
    path = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api"]}}
    listener.client.create_rule(
        ListenerArn=listener.arn,
        Priority=10,
        Conditions=[path, method],
        Actions=[{"Type": "forward", "TargetGroupArn": listener.api}],
    )
    changed = run("elb_listener_rules", listener_arn=listener.arn, rules=[rule(10, listener.api, paths=["/api"])])
    assert changed["diff"]["before"]["rules"][0]["other"] == ["http-request-method"]
    assert listener.rules() == {"10": {"path-pattern": ["/api"], "to": listener.api}}


def test_order_and_case_of_hosts_do_not_matter(listener: Listener, run: t.Any) -> None:
    run(
        "elb_listener_rules",
        listener_arn=listener.arn,
        rules=[rule(1, listener.api, hosts=["b.example.com", "a.example.com"])],
    )
    again = [rule(1, listener.api, hosts=["A.example.com", "b.example.com"])]
    assert run("elb_listener_rules", listener_arn=listener.arn, rules=again)["changed"] is False


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ([rule(1, "x", paths=["/"]), rule(1, "y", paths=["/"])], "priority 1 is given 2 times"),
        ([rule(0, "x", paths=["/"])], "priority 0 is not between 1 and 50000"),
        ([rule(1, "x")], "priority 1 has 0 hosts and paths, 1 to 5 are right"),
        ([rule(1, "x", paths=list("abcdef"))], "priority 1 has 6 hosts and paths"),
    ],
)
def test_a_wrong_rule_is_refused(listener: Listener, run: t.Any, rules: list[Json], problem: str) -> None:
    result = run("elb_listener_rules", listener_arn=listener.arn, rules=rules)
    assert result["code"] == "invalid_option"
    assert problem in result["msg"]


def test_a_listener_that_is_not_there_is_an_error(listener: Listener, run: t.Any) -> None:
    result = run("elb_listener_rules", listener_arn=listener.arn + "0", rules=[])
    assert (result["failed"], result["code"]) == (True, "not_found")
