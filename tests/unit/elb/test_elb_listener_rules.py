"""A listener gets exactly the rules that are requested, each in one step."""

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
    balancer = elb.create_load_balancer(
        Name="lb", Subnets=[subnet["SubnetId"] for subnet in subnets], Scheme="internal"
    )
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


@pytest.mark.witness("elb_listener_rules")
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


def test_a_rule_moves_to_the_priority_of_a_deleted_one(listener: Listener, run: t.Any, calls: list[str]) -> None:
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
    """Else POST alone would continue to be served."""
    method = {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}}
    path = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api"]}}
    listener.client.create_rule(
        ListenerArn=listener.arn,
        Priority=10,
        Conditions=[path, method],
        Actions=[{"Type": "forward", "TargetGroupArn": listener.api}],
    )
    changed = run("elb_listener_rules", listener_arn=listener.arn, rules=[rule(10, listener.api, paths=["/api"])])
    assert changed["diff"]["before"]["rules"] == [{"priority": 10, "conditions": [method]}]
    assert listener.rules() == {"10": {"path-pattern": ["/api"], "to": listener.api}}


def split(web: int, *others: tuple[str, int], first: str, stickiness: bool = False) -> Json:
    groups = [{"TargetGroupArn": first, "Weight": web}] + [{"TargetGroupArn": a, "Weight": w} for a, w in others]
    sticky = {"Enabled": True, "DurationSeconds": 60} if stickiness else {"Enabled": False}
    return {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky},
    }


def path_rule(listener: Listener, *actions: Json, **condition: Json) -> None:
    """A rule of priority 10 for /api that someone else made."""
    path = condition or {"PathPatternConfig": {"Values": ["/api"]}}
    listener.client.create_rule(
        ListenerArn=listener.arn,
        Priority=10,
        Conditions=[{"Field": "path-pattern", **path}],
        Actions=list(actions),
    )


def actions_of(listener: Listener) -> list[Json]:
    rules = listener.client.describe_rules(ListenerArn=listener.arn)["Rules"]
    return next(list(rule["Actions"]) for rule in rules if rule["Priority"] == "10")


@pytest.mark.parametrize("weights", [(0, 100), (100, 0), (95, 5)])
def test_requests_that_ecs_has_shifted_are_not_moved(
    listener: Listener, run: t.Any, calls: list[str], weights: tuple[int, int]
) -> None:
    path_rule(listener, split(weights[0], (listener.shop, weights[1]), first=listener.api))
    shifted = actions_of(listener)
    calls.clear()
    for check in (True, False):
        result = run(
            "elb_listener_rules",
            check=check,
            listener_arn=listener.arn,
            rules=[rule(10, listener.api, paths=["/api"])],
        )
        assert (result["changed"], result["diff"]) == (False, {"before": {}, "after": {}})
        assert result["rules"][0]["target_group_arn"] == listener.api
        shown = {group["target_group_arn"]: group["weight"] for group in result["rules"][0]["target_groups"]}
        assert shown == {listener.api: weights[0], listener.shop: weights[1]}
    assert set(calls) == {"DescribeRules"}
    wanted = [rule(10, listener.api, paths=["/api", "/v2"])]
    predicted = run("elb_listener_rules", check=True, listener_arn=listener.arn, rules=wanted)
    changed = run("elb_listener_rules", listener_arn=listener.arn, rules=wanted)
    assert (
        changed["diff"]
        == predicted["diff"]
        == {
            "before": {"rules": [{"priority": 10, "paths": ["/api"]}]},
            "after": {"rules": [{"priority": 10, "paths": ["/api", "/v2"]}]},
        }
    )
    assert actions_of(listener) == shifted
    assert listener.rules()["10"]["path-pattern"] == ["/api", "/v2"]


def test_requests_of_other_target_groups_are_a_difference(listener: Listener, run: t.Any) -> None:
    path_rule(listener, split(50, (listener.shop, 50), first=listener.api))
    web = next(
        group["TargetGroupArn"]
        for group in listener.client.describe_target_groups()["TargetGroups"]
        if group["TargetGroupName"] == "web"
    )
    wanted = [rule(10, web, paths=["/api"])]
    assert run("elb_listener_rules", listener_arn=listener.arn, rules=wanted)["changed"]
    assert listener.rules()["10"]["to"] == web
    assert not run("elb_listener_rules", listener_arn=listener.arn, rules=wanted)["changed"]


