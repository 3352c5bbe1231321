# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs in a cluster of others is read as variables, changes nothing, and is tagged by an adoption alone."""

from __future__ import annotations

import copy
import datetime
import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.names import Home
from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling.model import Found
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service.members import AT_THE_DEPLOYMENT
from ansible_collections.slipway.aws.plugins.module_utils._ecs.site import balancing, scaling, schedules, service
from ansible_collections.slipway.aws.plugins.module_utils._ecs.site.secrets import Variables
from ansible_collections.slipway.aws.tests.unit.playbooks import running_services as running

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
NAMES = ("web", "api", "tagged", "secrets", "nightly")


@pytest.fixture
def place(aws: None) -> running.Place:
    found = running.create_place(boto3.client)
    running.create_services(boto3.client, found, NAMES)
    return found


@BOTH
@pytest.mark.witness("ecs_site_info")
def test_what_runs_becomes_variables(run: RunModule, place: running.Place, calls: list[str]) -> None:
    calls.clear()
    read = run("ecs_site_info", cluster="prod", project="shop")
    assert not read["changed"]
    assert {one.rstrip("abcdefghijklmnopqrstuvwxyz")[:1] for one in calls} <= {"D", "L", "G"}, calls
    site = read["site"]
    services = {one["name"]: one for one in site["services"]}
    assert list(services) == sorted(NAMES)
    assert services["api"]["desired_count"] == 3
    assert services["api"]["load_balancers"][0]["targetGroupArn"] == "prod-api"
    assert services["tagged"]["options"]["tags"] == {"team": "payments", "cost": "12"}
    balancer = site["variables"]["load_balancer"]
    groups = {one["name"]: one for one in balancer["ecs_load_balancer_target_groups"]}
    api = groups["prod-api"]
    assert (api["priority"], api["paths"], api["conditions"]) == (10, ["/api/*"], [running.CLIENT])
    assert (api["health_check_port"], api["attributes"]["stickiness.lb_cookie.duration_seconds"]) == ("8081", "3600")
    further = {"target_group": "prod-api", "priority": 15, "hosts": ["api.shop.example"]}
    assert balancer["ecs_load_balancer_rules"] == [further]
    assert groups["prod-web"]["health_check_path"] == "/web/health"
    assert balancer["ecs_load_balancer_listener_arns"] == [place.listener]
    assert site["variables"]["project"]["ecs_network_vpc_id"] == place.vpc
    [cleanup] = site["variables"]["schedules"]["ecs_app_schedules"]
    assert (cleanup["service"], cleanup["command"], cleanup["container"]) == ("nightly", ["clean", "--all"], "app")
    # moto has an attribute that only load balancers have.
    assert [one for one in site["notes"] if "waf" not in one["place"]] == []


@BOTH
def test_what_eventbridge_starts_is_a_note(run: RunModule, place: running.Place) -> None:
    """Scheduled tasks of the console and of Terraform are rules, which have no variable."""
    events, ecs = boto3.client("events"), boto3.client("ecs")
    [cluster] = ecs.describe_clusters(clusters=["prod"])["clusters"]
    definition = ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]["taskDefinitionArn"]
    target = {"Id": "1", "RoleArn": f"{running.ROLE}schedules", "EcsParameters": {"TaskDefinitionArn": definition}}
    for name, arn in (("report", cluster["clusterArn"]), ("others", cluster["clusterArn"].replace("prod", "other"))):
        events.put_rule(Name=name, ScheduleExpression="rate(1 day)")
        events.put_targets(Rule=name, Targets=[{**target, "Arn": arn}])
    notes = run("ecs_site_info", cluster="prod", services=["web"])["site"]["notes"]
    assert [note["place"] for note in notes if note["place"].startswith("rules.")] == ["rules.report"]


