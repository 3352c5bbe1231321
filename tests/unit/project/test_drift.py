# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drift of a project: what the records of its last runs say against what exists now."""

from __future__ import annotations

import copy
import datetime
import json
import typing as t
from xml.etree import ElementTree

import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core.history import Record, encoded
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Connection
from ansible_collections.slipway.aws.plugins.module_utils._project import state
from ansible_collections.slipway.aws.plugins.module_utils._project.drift import events, flow, model
from ansible_collections.slipway.aws.plugins.plugin_utils.drift import junit, listing

Json = dict[str, t.Any]
SERVICE: Json = {
    "serviceName": "web",
    "status": "ACTIVE",
    "desiredCount": 2,
    "runningCount": 2,
    "pendingCount": 0,
    "taskDefinition": "arn:aws:ecs:eu-central-1:1:task-definition/web:1",
    "events": [],
    "deployments": [
        {
            "id": "ecs-svc/1",
            "status": "PRIMARY",
            "taskDefinition": "arn:aws:ecs:eu-central-1:1:task-definition/web:1",
            "platformVersion": "1.4.0",
            "desiredCount": 2,
            "runningCount": 2,
            "rolloutState": "COMPLETED",
        }
    ],
}


def resource(kind: str, identity: str, role: str, details: Json, **tags: str) -> Json:
    return {
        "kind": kind,
        "tag": model.ROLE_TAGS[role],
        "role": role,
        "id": identity,
        "name": tags.get("Name", identity.rpartition("/")[2]),
        "arn": f"arn:{identity}",
        "tags": {"slipway:project": "shop", **tags},
        "holds": "",
        "uses": [],
        "details": details,
    }


def project() -> list[Json]:
    """A VPC, a security group, a repository and a service."""
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
    return [
        resource("service", "arn:aws:ecs:eu-central-1:1:service/shop/web", "ecs_app", copy.deepcopy(SERVICE)),
        resource("repository", "shop/web", "ecr_registry", {"repositoryName": "shop/web", "images": [image("1")]}),
        resource("security group", "sg-1", "ecs_network", {"GroupName": "web", "IpPermissions": [rule]}),
        resource("VPC", "vpc-1", "ecs_network", {"CidrBlock": "10.0.0.0/16", "Tags": pairs()}, Name="shop", team="web"),
    ]


def image(number: str) -> Json:
    return {"imageDigest": f"sha256:{number}", "imageTags": [f"1.{number}"]}


def pairs() -> list[Json]:
    return [{"Key": "slipway:project", "Value": "shop"}, {"Key": "team", "Value": "web"}]


def records(resources: list[Json]) -> dict[str, Json]:
    """The records of a run that ended with these resources, as they come from the account."""
    found = {
        key: {
            "role": key.partition("/")[0],
            "at": "2026-11-29T12:00:00Z",
            "by": "arn:aws:iam::1:user/ci",
            "collection": "0.2.0",
            "proven": True,
            "state": states,
        }
        for key, states in state.by_role(resources).items()
    }
    return t.cast("dict[str, Json]", json.loads(json.dumps(found)))


def drift(actual: list[Json], recorded: dict[str, Json] | None = None, **more: t.Any) -> Json:
    read = {"resources": actual, "unknown": more.get("unknown", [])}
    recorded = records(project()) if recorded is None else recorded
    return model.drift(recorded, more.get("problems", {}), model.live(read))


def by_kind(actual: list[Json], kind: str) -> Json:
    return next(one for one in actual if one["kind"] == kind)


def test_what_is_as_recorded_is_no_drift() -> None:
    found = drift(project())
    assert (found["result"], found["resources"], found["unknown"]) == ("none", [], [])
    assert sorted(found["unchanged"]) == [
        "VPC vpc-1",
        "images shop/web",
        "repository shop/web",
        "security group sg-1",
        "service arn:aws:ecs:eu-central-1:1:service/shop/web",
    ]


def members(found: Json) -> list[tuple[str, list[tuple[str, t.Any, t.Any]]]]:
    return [
        (one["kind"], [(each["member"], each["recorded"], each["actual"]) for each in one["members"]])
        for one in found["resources"]
    ]


