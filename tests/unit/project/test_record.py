# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of converged roles: proven or not, whole or torn, written, read and deleted."""

from __future__ import annotations

import copy
import typing as t

import boto3
import botocore.client
import pytest
from ansible.module_utils.common import warnings
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._project.record import model
from ansible_collections.slipway.aws.plugins.module_utils._project.state import digest

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]

SCOPE = model.Scope("ecs", "123456789012", "eu-central-1", "")
KNOWN = {"collection": "0.2.0", "at": "2026-01-02T03:04:05Z", "by": "arn:aws:iam::123456789012:user/one"}
LIVE = {"cluster ecs": {"clusterName": "ecs"}}
RUN = model.Run("ecs_cluster", "", {"variables": "1"}, {"name": "ecs"}, digest(LIVE))
# More than one chunk holds.
LARGE = {f"cluster {number}": {"arn": digest(number)} for number in range(200)}


@pytest.fixture(autouse=True)
def no_warnings_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warnings, "_global_warnings", {})


def stored(live: Json | None = None, **members: t.Any) -> dict[str, str]:
    """The parameters of a record."""
    record = {**model.new(RUN, SCOPE, live or LIVE, KNOWN), **members}
    folder = f"/slipway/ecs/record/{model.folder_of(record['role'], record['group'])}"
    return {f"{folder}/{number}": value for number, value in enumerate(model.chunks(record))}


def test_a_role_that_changed_nothing_is_proven() -> None:
    assert model.why_unproven(RUN, LIVE) == ""
    assert model.new(RUN, SCOPE, LIVE, KNOWN)["proven"]


@pytest.mark.parametrize(
    ("run", "live"),
    [
        (RUN._replace(before=digest({})), LIVE),
        (RUN, {"cluster ecs": {"clusterName": "ecs", "settings": []}}),
        (RUN._replace(unproven="obsolete resources were found"), LIVE),
        (RUN._replace(before=digest({"service web": {"stable": False}})), {"service web": {"stable": False}}),
    ],
)
def test_a_role_whose_site_changed_meanwhile_is_not(run: model.Run, live: Json) -> None:
    record = model.new(run, SCOPE, live, KNOWN)
    assert not record["proven"]
    assert record["unproven"]
    # Variables with a secret are a reason: it could be guessed from their digest.
    assert RUN.inputs["variables"] not in record["inputs"].values()


def test_a_large_record_is_read_as_it_was_written() -> None:
    parameters = stored(LARGE)
    assert len(parameters) > 1
    assert max(map(len, parameters.values())) <= 4096
    assert model.read(parameters, SCOPE).records == {"ecs_cluster": model.new(RUN, SCOPE, LARGE, KNOWN)}


def test_groups_of_services_have_records_of_their_own() -> None:
    shop = stored(role="ecs_app", group="shop & more")
    assert all(name.replace("/", "").replace(".", "").replace("_", "").isalnum() for name in shop)
    found = model.read({**shop, **stored(role="ecs_app", group="")}, SCOPE)
    assert set(found.records) == {"ecs_app", "ecs_app/shop & more"}


@pytest.mark.parametrize("lost", range(3))
def test_a_record_without_one_of_its_chunks_is_none(lost: int) -> None:
    parameters = stored(LARGE)
    del parameters[f"/slipway/ecs/record/ecs_cluster/{lost}"]
    found = model.read(parameters, SCOPE)
    assert (found.records, list(found.problems)) == ({}, ["ecs_cluster"])


def test_chunks_of_two_writers_never_form_a_record() -> None:
    one, other = stored(LARGE), stored({**LARGE, "cluster new": {}})
    for mixed in (dict([*one.items(), next(iter(other.items()))]), dict([*other.items(), list(one.items())[1]])):
        assert model.read(mixed, SCOPE).records == {}


@pytest.mark.parametrize("at", [0, 20, 100, 2000, -1])
def test_a_damaged_record_is_none(at: int) -> None:
    parameters = stored(LARGE)
    name = next(iter(parameters))
    text = list(parameters[name])
    text[at] = "A" if text[at] != "A" else "B"
    assert model.read({**parameters, name: "".join(text)}, SCOPE).records == {}


@pytest.mark.parametrize("text", ["", "x", "slipway 1 x 0/1 y", "slipway 1 " + "0" * 64 + " 0/99999999 x"])
def test_what_is_no_record_is_recognised(text: str) -> None:
    found = model.read({"/slipway/ecs/record/ecs_cluster/0": text}, SCOPE)
    assert (found.records, list(found.problems)) == ({}, ["ecs_cluster"])


def test_a_record_of_another_version_is_recognised() -> None:
    parameters = {name: value.replace("slipway 1 ", "slipway 2 ") for name, value in stored().items()}
    assert "version 2" in model.read(parameters, SCOPE).problems["ecs_cluster"]


@pytest.mark.parametrize(
    ("member", "value"),
    [("account", "210987654321"), ("region", "us-east-1"), ("endpoint", "http://127.0.0.1:4566"), ("project", "shop")],
)
def test_a_record_of_elsewhere_does_not_count(member: str, value: str) -> None:
    found = model.read(stored(**{member: value}), SCOPE)
    assert found.records == {}
    assert member in found.problems["ecs_cluster"]


def test_a_record_under_the_name_of_another_role_does_not_count() -> None:
    moved = {name.replace("ecs_cluster", "ecs_network"): value for name, value in stored().items()}
    assert model.read(moved, SCOPE).records == {}