@pytest.mark.parametrize("other", ["stickiness", "target_groups"])
def test_a_forward_that_is_not_plain_is_a_difference(listener: Listener, run: t.Any, other: str) -> None:
    path_rule(listener, split(int(other == "stickiness"), first=listener.api, stickiness=other == "stickiness"))
    wanted = [rule(10, listener.api, paths=["/api"])]
    changed = run("elb_listener_rules", listener_arn=listener.arn, rules=wanted)
    assert set(changed["diff"]["before"]["rules"][0]) == {"priority", other}
    assert not run("elb_listener_rules", listener_arn=listener.arn, rules=wanted)["changed"]


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
        ([rule(1, "x", paths=["/"]), rule(1, "y", paths=["/"])], "rules: expected one rule with priority 1, got 2."),
        ([rule(0, "x", paths=["/"])], "rules[0].priority: expected 1 to 50000, got 0."),
        ([rule(1, "x")], "rules[0].hosts and paths: expected 1 to 5 values together, got 0."),
        ([rule(1, "x", paths=[f"/{one}" for one in "abcdef"])], "expected 1 to 5 values together, got 6."),
        ([rule(1, "x", hosts=["localhost"])], "rules[0].hosts: expected names such as api.example.com or"),
    ],
)
def test_a_wrong_rule_is_refused(listener: Listener, run: t.Any, rules: list[Json], problem: str) -> None:
    result = run("elb_listener_rules", listener_arn=listener.arn, rules=rules)
    assert result["code"] == "invalid_option"
    assert problem in result["msg"]


def test_a_listener_that_does_not_exist_is_an_error(listener: Listener, run: t.Any) -> None:
    result = run("elb_listener_rules", listener_arn=listener.arn + "0", rules=[])
    assert (result["failed"], result["code"]) == (True, "not_found")


@BOTH
def test_ecs_gets_two_target_groups_and_keeps_their_weights(listener: Listener, run: t.Any) -> None:
    pair = {"target_group_arn": listener.api, "alternate_target_group_arn": listener.shop}
    options: Json = {
        "listener_arn": listener.arn,
        "default_action": pair,
        "rules": [{"priority": 10, "paths": ["/a"], **pair}],
    }
    predicted = run("elb_listener_rules", check=True, **options)
    done = run("elb_listener_rules", **options)
    assert (predicted["changed"], predicted["diff"]) == (True, done["diff"])
    rules = listener.client.describe_rules(ListenerArn=listener.arn)["Rules"]
    assert [weights_of(one) for one in rules] == [{listener.api: 100, listener.shop: 0}] * 2
    shifted = [{"TargetGroupArn": listener.api, "Weight": 0}, {"TargetGroupArn": listener.shop, "Weight": 100}]
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": shifted}}
    listener.client.modify_listener(ListenerArn=listener.arn, DefaultActions=[forward])
    [path] = [one["RuleArn"] for one in rules if not one["IsDefault"]]
    listener.client.modify_rule(RuleArn=path, Actions=[forward])
    for check in (True, False):
        assert run("elb_listener_rules", check=check, **options)["changed"] is False
    # Without them, both are left as they are.
    plain = {"priority": 10, "paths": ["/a"], "target_group_arn": listener.shop}
    assert run("elb_listener_rules", listener_arn=listener.arn, rules=[plain])["changed"] is False


def weights_of(rule: Json) -> dict[str, int]:
    return {one["TargetGroupArn"]: one["Weight"] for one in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]}


OWNER = {"slipway:project": "shop"}


def create_rule_of(listener: Listener, priority: int, path: str, to: str, **tags: str) -> str:
    """A rule of someone else, or of nobody."""
    created = listener.client.create_rule(
        ListenerArn=listener.arn,
        Priority=priority,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [path]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": to}],
        Tags=[{"Key": f"slipway:{name}", "Value": value} for name, value in tags.items()]
        or [{"Key": "a", "Value": "b"}],
    )
    return str(created["Rules"][0]["RuleArn"])