def test_a_member_that_differs_is_named_with_its_resource() -> None:
    actual = project()
    by_kind(actual, "VPC")["details"]["CidrBlock"] = "10.1.0.0/16"
    by_kind(actual, "security group")["details"]["IpPermissions"][0]["IpRanges"].append({"CidrIp": "0.0.0.0/0"})
    found = drift(actual)
    assert found["result"] == "drift"
    assert members(found) == [
        ("security group", [("IpPermissions[tcp/80/80].IpRanges[0.0.0.0/0]", None, {"CidrIp": "0.0.0.0/0"})]),
        ("VPC", [("CidrBlock", "10.0.0.0/16", "10.1.0.0/16")]),
    ]
    first = found["resources"][1]
    assert (first["name"], first["role"], first["tag"], first["drift"]) == ("shop", "ecs_network", "network", "changed")
    assert (first["recorded_at"], first["recorded_by"]) == ("2026-11-29T12:00:00Z", "arn:aws:iam::1:user/ci")
    assert first["remedy"] == "Rerun site.yml --tags network."


def test_a_tag_is_named_once() -> None:
    actual = project()
    vpc = by_kind(actual, "VPC")
    vpc["tags"]["team"] = vpc["details"]["Tags"][1]["Value"] = "shop"
    assert members(drift(actual)) == [("VPC", [("tags.team", "web", "shop")])]


def test_a_new_task_definition_is_named_once_and_a_member_of_deployments_alone_too() -> None:
    actual = project()
    service = by_kind(actual, "service")["details"]
    for one in (service, service["deployments"][0]):
        one["taskDefinition"] = one["taskDefinition"].replace(":1", ":2")
    service["deployments"][0]["platformVersion"] = "1.3.0"
    [(_kind, found)] = members(drift(actual))
    assert [member for member, _recorded, _actual in found] == [
        "deployments[PRIMARY].platformVersion",
        "taskDefinition",
    ]


def test_volatile_members_are_no_drift() -> None:
    """A task restarts: counts, events, deployments and the stability of the service follow."""
    actual = project()
    service = by_kind(actual, "service")["details"]
    service |= {
        "runningCount": 1,
        "pendingCount": 1,
        "events": [{"message": "started 1 task"}],
        "tasks": [{"taskArn": "t"}],
    }
    service["deployments"][0] |= {"runningCount": 1, "failedTasks": 1, "updatedAt": "now"}
    service["deployments"].append({"id": "2", "status": "ACTIVE", "taskDefinition": "other"})
    assert drift(actual)["result"] == "none"


def test_the_count_of_a_scaled_service_is_no_drift_and_its_limits_are() -> None:
    before, after = project(), project()
    for one, most in ((before, 4), (after, 8)):
        by_kind(one, "service")["details"]["scalableTarget"] = {"MinCapacity": 1, "MaxCapacity": most}
    by_kind(after, "service")["details"]["desiredCount"] = 3
    found = drift(after, records(before))
    assert members(found) == [("service", [("scalableTarget.MaxCapacity", 4, 8)])]


def test_a_count_that_nothing_scales_is_drift() -> None:
    actual = project()
    by_kind(actual, "service")["details"]["desiredCount"] = 3
    assert members(drift(actual)) == [("service", [("desiredCount", 2, 3)])]


def test_what_is_missing_and_what_is_in_no_record_is_listed() -> None:
    new = resource("subnet", "subnet-9", "ecs_network", {"CidrBlock": "10.0.9.0/24"}, Name="by-hand")
    actual = [one for one in project() if one["kind"] != "security group"] + [new]
    found = drift(actual)
    assert [(one["drift"], one["kind"], one["id"], one["name"]) for one in found["resources"]] == [
        ("missing", "security group", "sg-1", "web"),
        ("unrecorded", "subnet", "subnet-9", "by-hand"),
    ]


def test_an_image_that_someone_pushed_or_tagged_is_named() -> None:
    actual = project()
    by_kind(actual, "repository")["details"]["images"] = [{**image("1"), "imageTags": ["1.1", "latest"]}, image("2")]
    [(kind, found)] = members(drift(actual))
    assert kind == "images"
    assert [member for member, _recorded, _actual in found] == ["images[sha256:1].imageTags", "images[sha256:2]"]


