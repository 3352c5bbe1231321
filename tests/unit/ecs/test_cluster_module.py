# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ecs_cluster and ecs_cluster_info against moto, their options parsed for real."""

from __future__ import annotations

import typing as t

import boto3
import botocore.client
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.plan import compare
from ansible_collections.slipway.aws.plugins.module_utils._ecs.cluster import api
from ansible_collections.slipway.aws.plugins.module_utils._ecs.cluster import model as cluster

Json = dict[str, t.Any]
Run = t.Callable[..., Json]

FULL: Json = {
    "name": "shop",
    "settings": [{"name": "containerInsights", "value": "enabled"}],
    "configuration": {
        "executeCommandConfiguration": {"logging": "OVERRIDE", "logConfiguration": {"s3BucketName": "a"}},
        "managedStorageConfiguration": {"kmsKeyId": "k"},
    },
    "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
    "default_capacity_provider_strategy": [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ],
    "service_connect_defaults": {"namespace": "shop"},
    "tags": {"team": "shop"},
}
CHANGES: dict[str, t.Any] = {
    "settings": [{"name": "containerInsights", "value": "enhanced"}],
    "configuration": {"executeCommandConfiguration": {"logging": "NONE"}},
    "capacity_providers": ["FARGATE"],
    "default_capacity_provider_strategy": [{"capacityProvider": "FARGATE", "weight": 1}],
    "service_connect_defaults": {"namespace": "other"},
    "tags": {"team": "other"},
}


def test_providers_that_are_not_named_are_not_purged(run: Run) -> None:
    made = run("ecs_cluster", **FULL)["cluster"]
    result = run("ecs_cluster", name="shop", tags={"team": "other"})
    assert result["cluster"] == {**made, "tags": {"team": "other"}}
    assert not run("ecs_cluster", name="shop")["changed"]


def test_the_order_of_providers_makes_no_difference(run: Run) -> None:
    run("ecs_cluster", **FULL)
    turned = {
        "capacity_providers": ["FARGATE_SPOT", "FARGATE"],
        "default_capacity_provider_strategy": [
            {"capacityProvider": "FARGATE_SPOT", "weight": "3", "base": "0"},
            {"capacityProvider": "FARGATE", "weight": "1", "base": "1"},
        ],
    }
    assert not run("ecs_cluster", name="shop", **turned)["changed"]


def test_a_cluster_without_providers_is_unchanged_in_a_rerun(run: Run, ecs: t.Any) -> None:
    assert run("ecs_cluster", name="shop")["changed"]
    assert not run("ecs_cluster", name="shop")["changed"]
    assert run("ecs_cluster", name="shop", capacity_providers=["FARGATE"])["changed"]


@pytest.mark.parametrize("option", CHANGES)
def test_every_member_is_compared_and_is_the_only_one_that_changes(run: Run, option: str) -> None:
    made = run("ecs_cluster", **FULL)["cluster"]
    result = run("ecs_cluster", name="shop", **{option: CHANGES[option]})
    assert result["changed"]
    assert set(result["diff"]["before"]) | set(result["diff"]["after"]) == {option}
    assert {name for name, value in result["cluster"].items() if value != made[name]} == {option}
    assert not run("ecs_cluster", name="shop", **{option: CHANGES[option]})["changed"]


def test_the_part_of_the_configuration_that_is_not_named_is_kept(run: Run) -> None:
    run("ecs_cluster", **FULL)
    result = run("ecs_cluster", name="shop", configuration={"executeCommandConfiguration": {"logging": "NONE"}})
    assert result["cluster"]["configuration"] == {
        "executeCommandConfiguration": {"logging": "NONE"},
        "managedStorageConfiguration": {"kmsKeyId": "k"},
    }


@pytest.mark.parametrize("empty", [{"capacity_providers": [], "default_capacity_provider_strategy": []}])
def test_providers_can_be_taken_away(run: Run, empty: Json) -> None:
    run("ecs_cluster", **FULL)
    assert run("ecs_cluster", name="shop", **empty)["cluster"]["capacity_providers"] == []
    assert not run("ecs_cluster", name="shop", **empty)["changed"]


def test_check_mode_returns_the_cluster_that_would_be(run: Run) -> None:
    predicted = run("ecs_cluster", check=True, **FULL)
    real = run("ecs_cluster", **FULL)
    assert predicted["cluster"].pop("arn") == "unknown"
    assert real["cluster"].pop("arn").endswith(":cluster/shop")
    assert predicted["cluster"] == real["cluster"]
    assert predicted["diff"] == real["diff"]


def test_what_aws_decides_of_a_new_cluster_is_unknown(run: Run) -> None:
    predicted = run("ecs_cluster", check=True, name="shop")["cluster"]
    assert predicted["settings"] == "unknown"
    assert set(predicted) == set(run("ecs_cluster", name="shop")["cluster"])