def test_a_record_without_a_member_does_not_count() -> None:
    record = model.new(RUN, SCOPE, LIVE, KNOWN)
    for name in (*model.SCOPE, *model.MEMBERS):
        torn = copy.deepcopy(record)
        del torn[name]
        values = {f"/slipway/ecs/record/ecs_cluster/{n}": value for n, value in enumerate(model.chunks(torn))}
        assert model.read(values, SCOPE).records == {}


# On emulators

ministack = pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
TAGS = [{"key": "slipway:project", "value": "ecs"}]


def given(run: RunModule, **members: t.Any) -> Json:
    """A role that ran in full, as the action plugin describes it."""
    before = run("project_record_info", project="ecs")["states"].get("ecs_cluster", {"digest": digest({})})["digest"]
    role = {"role": "ecs_cluster", "inputs": {"variables": "1"}, "result": {"name": "ecs"}, "before": before}
    return {**role, **members}


@pytest.mark.witness("project_record", "project_record_info")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_a_record_is_written_read_compared_and_deleted(run: RunModule, emulator: str) -> None:
    ecs, ssm = boto3.client("ecs"), boto3.client("ssm")
    ecs.create_cluster(clusterName="ecs", tags=TAGS)
    written = run("project_record", project="ecs", roles=[given(run)], collection="0.2.0", tags={"team": "web"})
    assert (written["changed"], written["records"]) == (False, {"ecs_cluster": ""})
    [name] = [one["Name"] for one in ssm.describe_parameters()["Parameters"]]
    assert ssm.get_parameter(Name=name)["Parameter"]["Type"] == "SecureString"
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    assert sorted((tag["Key"], tag["Value"]) for tag in tags) == [("slipway:project", "ecs"), ("team", "web")]
    found = run("project_record_info", project="ecs")
    record = found["records"]["ecs_cluster"]
    assert (record["proven"], record["result"], record["differences"]) == (True, {"name": "ecs"}, [])
    # It is no resource of the site.
    assert [one["kind"] for one in run("project_info", project="ecs", details=True)["resources"]] == ["cluster"]
    ecs.put_cluster_capacity_providers(cluster="ecs", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=[])
    [different] = run("project_record_info", project="ecs")["records"]["ecs_cluster"]["differences"]
    assert different.startswith("cluster arn:")
    run("project_record", project="ecs", state="absent", check=True)
    assert ssm.describe_parameters()["Parameters"]
    run("project_record", project="ecs", state="absent")
    assert ssm.describe_parameters()["Parameters"] == []


@ministack
def test_a_smaller_record_replaces_a_larger_one(run: RunModule, emulator: str) -> None:
    large = {"text": [digest(number) for number in range(200)]}
    run("project_record", project="ecs", roles=[given(run, result=large)])
    assert len(boto3.client("ssm").describe_parameters()["Parameters"]) > 1
    run("project_record", project="ecs", roles=[given(run)])
    assert len(boto3.client("ssm").describe_parameters()["Parameters"]) == 1
    assert run("project_record_info", project="ecs")["records"]["ecs_cluster"]["result"] == {"name": "ecs"}


@ministack
def test_a_change_between_two_reads_is_not_proven(run: RunModule, emulator: str) -> None:
    role = given(run)
    boto3.client("ecs").create_cluster(clusterName="ecs", tags=TAGS)
    assert run("project_record", project="ecs", roles=[role])["records"]["ecs_cluster"]
    assert not run("project_record_info", project="ecs")["records"]["ecs_cluster"]["proven"]


def denied(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    call = botocore.client.BaseClient._make_api_call

    def refuse(client: t.Any, name: str, request: Json) -> t.Any:
        if name == operation:
            error = {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}
            raise ClientError(error, name)
        return call(client, name, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)


@ministack
def test_who_may_not_write_records_gets_one_warning(
    run: RunModule, emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = given(run)
    denied(monkeypatch, "PutParameter")
    written = run("project_record", project="ecs", roles=[role, {**role, "role": "ecs_network"}])
    assert not written.get("failed")
    [warning] = written["warnings"]
    assert "ecs_cluster, ecs_network could not be written" in str(warning)


@ministack
def test_who_may_not_read_records_has_none(run: RunModule, emulator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run("project_record", project="ecs", roles=[given(run)])
    denied(monkeypatch, "GetParametersByPath")
    found = run("project_record_info", project="ecs")
    assert "records" not in found
    assert "ssm:GetParametersByPath" in found["msg"] or "not authorized" in found["msg"]
    details = run("project_info", project="ecs", details=True)
    assert details["records"] == {}
    assert ("ssm:GetParametersByPath", "record") in {(one["action"], one["kind"]) for one in details["unknown"]}


@ministack
def test_a_role_that_was_read_in_part_is_not_proven(
    run: RunModule, emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = given(run)
    denied(monkeypatch, "DescribeLogGroups")
    assert "could not be read" in run("project_record", project="ecs", roles=[role])["records"]["ecs_cluster"]
    assert "ecs_cluster" in run("project_record_info", project="ecs")["unknown"][0]["roles"]


@ministack
def test_check_mode_records_nothing(run: RunModule, emulator: str) -> None:
    run("project_record", project="ecs", roles=[given(run)], check=True)
    assert boto3.client("ssm").describe_parameters()["Parameters"] == []