@BOTH
def test_services_are_chosen_by_name(run: RunModule, place: running.Place) -> None:
    read = run("ecs_site_info", cluster="prod", services=["web"])
    assert [one["name"] for one in read["site"]["services"]] == ["web"]
    assert read["site"]["name"] == "prod"
    for options in ({"cluster": "prod", "services": ["web", "wbe"]}, {"cluster": "production"}):
        assert run("ecs_site_info", **options)["code"] == "not_found"


@BOTH
@pytest.mark.witness("ecs_site_adoption")
def test_an_adoption_tags_what_it_names_once(run: RunModule, place: running.Place) -> None:
    options: Json = {
        "cluster": "prod",
        "project": "shop",
        "group": "backend",
        "services": ["api", "tagged", "new"],
        "scaled_services": ["api"],
        "target_groups": ["prod-api", "none"],
        "listener_arns": [place.listener],
        "rule_priorities": [10],
        "schedule_group": "jobs",
    }
    planned = run("ecs_site_adoption", check=True, **options)
    done = run("ecs_site_adoption", **options)
    again = run("ecs_site_adoption", **options)
    assert (planned["changed"], done["changed"], again["changed"]) == (True, True, False)
    assert done["resources"] == planned["resources"]
    own = {"slipway:project": "shop", "slipway:group": "backend"}
    kinds = (
        "service",
        "service",
        "task definition",
        "task definition",
        "target group",
        "listener rule",
        "schedule group",
    )
    assert [one["kind"] for one in done["resources"]] == list(kinds)
    after = [one["after"] for one in done["resources"]]
    assert after[0] == {**own, "slipway:scaling": "true"}
    assert after[1] == {**own, "team": "payments", "cost": "12"}
    assert after[4:6] == [{"slipway:project": "shop"}] * 2
    assert [one["before"] for one in again["resources"]] == after
    elb = boto3.client("elbv2")
    untouched = elb.describe_tags(ResourceArns=[place.targets["web"], place.balancer])["TagDescriptions"]
    assert [one["Tags"] for one in untouched] == [[], []]


@BOTH
def test_an_adoption_takes_nothing_of_others(run: RunModule, place: running.Place) -> None:
    options: Json = {"cluster": "prod", "services": ["api"], "target_groups": ["prod-api"]}
    assert run("ecs_site_adoption", project="bank", **options)["changed"]
    for check in (True, False):
        refused = run("ecs_site_adoption", check=check, project="shop", **options)
        assert (refused["code"], "of the project bank" in refused["msg"]) == ("conflict", True)
    rule: Json = {"listener_arns": [place.listener], "rule_priorities": [20]}
    assert run("ecs_site_adoption", project="bank", **options, **rule)["code"] == "conflict"
    # What has the project's tag already may forward nowhere, such as a redirect of the project.
    elb = boto3.client("elbv2")
    (there,) = (one for one in elb.describe_rules(ListenerArn=place.listener)["Rules"] if one["Priority"] == "20")
    elb.add_tags(ResourceArns=[there["RuleArn"]], Tags=[{"Key": "slipway:project", "Value": "bank"}])
    assert not run("ecs_site_adoption", project="bank", **options, **rule)["changed"]


@BOTH
def test_a_release_waits_for_the_adoption(run: RunModule, place: running.Place) -> None:
    web: Json = {"name": "web", "desired_count": 2, "tags": {"slipway:project": "shop"}}
    options: Json = {"cluster": "prod", "services": [web]}
    predicted = run("ecs_release", check=True, **options)
    assert predicted["services"]["web"]["diff"]["after"] == {"desired_count": 2}
    assert "Not adopted: service web." in str(predicted["warnings"])
    refused = run("ecs_release", **options)
    assert (refused["code"], refused["not_adopted"]) == ("not_adopted", ["service web"])
    run("ecs_site_adoption", cluster="prod", project="bank", services=["web"])
    for check in (True, False):
        assert run("ecs_release", check=check, **options)["code"] == "conflict"


# Pure


NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
HOME = Home("aws", "eu-central-1", "123456789012")
SERVICE: Json = {
    "serviceName": "web",
    "clusterArn": "arn:aws:ecs:eu-central-1:123456789012:cluster/prod",
    "serviceArn": "arn:aws:ecs:eu-central-1:123456789012:service/prod/web",
    "taskDefinition": "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:3",
    "desiredCount": 1,
    "launchType": "FARGATE",
    "loadBalancers": [
        {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123"}
    ],
}
KNOWN = service.Known(HOME, frozenset(SERVICE), frozenset(("containerDefinitions", "family")))


def test_secrets_in_plain_text_are_not_written_and_named() -> None:
    container = {
        "name": "app",
        "image": "app:1",
        "environment": [
            {"name": "DB_PASSWORD", "value": "seldom-seen"},
            {"name": "URL", "value": "redis://a:seldom-seen@b"},
        ],
        "command": ["run", "--token=seldom-seen", "{{ braces }}"],
    }
    item, notes = service.element(SERVICE, {"family": "web", "containerDefinitions": [container]}, KNOWN, Variables())
    assert "seldom-seen" not in str((item, notes))
    [written] = item["task_definition"]["containerDefinitions"]
    assert written["environment"][0]["value"] == {"__template__": "{{ imported_web_app_DB_PASSWORD }}"}
    assert written["command"][1] == {"__template__": "--token={{ imported_web_app___token }}"}
    assert written["command"][2] == "{{ braces }}"
    assert len(notes) == 3


def test_each_secret_has_a_variable_of_its_own() -> None:
    """Equal names for different values would swap them; the same value may have one variable."""
    hidden = Variables()
    names = [
        hidden.name(name, f"/containerDefinitions/app/environment/{variable}", value)
        for name, variable, value in (
            ("a-b", "A-TOKEN", "one"),
            ("a-b", "A_TOKEN", "two"),
            ("a_b", "A_TOKEN", "three"),
            ("a-b", "A_TOKEN", "two"),
            ("a-b", "TÖKEN", "four"),
        )
    ]
    base = "imported_a_b_app_A_TOKEN"
    assert names == [base, f"{base}_2", f"{base}_3", f"{base}_2", "imported_a_b_app_T_KEN"]


def test_secrets_are_hidden_wherever_they_stand() -> None:
    """A result would have a mask in their place, and a run would set it."""
    logs = {"logDriver": "splunk", "options": {"splunk-token": "seldom-seen"}}
    connect = {"enabled": True, "namespace": "a", "logConfiguration": logs}
    deployment = {"status": "PRIMARY", "serviceConnectConfiguration": connect}
    definition = {"family": "web", "containerDefinitions": []}
    item, notes = service.element({**SERVICE, "deployments": [deployment]}, definition, KNOWN, Variables())
    assert "splunk-token" in str(item["options"])
    given = {"name": "night", "service": "web", "environment": {"DB_PASSWORD": "seldom-seen"}}
    schedule, more = Variables().replaced(given, "schedule", "schedules")
    assert schedule["environment"]["DB_PASSWORD"] == {"__template__": "{{ imported_schedule_night_DB_PASSWORD }}"}
    assert "seldom-seen" not in str((item, schedule))
    assert [note.place.rpartition(".")[2] for note in (*notes, *more)] == ["splunk-token", "DB_PASSWORD"]


def test_what_botocore_does_not_know_is_noted() -> None:
    definition = {"family": "web", "containerDefinitions": [], "gravity": "low", "revision": 3, "status": "INACTIVE"}
    _item, notes = service.element({**SERVICE, "colour": "red", "events": []}, definition, KNOWN, Variables())
    places = [note.place for note in notes]
    assert "services.web.colour" in places
    assert "services.web.task_definition.gravity" in places
    assert "services.web.taskDefinition" in places
    assert not [place for place in places if "events" in place or "revision" in place]


def sample(shape: t.Any, name: str) -> t.Any:
    """A value of the shape that is nobody's default."""
    if shape.type_name == "structure":
        return {member: sample(inner, f"{name}-{member}") for member, inner in shape.members.items()}
    if shape.type_name == "list":
        return [sample(shape.member, name)]
    if shape.type_name == "map":
        return {"key": sample(shape.value, name)}
    plain = {"integer": 7, "long": 7, "double": 7.5, "float": 7.5, "boolean": True, "timestamp": NOW}
    return plain.get(shape.type_name) or (shape.enum[-1] if getattr(shape, "enum", None) else name)


def leaves(value: t.Any) -> t.Iterator[t.Any]:
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from leaves(inner)
    if not isinstance(value, dict | list):
        yield value


MODEL = boto3.client("ecs", region_name="eu-central-1").meta.service_model
SETTINGS = MODEL.operation_model("CreateService").input_shape.members
MEMBERS = MODEL.shape_for("Service").members

# Beside those of a service, what only its deployment or revision contains.
ALL = {**SETTINGS, **MEMBERS}


@pytest.mark.parametrize("member", sorted({*MEMBERS, *AT_THE_DEPLOYMENT, "monitoring"}))
def test_each_member_of_a_service_is_written_noted_or_read_only(member: str) -> None:
    known = KNOWN._replace(service_members=frozenset(SETTINGS))
    definition = {"family": "web", "containerDefinitions": []}
    value = sample(ALL[member], member) if member != "tags" else [{"key": "team", "value": "a"}]
    base = {name: SERVICE[name] for name in SERVICE if name != "loadBalancers"}
    item, notes = service.element({**base, member: value}, definition, known, Variables())
    if member in service.SERVICE_READ_ONLY:
        assert len(service.SERVICE_READ_ONLY[member]) > 10
        assert [note.place for note in notes if not note.place.endswith(f".{member}")] == []
    elif member != "taskDefinition":
        # Tags are names and values in the variables.
        written = [str(one) for one in (*leaves(item), *item["options"].get("tags", ()))]
        assert [one for one in leaves(value) if str(one) not in written] == []


def test_each_setting_of_a_service_is_in_an_answer_that_is_read() -> None:
    answered = {
        name for shape in ("Service", "Deployment", "ServiceRevision") for name in MODEL.shape_for(shape).members
    }
    of_request = {"clientToken", "cluster", "role"}
    assert set(SETTINGS) - answered - of_request == set()


def test_a_service_in_express_mode_is_noted() -> None:
    answer = {**SERVICE, "resourceManagementType": "ECS"}
    _item, notes = service.element(answer, {"family": "web", "containerDefinitions": []}, KNOWN, Variables())
    assert "services.web.resourceManagementType" in [note.place for note in notes]


TARGET: Json = {"MinCapacity": 1, "MaxCapacity": 8}


def policy(name: str, metric: str = "ECSServiceAverageCPUUtilization", **members: t.Any) -> Json:
    configuration = {"TargetValue": 60.0, "PredefinedMetricSpecification": {"PredefinedMetricType": metric}, **members}
    return {
        "PolicyName": name,
        "PolicyARN": f"arn:{name}",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration,
    }


def action(**members: t.Any) -> Json:
    return {
        "ScheduledActionName": "night",
        "Schedule": "cron(0 22 * * ? *)",
        "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": 0},
        **members,
    }