UNKNOWN = {
    "kind": "security group",
    "tag": "network",
    "role": "ecs_network",
    "action": "ec2:DescribeSecurityGroups",
    "code": "access_denied",
    "message": "Denied.",
}


def test_what_cannot_be_read_is_unknown_and_not_missing() -> None:
    actual = [one for one in project() if one["kind"] != "security group"]
    found = drift(actual, unknown=[UNKNOWN])
    assert (found["result"], found["resources"], found["unknown"]) == ("incomplete", [], [UNKNOWN])


def test_a_part_that_cannot_be_read_is_not_compared_and_the_rest_is() -> None:
    actual = project()
    del by_kind(actual, "security group")["details"]["IpPermissions"]
    by_kind(actual, "security group")["details"]["GroupName"] = "other"
    found = drift(actual, unknown=[UNKNOWN])
    assert members(found) == [("security group", [("GroupName", "web", "other")])]
    assert found["result"] == "incomplete"


@pytest.mark.parametrize("problems", [{}, {"ecs_network": "its record is damaged"}])
def test_a_role_without_a_record_is_unknown_and_its_resources_are_not_listed(problems: dict[str, str]) -> None:
    recorded = records(project())
    del recorded["ecs_network"]
    found = drift(project(), recorded, problems=problems)
    assert (found["result"], found["resources"]) == ("incomplete", [])
    [unknown] = found["unknown"]
    assert (unknown["kind"], unknown["role"], unknown["tag"]) == ("record", "ecs_network", "network")
    assert problems.get("ecs_network", "it has no record") in unknown["message"]


def test_the_newest_record_of_a_resource_counts() -> None:
    recorded = records(project())
    older = copy.deepcopy(recorded["ecs_network"]) | {"at": "2026-11-01T12:00:00Z", "role": "ecs_cluster"}
    older["state"]["VPC vpc-1"]["CidrBlock"] = "10.9.0.0/16"
    assert drift(project(), {"ecs_cluster": older, **recorded})["result"] == "none"


# Who and when


def event(name: str, hour: int, read_only: str = "false") -> Json:
    moment = datetime.datetime(2026, 11, 29, hour, tzinfo=datetime.UTC)
    return {"EventName": name, "EventTime": moment, "Username": "alice", "ReadOnly": read_only}


def test_the_newest_writes_of_a_resource_are_kept() -> None:
    some = [event(f"Modify{hour}", hour) for hour in range(5)]
    found = events.changes([event("DescribeVpcs", 9), event("Lookup", 8, "true"), *some])
    assert [one["event"] for one in found] == ["Modify4", "Modify3", "Modify2"]
    assert found[0] == {"at": "2026-11-29T04:00:00Z", "by": "alice", "event": "Modify4"}


@pytest.mark.parametrize("text", ["2026-11-29T12:00:00Z", "2026-11-29T12:00:00+00:00", "2026-11-29T12:00:00"])
def test_events_count_from_the_record_on(text: str) -> None:
    assert events.start(text) == datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)
    assert events.start(None) is None


class CloudTrail:
    """Knows the events of one name, and notes what it is asked."""

    def __init__(self, name: str, error: str = "") -> None:
        self.name = name
        self.error = error
        self.requests: list[Json] = []

    def lookup_events(self, **request: t.Any) -> Json:
        self.requests.append(request)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "LookupEvents")
        known = request["LookupAttributes"][0]["AttributeValue"] == self.name
        return {"Events": [event("UpdateService", 13)] if known else []}


def with_events(cloudtrail: CloudTrail, *changed: str) -> tuple[list[Json], list[str]]:
    actual = project()
    for kind in changed:
        by_kind(actual, kind)["details"]["Description"] = "by hand"
    resources = drift(actual)["resources"]
    connection = Connection(lambda *_service: cloudtrail, {}, check_mode=False)
    return resources, flow.add_events(connection, resources, model.live({"resources": actual, "unknown": []}))