@pytest.mark.witness("ecs_cluster")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_twelve_steps(run: Run, emulator: str) -> None:
    # MiniStack's CreateCluster forgets the defaults of Service Connect, its UpdateCluster does not.
    forgotten = {"service_connect_defaults"} if emulator == "ministack" else set()
    made = {name: value for name, value in FULL.items() if name not in forgotten}
    for step in (made, {"name": "shop", **CHANGES}, {"name": "shop", "state": "absent"}):
        predicted = run("ecs_cluster", check=True, **step)
        real = run("ecs_cluster", **step)
        assert predicted["changed"]
        assert real["changed"]
        assert predicted["diff"] == real["diff"]
        for check in (True, False):
            again = run("ecs_cluster", check=check, **step)
            assert not again["changed"]
            assert again["diff"] == {"before": {}, "after": {}}


def test_a_deleted_cluster_can_be_created_again(run: Run) -> None:
    run("ecs_cluster", **FULL)
    run("ecs_cluster", name="shop", state="absent")
    assert run("ecs_cluster", **FULL)["cluster"]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("options", "counts", "changed"),
    [
        # It does not differ from a new one.
        ({}, {}, True),
        ({}, {"runningTasksCount": 2}, False),
        ({"tags": {"team": "other"}}, {"runningTasksCount": 2}, True),
        ({"settings": CHANGES["settings"]}, {}, True),
    ],
)
def test_a_cluster_that_a_read_does_not_show_is_up_to_date_in_the_same_run(
    run: Run, ecs: t.Any, monkeypatch: pytest.MonkeyPatch, options: Json, counts: Json, changed: bool
) -> None:
    """CreateCluster then answers the cluster that there is, as it is."""
    run("ecs_cluster", **FULL)
    asked, hidden = {**FULL, **options}, ["once"]
    call = botocore.client.BaseClient._make_api_call

    def stale(client: t.Any, operation: str, request: Json) -> Json:
        if operation == "DescribeClusters" and hidden:
            hidden.clear()
            return {"clusters": [], "failures": [{"arn": "shop", "reason": "MISSING"}]}
        answer = dict(call(client, "DescribeClusters" if operation == "CreateCluster" else operation, shown(request)))
        found = [{**one, **counts} for one in answer.get("clusters") or ()]
        return {"cluster": found[0]} if operation == "CreateCluster" else {**answer, "clusters": found}

    def shown(request: Json) -> Json:
        return {"clusters": [request["clusterName"]], "include": ["TAGS"]} if "clusterName" in request else request

    with monkeypatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", stale)
        result = run("ecs_cluster", **asked)
    assert (result.get("changed"), hidden) == (changed, []), result
    assert run("ecs_cluster", **asked)["changed"] is False


def test_a_run_that_changes_nothing_makes_one_call(run: Run, calls: list[str]) -> None:
    run("ecs_cluster", **FULL)
    calls.clear()
    run("ecs_cluster", **FULL)
    assert calls == ["DescribeClusters"]


def test_a_namespace_given_by_name_is_found_behind_its_arn(run: Run, ecs: t.Any) -> None:
    cloud_map = boto3.client("servicediscovery", region_name="eu-central-1")
    cloud_map.create_http_namespace(Name="shop")
    arn = cloud_map.list_namespaces()["Namespaces"][0]["Arn"]
    ecs.create_cluster(clusterName="shop", serviceConnectDefaults={"namespace": arn})
    assert not run("ecs_cluster", name="shop", service_connect_defaults={"namespace": "shop"})["changed"]
    assert run("ecs_cluster", name="shop", service_connect_defaults={"namespace": "other"})["changed"]


def test_a_namespace_given_by_arn_is_found_behind_its_name(run: Run, ecs: t.Any) -> None:
    cloud_map = boto3.client("servicediscovery")
    for name in ("shop", "other"):
        cloud_map.create_http_namespace(Name=name)
    arns = {found["Name"]: found["Arn"] for found in cloud_map.list_namespaces()["Namespaces"]}
    ecs.create_cluster(clusterName="shop", serviceConnectDefaults={"namespace": "shop"})
    assert not run("ecs_cluster", name="shop", service_connect_defaults={"namespace": arns["shop"]})["changed"]
    for other in (arns["other"], f"{arns['other']}x"):
        assert run("ecs_cluster", check=True, name="shop", service_connect_defaults={"namespace": other})["changed"]


def test_names_and_arns_of_a_clusters_parts_are_no_difference() -> None:
    here = "eu-central-1:123456789012"

    def options(provider: str, key: str, group: str) -> Json:
        log = {"cloudWatchLogGroupName": group}
        execute = {"kmsKeyId": key, "logging": "OVERRIDE", "logConfiguration": log}
        return {
            "capacity_providers": ["FARGATE", provider],
            "default_capacity_provider_strategy": [{"capacityProvider": provider, "weight": 1, "base": 0}],
            "configuration": {"executeCommandConfiguration": execute},
        }

    whole = options(
        f"arn:aws:ecs:{here}:capacity-provider/spot",
        f"arn:aws:kms:{here}:key/0a",
        f"arn:aws:logs:{here}:log-group:/x:*",
    )
    named, other = options("spot", "0a", "/x"), options("spot2", "0b", "/y")
    arn = {"arn": f"arn:aws:ecs:{here}:cluster/shop"}
    for parts, asked in ((whole, named), (named, whole), (named, named)):
        current = {**cluster.NOTHING, **cluster.canonical(parts), **arn}
        assert not compare(current, cluster.desired(current, asked), cluster.SETS).changed
        assert compare(current, cluster.desired(current, other), cluster.SETS).members == set(named)