def test_scaling_under_any_name_is_expressed() -> None:
    memory = policy("mem", "ECSServiceAverageMemoryUtilization", TargetValue=70.5)
    found = Found(TARGET, [policy("my cpu policy"), memory], [action(Timezone="Asia/Seoul")], [])
    given, note = scaling.element(SERVICE, found)
    assert note is None
    assert given == {
        "min_capacity": 1,
        "max_capacity": 8,
        "cpu_utilization": 60,
        "memory_utilization": 70.5,
        "schedules": [
            {
                "name": "night",
                "schedule": "cron(0 22 * * ? *)",
                "timezone": "Asia/Seoul",
                "min_capacity": 0,
                "max_capacity": 0,
            }
        ],
    }
    assert scaling.element(SERVICE, Found(None, [], [], [])) == (None, None)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Found(TARGET, [{**policy("steps"), "PolicyType": "StepScaling"}], [], []), "of the type StepScaling"),
        (Found(TARGET, [policy("one"), policy("two")], [], []), "two policies follow ECSServiceAverageCPUUtilization"),
        (
            Found(TARGET, [policy("x", "EC2SpotFleetRequestAverageCPUUtilization")], [], []),
            "follows a metric other than",
        ),
        (Found(TARGET, [policy("cpu", DisableScaleIn=True)], [], []), "the policy cpu never stops tasks"),
        (
            Found(TARGET, [policy("a", ScaleInCooldown=60), policy("b", "ECSServiceAverageMemoryUtilization")], [], []),
            "its policies differ in ScaleInCooldown",
        ),
        (Found({**TARGET, "SuspendedState": {"DynamicScalingInSuspended": True}}, [], [], []), "it is suspended"),
        (Found(TARGET, [], [action(EndTime=datetime.datetime(2030, 1, 1))], []), "has a EndTime"),
        (
            Found(TARGET, [policy("cpu", CustomizedMetricSpecification={"MetricName": "Depth"})], [], []),
            "its policies differ from what Slipway would set",
        ),
    ],
)
def test_scaling_that_cannot_be_expressed_says_why(found: Found, reason: str) -> None:
    given, note = scaling.element(SERVICE, found)
    assert given is None
    assert note is not None
    assert reason in note.reason