@pytest.mark.parametrize("name", ["sg-1", "arn:sg-1"])
def test_events_are_found_by_id_or_arn(name: str) -> None:
    cloudtrail = CloudTrail(name)
    [resource], notes = with_events(cloudtrail, "security group")
    assert (resource["events"], notes) == (
        [{"at": "2026-11-29T13:00:00Z", "by": "alice", "event": "UpdateService"}],
        [],
    )
    assert {str(request["StartTime"]) for request in cloudtrail.requests} == {"2026-11-29 12:00:00+00:00"}


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidAction"])
def test_that_events_cannot_be_read_is_said_once(code: str) -> None:
    cloudtrail = CloudTrail("sg-1", code)
    resources, notes = with_events(cloudtrail, "security group", "VPC")
    assert [one["events"] for one in resources] == [[], []]
    assert len(cloudtrail.requests) == len(notes) == 1
    assert notes[0].startswith("Who changed the resources is unknown, because CloudTrail cannot be read: ")


def test_without_drift_no_events_are_read() -> None:
    cloudtrail = CloudTrail("sg-1")
    assert with_events(cloudtrail) == ([], [])
    assert cloudtrail.requests == []


# Services that were rolled back


class Parameters:
    """The history, of which each release has the service `web`: (action, outcome) by when it started."""

    def __init__(self, releases: dict[str, tuple[str, str]], error: str = "") -> None:
        self.error = error
        self.reads = 0
        services = {"web": {"state": "updated", "before": {}, "after": {}}}
        self.stored = [
            {
                "Name": f"/slipway/shop/release/{number}",
                "Value": encoded(
                    Record(
                        id="r",
                        run="r",
                        action=action,
                        outcome=outcome,
                        started=started,
                        cluster="shop",
                        services=services,
                    )
                )[0],
                "LastModifiedDate": datetime.datetime(2026, 11, 30, tzinfo=datetime.UTC),
            }
            for number, (started, (action, outcome)) in enumerate(releases.items(), 1)
        ]

    def get_paginator(self, _operation: str) -> Parameters:
        return self

    def paginate(self, **_request: t.Any) -> list[Json]:
        self.reads += 1
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "GetParametersByPath")
        return [{"Parameters": self.stored, "ResponseMetadata": {}}]


def rolled_back(parameters: Parameters, **members: t.Any) -> tuple[Json, list[str]]:
    """The drift of a service of which these members differ."""
    actual = project()
    by_kind(actual, "service")["details"].update(members)
    [found] = drift(actual)["resources"]
    connection = Connection(lambda *_service: parameters, {"project": "shop"}, check_mode=False)
    return found, flow.add_rollbacks(connection, [found])


BEFORE, SOON, LATER = "2026-11-29T11:00:00Z", "2026-11-29T13:00:00Z", "2026-11-29T14:00:00Z"
OTHER: Json = {"taskDefinition": "arn:aws:ecs:eu-central-1:1:task-definition/web:0"}
BACK = ("rollback", "succeeded")


@pytest.mark.parametrize(
    ("releases", "number"),
    [
        ({BEFORE: ("release", "succeeded"), SOON: BACK}, 2),
        ({SOON: BACK, LATER: ("release", "rolled_back")}, 1),
        ({SOON: BACK, LATER: ("release", "succeeded")}, None),
        ({SOON: ("rollback", "failed")}, None),
        # The site has converged since.
        ({BEFORE: BACK}, None),
        ({}, None),
    ],
    ids=["rolled back", "failed since", "released since", "failed", "before the record", "no history"],
)
def test_a_service_that_was_rolled_back_is_not_to_be_released_again(
    releases: dict[str, tuple[str, str]], number: int | None
) -> None:
    found, notes = rolled_back(Parameters(releases), **OTHER)
    assert (found["rolled_back_by"], notes) == (number, [])
    if number is None:
        assert found["remedy"] == "Rerun site.yml --tags service."
    else:
        assert found["remedy"].startswith(f"Release {number} has rolled it back. To keep this, first set variables")
        assert "site.yml --tags service releases again what was rolled back." in found["remedy"]
        assert found["remedy"] in "\n".join(line.text for line in listing(whole(drifted_service(found))))


def drifted_service(found: Json) -> Json:
    return {**drift(project()), "resources": [found]}


def test_the_history_is_read_only_if_a_service_runs_another_revision() -> None:
    parameters = Parameters({SOON: BACK})
    found, notes = rolled_back(parameters, desiredCount=3)
    assert (found["rolled_back_by"], notes, parameters.reads) == (None, [], 0)