def test_a_namespace_is_taken_away_by_an_empty_name(run: Run) -> None:
    run("ecs_cluster", **FULL)
    result = run("ecs_cluster", name="shop", service_connect_defaults={"namespace": ""})
    assert result["diff"] == {"before": {"service_connect_defaults": {"namespace": "shop"}}, "after": {}}
    assert not run("ecs_cluster", name="shop", service_connect_defaults={"namespace": ""})["changed"]


def test_a_wrong_member_is_reported_before_any_call(run: Run, calls: list[str]) -> None:
    result = run("ecs_cluster", name="shop", configuration={"executeCommandConfig": {}})
    assert result["code"] == "invalid_option"
    assert "did you mean 'executeCommandConfiguration'?" in result["msg"]
    assert calls == []


class Answers:
    """Stands in for DescribeClusters: one state after the other, the last one for good."""

    def __init__(self, *states: Json | None) -> None:
        self.states = list(states)

    def __call__(self, _ecs: t.Any, names: t.Sequence[str], _include: t.Sequence[str]) -> list[Json]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return [] if state is None else [{"clusterName": names[0], "clusterArn": "arn:x", **state}]


ACTIVE: Json = {"status": "ACTIVE", "attachmentsStatus": "UPDATE_COMPLETE"}
ATTACHING: Json = {"status": "ACTIVE", "attachmentsStatus": "UPDATE_IN_PROGRESS"}


def test_deleting_waits_until_the_cluster_is_deleted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("ecs_cluster", **FULL)
    answers = Answers(ACTIVE, {"status": "DEPROVISIONING"}, {"status": "INACTIVE"})
    monkeypatch.setattr(api, "describe_clusters", answers)
    result = run("ecs_cluster", name="shop", state="absent")
    assert result["changed"]
    assert result["cluster"]["status"] == "INACTIVE"
    assert answers.states == [{"status": "INACTIVE"}]


def test_a_change_waits_until_providers_are_attached(
    run: Run, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("ecs_cluster", **FULL)
    calls.clear()
    answers = Answers(ATTACHING, ATTACHING, ACTIVE, ATTACHING, {**ACTIVE, "capacityProviders": ["FARGATE"]})
    monkeypatch.setattr(api, "describe_clusters", answers)
    result = run("ecs_cluster", name="shop", capacity_providers=["FARGATE"])
    assert calls == ["PutClusterCapacityProviders"]
    assert result["cluster"]["capacity_providers"] == ["FARGATE"]


def test_a_cluster_that_is_about_to_go_is_created_again(
    run: Run, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Answers(
        {"status": "DEPROVISIONING"}, {"status": "DEPROVISIONING"}, None, {"status": "PROVISIONING"}, ACTIVE
    )
    monkeypatch.setattr(api, "describe_clusters", answers)
    assert run("ecs_cluster", name="shop")["cluster"]["status"] == "ACTIVE"
    assert calls == ["CreateCluster"]


@pytest.mark.parametrize(
    "connection", [{"profile": "nobody"}, {"region": "no region"}], ids=lambda option: next(iter(option))
)
def test_a_connection_that_fails_has_a_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, connection: dict[str, str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    result = run("ecs_cluster", name="shop", **connection)
    assert (result["failed"], result["code"]) == (True, "invalid_option")


def test_a_timeout_reports_the_last_status(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "describe_clusters", Answers(None, {"status": "PROVISIONING"}))
    result = run("ecs_cluster", name="shop", wait_timeout=0)
    assert result["code"] == "timeout"
    assert result["status"] == "PROVISIONING"


@pytest.mark.parametrize(
    "state",
    [
        {"status": "FAILED"},
        {"status": "ACTIVE", "attachmentsStatus": "UPDATE_FAILED", "attachments": [{"id": "a", "status": "FAILED"}]},
    ],
)
def test_what_aws_could_not_do_is_a_failure(state: Json) -> None:
    going = {"id": "b", "status": "ATTACHED"}
    with pytest.raises(SlipwayError) as raised:
        cluster.is_stable({"clusterName": "shop", **state, "attachments": [going, *state.get("attachments", [])]})
    assert raised.value.code == "cluster_failed"
    told = {"attachments": [], **state}
    told["attachments_status"] = told.pop("attachmentsStatus", None)
    assert raised.value.details == told


@pytest.mark.witness("ecs_cluster_info")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_the_info_module_reads_what_exists(run: Run) -> None:
    assert run("ecs_cluster_info")["clusters"] == []
    made = run("ecs_cluster", **FULL)["cluster"]
    found = run("ecs_cluster_info", names=["shop", "nowhere"])["clusters"]
    assert [{name: seen[name] for name in made} for seen in found] == [made]
    assert set(found[0]) - set(made) == {"statistics", "attachments", "attachments_status"}
    assert run("ecs_cluster_info")["clusters"] == found