SCHEDULE: Json = {
    "GroupName": "jobs",
    "Name": "night",
    "ScheduleExpression": "rate(1 day)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {
        "Arn": SERVICE["clusterArn"],
        "RoleArn": "arn:aws:iam::123456789012:role/schedules",
        "EcsParameters": {"TaskDefinitionArn": SERVICE["taskDefinition"], "LaunchType": "FARGATE"},
    },
}


def changed(answer: Json, **parameters: t.Any) -> Json:
    found = copy.deepcopy(answer)
    found["Target"]["EcsParameters"].update(parameters)
    return found


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (SCHEDULE, {}),
        (changed(SCHEDULE, TaskCount=2), {"count": 2}),
        (changed(SCHEDULE, LaunchType="EC2"), {"launch_type": "EC2"}),
        ({**SCHEDULE, "State": "DISABLED", "Description": "At night"}, {"enabled": False, "description": "At night"}),
    ],
)
def test_a_schedule_is_written_with_what_the_service_has_not(answer: Json, expected: Json) -> None:
    found = schedules.elements([answer], [SERVICE], NOW)
    assert found.items == [{"name": "night", "service": "web", "schedule": "rate(1 day)", **expected}]
    assert (found.group, found.notes) == ("jobs", [])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({**SCHEDULE, "GroupName": "default"}, "must be in its own group"),
        (
            changed(SCHEDULE, TaskDefinitionArn="arn:aws:ecs:eu-central-1:1:task-definition/batch:1"),
            "runs the family batch",
        ),
        (changed(SCHEDULE, TaskDefinitionArn=SERVICE["taskDefinition"][:-1] + "2"), "runs web:2, and the service web"),
        (changed(SCHEDULE, ReferenceId="x"), "would change its ReferenceId"),
        ({**SCHEDULE, "Target": {**SCHEDULE["Target"], "Input": "no object"}}, "its input is not a JSON object"),
        ({**SCHEDULE, "Target": {**SCHEDULE["Target"], "Input": "[1]"}}, "its input is not a JSON object"),
    ],
)
def test_a_schedule_that_cannot_be_expressed_says_why(answer: Json, reason: str) -> None:
    found = schedules.elements([answer], [SERVICE], NOW)
    assert found.items == []
    assert reason in found.notes[0].reason