@BOTH
def test_rules_of_others_on_a_shared_listener_are_kept(listener: Listener, run: t.Any) -> None:
    create_rule_of(listener, 5, "/other", listener.shop, project="other")
    create_rule_of(listener, 6, "/nobody", listener.shop)
    others = listener.client.describe_rules(ListenerArn=listener.arn)["Rules"]
    options: Json = {"listener_arn": listener.arn, "owner_tags": OWNER}
    for wanted in ([rule(10, listener.api, paths=["/a"])], [rule(11, listener.shop, paths=["/b"])], []):
        for changed in (True, False):
            predicted = run("elb_listener_rules", check=True, rules=wanted, **options)
            done = run("elb_listener_rules", rules=wanted, **options)
            assert (predicted["changed"], done["changed"], done["rules"]) == (changed, changed, predicted["rules"])
        assert set(listener.rules()) == {"5", "6", *(str(one["priority"]) for one in wanted)}
        found = listener.client.describe_rules(ListenerArn=listener.arn)["Rules"]
        assert [one for one in others if one not in found] == []
        for own in (one for one in found if one not in others):
            described = listener.client.describe_tags(ResourceArns=[own["RuleArn"]])["TagDescriptions"]
            assert described[0]["Tags"] == [{"Key": "slipway:project", "Value": "shop"}]


@BOTH
@pytest.mark.parametrize(("tags", "whose"), [({"project": "other"}, "of project other"), ({}, "without owner_tags")])
def test_a_taken_priority_is_refused_before_anything_changes(
    listener: Listener, run: t.Any, calls: list[str], tags: dict[str, str], whose: str
) -> None:
    arn = create_rule_of(listener, 10, "/theirs", listener.shop, **tags)
    wanted = [rule(9, listener.api, paths=["/a"]), rule(10, listener.api, paths=["/b"])]
    calls.clear()
    for check in (True, False):
        failed = run("elb_listener_rules", check=check, listener_arn=listener.arn, owner_tags=OWNER, rules=wanted)
        assert failed["code"] == "conflict"
        assert f"rules, priority 10: expected a free priority, got the rule {arn} {whose}." in failed["msg"]
    assert set(calls) == {"DescribeRules", "DescribeTags"}


@BOTH
def test_a_rule_of_nobody_as_desired_is_not_adopted(listener: Listener, run: t.Any) -> None:
    arn = create_rule_of(listener, 10, "/a", listener.api)
    options: Json = {
        "listener_arn": listener.arn,
        "owner_tags": OWNER,
        "rules": [rule(10, listener.api, paths=["/a"]), rule(11, listener.shop, paths=["/b"])],
    }
    predicted = run("elb_listener_rules", check=True, **options)
    assert [one["priority"] for one in predicted["diff"]["after"]["rules"]] == [11]
    assert f"got rules without it: {arn} (priority 10)" in str(predicted["warnings"])
    failed = run("elb_listener_rules", **options)
    assert (failed["code"], failed["not_adopted"]) == ("not_adopted", [arn])
    assert set(listener.rules()) == {"10"}
    listener.client.add_tags(ResourceArns=[arn], Tags=[{"Key": "slipway:project", "Value": "shop"}])
    assert run("elb_listener_rules", **options)["diff"] == predicted["diff"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"owner_tags": {}}, "owner_tags: expected at least one tag, got none."),
        ({"owner_tags": {"aws:x": "y"}}, "expected a key without the prefix aws:"),
        (
            {"owner_tags": OWNER, "default_action": {"target_group_arn": "a", "alternate_target_group_arn": "b"}},
            "mutually",
        ),
    ],
)
def test_owner_tags_that_cannot_be_are_refused(listener: Listener, run: t.Any, options: Json, problem: str) -> None:
    failed = run("elb_listener_rules", listener_arn=listener.arn, rules=[], **options)
    assert failed["failed"]
    assert problem in failed["msg"]