def test_a_history_that_cannot_be_read_is_said() -> None:
    found, notes = rolled_back(Parameters({}, "AccessDeniedException"), **OTHER)
    assert found["remedy"] == "Rerun site.yml --tags service."
    assert notes[0].startswith("Whether services were rolled back is unknown, because the history cannot be read: ")


# What people and programs read


def whole(found: Json) -> Json:
    about = {"project": "shop", "region": "eu-central-1", "account": "000000000000", "notes": []}
    return {**about, **found}


def drifted() -> Json:
    new = resource("subnet", "subnet-9", "ecs_network", {"CidrBlock": "10.0.9.0/24"}, Name="by-hand")
    actual = [one for one in project() if one["kind"] != "repository"] + [new]
    by_kind(actual, "service")["details"]["desiredCount"] = 3
    found = whole(drift(actual, unknown=[{**UNKNOWN, "kind": "bucket"}]))
    service = next(one for one in found["resources"] if one["kind"] == "service")
    service["events"] = [{"at": "2026-11-29T12:30:00Z", "by": "alice", "event": "UpdateService"}]
    return found


def test_the_list_says_what_differs_who_did_it_and_what_to_do() -> None:
    text = "\n".join(line.text for line in listing(drifted()))
    assert "4 resources with drift, 2 without; incomplete: 1 part unknown." in text
    assert "  service web\n    desiredCount: 2 → 3\n" in text
    assert "    UpdateService by alice, 2026-11-29T12:30:00Z\n    Rerun site.yml --tags service.\n" in text
    assert "MISSING since the last run: site.yml creates it\n  images shop/web\n" in text
    assert "NOT IN THE RECORD, but with the project's tag\n  subnet by-hand (subnet-9)\n" in text
    assert "bucket: requires ec2:DescribeSecurityGroups, Denied." in text


def test_no_drift_is_three_lines() -> None:
    lines = [line.text for line in listing(whole(drift(project())))]
    assert lines == [
        "shop in eu-central-1, account 000000000000",
        "0 resources with drift, 5 without.",
        "Compared with 4 records of 2026-11-29T12:00:00Z.",
    ]


def test_the_report_for_ci_has_a_test_for_each_resource() -> None:
    root = ElementTree.fromstring(junit(drifted()))
    cases = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert cases == {
        "VPC vpc-1": [],
        "security group sg-1": [],
        "service arn:aws:ecs:eu-central-1:1:service/shop/web": ["failure"],
        "images shop/web": ["failure"],
        "repository shop/web": ["failure"],
        "subnet subnet-9": ["failure"],
        "bucket ecs_network": ["error"],
    }
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "7",
        "failures": "4",
        "errors": "1",
    }
    assert "desiredCount: 2 → 3" in "".join(root.itertext())


def definition(revision: int, secret: str) -> Json:
    environment = [{"name": "DB_PASSWORD", "value": secret}, {"name": "DEBUG", "value": str(revision)}]
    container = {"name": "web", "environment": environment, "command": [f"--token={secret}"]}
    return resource("task definition", "web", "ecs_app", {"revision": revision, "containerDefinitions": [container]})


def test_no_secret_is_shown_or_recorded() -> None:
    recorded = records([definition(1, "hunter2")])
    found = whole(drift([definition(2, "hunter3")], recorded))
    text = "\n".join(line.text for line in listing(found)) + junit(found) + json.dumps([found, recorded])
    assert members(found) == [
        ("task definition", [("containerDefinitions[web].environment[DEBUG].value", "1", "2"), ("revision", 1, 2)])
    ]
    assert "hunter" not in text


def test_an_element_with_a_secret_is_listed_without_it() -> None:
    before, after = definition(1, "hunter2"), definition(1, "hunter2")
    del before["details"]["containerDefinitions"][0]["environment"][0]
    found = whole(drift([after], records([before])))
    [(_kind, [(member, recorded, actual)])] = members(found)
    assert (member, recorded) == ("containerDefinitions[web].environment[DB_PASSWORD]", None)
    assert actual == {"name": "DB_PASSWORD", "value": "********"}
    assert found["resources"][0]["members"][0]["masked"]


def test_a_control_character_does_not_break_the_report() -> None:
    actual = project()
    by_kind(actual, "security group")["details"]["Description"] = "bell \x07 & <tag>"
    ElementTree.fromstring(junit(whole(drift(actual))))