def group(name: str, **members: t.Any) -> Json:
    settings = {"Protocol": "HTTP", "Port": 80, "TargetType": "ip", "Attributes": [], "LoadBalancerArns": ["lb"]}
    return {"TargetGroupArn": f"arn:{name}", "TargetGroupName": name, **settings, **members}


def rule(priority: int, to: str, field: str = "path-pattern", **members: t.Any) -> Json:
    condition = {"Field": field, "Values": ["/x/*"]}
    action = {"Type": "forward", "TargetGroupArn": f"arn:{to}"}
    return {"Priority": str(priority), "Conditions": [condition], "Actions": [action], **members}


def balancers(**listeners: list[Json]) -> list[Json]:
    return [
        {
            "LoadBalancerArn": "lb",
            "Listeners": [{"ListenerArn": name, "Rules": some} for name, some in listeners.items()],
        }
    ]


def test_rules_on_two_listeners_are_one_target_group() -> None:
    both = [rule(5, "web")]
    answers = balancing.Answers([group("web")], balancers(http=both, https=both, other=[]))
    found = balancing.elements(answers)
    assert found.variables["ecs_load_balancer_listener_arns"] == ["http", "https"]
    assert "ecs_load_balancer_redirect_http" not in found.variables
    for listener in answers.balancers[0]["Listeners"]:
        listener["Protocol"] = "HTTP" if listener["ListenerArn"] == "http" else "HTTPS"
    # Both forward, and the first plan is empty.
    assert balancing.elements(answers).variables["ecs_load_balancer_redirect_http"] is False
    [written] = found.variables["ecs_load_balancer_target_groups"]
    assert (written["name"], written["priority"], written["paths"]) == ("web", 5, ["/x/*"])
    assert (found.names, found.notes) == ({"arn:web": "web"}, [])


SOURCE: Json = {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24"]}}
REGEX: Json = {"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^a[0-9]+[.]shop[.]example$"]}}
LOGIN: Json = {
    "Type": "authenticate-cognito",
    "Order": 1,
    "AuthenticateCognitoConfig": {"UserPoolArn": "arn:pool", "UserPoolClientId": "1", "UserPoolDomain": "shop"},
}
FORWARD: Json = {"Type": "forward", "TargetGroupArn": "arn:web", "Order": 2}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rule(1, "web", Conditions=[SOURCE]), {"conditions": [SOURCE]}),
        (rule(1, "web", Conditions=[REGEX]), {"conditions": [REGEX]}),
        (rule(1, "web", Transforms=[running.REWRITE]), {"paths": ["/x/*"], "transforms": [running.REWRITE]}),
        (
            rule(1, "web", Actions=[FORWARD, LOGIN]),
            {"paths": ["/x/*"], "actions": [{key: LOGIN[key] for key in LOGIN if key != "Order"}]},
        ),
    ],
    ids=["source", "regex", "transform", "login"],
)
def test_a_rule_is_written_with_all_that_it_has(given: Json, expected: Json) -> None:
    found = balancing.elements(balancing.Answers([group("web")], balancers(http=[given])))
    [written] = found.variables["ecs_load_balancer_target_groups"]
    members = ("hosts", "paths", "conditions", "actions", "transforms")
    assert {name: written[name] for name in members if name in written} == expected
    assert (written["priority"], found.notes) == (1, [])


def test_rules_that_forward_to_no_target_group_of_a_service_are_those_of_others() -> None:
    redirect = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTPS"}}
    default = {**rule(0, "other"), "Priority": "default", "IsDefault": True, "Conditions": []}
    rules = [rule(1, "web"), rule(2, "", Actions=[redirect]), rule(3, "other"), default]
    found = balancing.elements(balancing.Answers([group("web")], balancers(http=rules)))
    assert [one["priority"] for one in found.variables["ecs_load_balancer_target_groups"]] == [1]
    assert ("ecs_load_balancer_rules" in found.variables, found.notes) == (False, [])


def test_further_rules_of_a_target_group_are_rules_of_their_own() -> None:
    both = [rule(7, "web", "host-header", Conditions=[SOURCE]), rule(2, "web")]
    found = balancing.elements(balancing.Answers([group("web")], balancers(http=both, https=both)))
    [written] = found.variables["ecs_load_balancer_target_groups"]
    further = [{"target_group": "web", "priority": 7, "conditions": [SOURCE]}]
    assert (written["priority"], found.variables["ecs_load_balancer_rules"]) == (2, further)


def attributes(**given: str) -> list[Json]:
    return [{"Key": name.replace("__", "."), "Value": value} for name, value in given.items()]


def test_attributes_are_written_where_they_are_not_the_default_or_noted() -> None:
    some = attributes(
        deregistration_delay__timeout_seconds="5",
        slow_start__duration_seconds="60",
        stickiness__enabled="false",
        gravity__enabled="true",
        preserve_client_ip__enabled="true",
    )
    found = balancing.elements(
        balancing.Answers([group("web", Attributes=some, TargetControlPort=3000)], balancers(http=[rule(1, "web")]))
    )
    [written] = found.variables["ecs_load_balancer_target_groups"]
    assert (written["attributes"], written["deregistration_delay"]) == ({"slow_start.duration_seconds": "60"}, 5)
    places = ["attributes.gravity.enabled", "attributes.preserve_client_ip.enabled", "TargetControlPort"]
    assert [note.place for note in found.notes] == [f"target_groups.web.{place}" for place in places]


SEVERAL: Json = {
    "Type": "forward",
    "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "arn:web", "Weight": 1}, {"TargetGroupArn": "arn:b"}]},
}
STICKY: Json = {
    "Type": "forward",
    "ForwardConfig": {
        "TargetGroups": [{"TargetGroupArn": "arn:web", "Weight": 1}],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
    },
}


@pytest.mark.parametrize(
    ("groups", "rules", "reason"),
    [
        (group("web"), [rule(1, "web", "moon-phase")], "conditions[0].Field: expected one of host-header"),
        (group("web"), [rule(1, "web", Actions=[{**LOGIN, "Type": "knock"}, FORWARD])], "got knock)"),
        (group("web"), [rule(1, "web", Actions=[SEVERAL])], "the rule 1 forwards to several target groups"),
        (group("web"), [rule(1, "web", Actions=[STICKY])], "the rule 1 uses stickiness"),
        (group("web", Protocol="TCP"), [rule(1, "web")], "its protocol is TCP"),
        (group("web", LoadBalancerArns=[]), [], "no load balancer uses it"),
        (group("web", LoadBalancerArns=["other"]), [], "behind another load balancer"),
        (group("web"), [rule(1, "web", Transforms=[{"Type": "mirror"}])], "got mirror)"),
    ],
)
def test_target_groups_that_cannot_be_expressed_are_left_to_others(
    groups: Json, rules: list[Json], reason: str
) -> None:
    found = balancing.elements(balancing.Answers([groups], balancers(http=rules)))
    assert found.variables["ecs_load_balancer_target_groups"] == []
    assert found.names == {}
    assert reason in found.notes[0].reason


def test_rules_that_differ_between_listeners_are_left_to_others() -> None:
    rules = balancers(http=[rule(1, "web"), rule(2, "api")], https=[rule(3, "web")])
    found = balancing.elements(balancing.Answers([group("web"), group("api")], rules))
    assert [one["name"] for one in found.variables["ecs_load_balancer_target_groups"]] == ["api"]
    assert "its rules are not exactly on the project's listeners" in found.notes[0].reason


def test_a_target_group_with_the_name_of_an_alternate_one_is_left_to_others() -> None:
    """The role would forward requests of the first one to it, too."""
    rules = balancers(http=[rule(1, "web"), rule(2, "web-2")])
    found = balancing.elements(balancing.Answers([group("web"), group("web-2")], rules))
    assert list(found.names.values()) == ["web"]
    assert "alternate target group of web" in found.notes[0].reason
