# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace has exactly the services that are requested, and waits for what ECS frees late."""

from __future__ import annotations

import typing as t

import boto3
import botocore.client
import pytest
import yaml
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core import waiting
from ansible_collections.slipway.aws.plugins.modules import service_discovery_namespace

Json = dict[str, t.Any]
MODULE = "service_discovery_namespace"
BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)


@pytest.fixture
def vpc(aws: None) -> str:
    return str(boto3.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def names() -> dict[str, list[str]]:
    """Services by namespace."""
    client = boto3.client("servicediscovery")
    services = sorted(service["Name"] for service in client.list_services()["Services"])
    return {namespace["Name"]: services for namespace in client.list_namespaces()["Namespaces"]}


@pytest.mark.witness("service_discovery_namespace")
@BOTH
def test_twelve_steps(vpc: str, run: t.Any) -> None:
    first: Json = {"vpc_id": vpc, "services": ["database", "cache"], "tags": {"project": "shop"}}
    second: Json = {"vpc_id": vpc, "services": ["database"], "tags": {"project": "shop", "stage": "test"}}
    gone: Json = {"state": "absent"}
    steps = [(first, {"shop.internal": ["cache", "database"]}), (second, {"shop.internal": ["database"]}), (gone, {})]
    for options, after in steps:
        before = names()
        predicted = run(MODULE, check=True, name="shop.internal", **options)
        assert names() == before
        done = run(MODULE, name="shop.internal", **options)
        assert names() == after
        assert (predicted["changed"], done["changed"]) == (True, True), done
        assert predicted["diff"] == done["diff"]
        assert sorted(predicted["namespace"]["services"]) == sorted(done["namespace"]["services"])
        for check in (True, False):
            assert run(MODULE, check=check, name="shop.internal", **options)["changed"] is False
        if options is second:
            tags = boto3.client("servicediscovery").list_tags_for_resource
            for arn in (done["namespace"]["arn"], done["namespace"]["services"]["database"]):
                found = {tag["Key"]: tag["Value"] for tag in tags(ResourceARN=arn)["Tags"]}
                assert found == second["tags"]


@BOTH
def test_services_that_are_not_named_are_kept_on_request(vpc: str, run: t.Any) -> None:
    """As those that Service Connect makes, or whose tasks still run."""
    run(MODULE, name="shop.internal", vpc_id=vpc, services=["old", "web"], tags={"project": "shop"})
    kept: Json = {"name": "shop.internal", "vpc_id": vpc, "services": ["web", "new"], "purge_services": False}
    predicted = run(MODULE, check=True, **kept)
    done = run(MODULE, **kept, tags={"project": "shop", "stage": "test"})
    assert (predicted["changed"], sorted(predicted["namespace"]["services"])) == (True, ["new", "old", "web"])
    assert names() == {"shop.internal": ["new", "old", "web"]}
    assert run(MODULE, **kept)["changed"] is False
    read = boto3.client("servicediscovery").list_tags_for_resource
    tagged = {name: len(read(ResourceARN=arn)["Tags"]) for name, arn in done["namespace"]["services"].items()}
    assert tagged == {"new": 2, "old": 1, "web": 2}

    one: Json = {"name": "shop.internal", "state": "absent", "services": ["old", "none"]}
    assert run(MODULE, check=True, **one)["changed"] is True
    assert names() == {"shop.internal": ["new", "old", "web"]}
    assert run(MODULE, **one)["changed"] is True
    assert names() == {"shop.internal": ["new", "web"]}
    assert run(MODULE, **one)["changed"] is False


def test_examples(vpc: str, run: t.Any) -> None:
    made, _shown, gone = yaml.safe_load(service_discovery_namespace.EXAMPLES)
    for example in (made, gone):
        options = example[f"slipway.aws.{MODULE}"] | ({"vpc_id": vpc} if example is made else {})
        assert run(MODULE, **options)["changed"]
        assert not run(MODULE, **options)["changed"]


def test_a_service_is_deleted_once_its_tasks_have_left(vpc: str, run: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run(MODULE, name="shop.internal", vpc_id=vpc, services=["database"])
    monkeypatch.setattr(waiting, "FIRST_PAUSE", 0.01)
    refusals = [True, True]
    call = botocore.client.BaseClient._make_api_call

    def refused(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation == "DeleteService" and refusals and refusals.pop():
            raise ClientError({"Error": {"Code": "ResourceInUse", "Message": "has registered instances"}}, operation)
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refused)
    assert run(MODULE, name="shop.internal", state="absent")["changed"]
    assert names() == {}
    assert not refusals


def test_a_namespace_that_aws_cannot_make_is_reported_with_its_reason(
    vpc: str, run: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = botocore.client.BaseClient._make_api_call
    failed = {"Status": "FAIL", "ErrorCode": "CANNOT_CREATE_HOSTED_ZONE", "ErrorMessage": "The VPC has that zone."}

    def failing(client: t.Any, operation: str, request: Json) -> t.Any:
        return {"Operation": failed} if operation == "GetOperation" else call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", failing)
    result = run(MODULE, name="shop.internal", vpc_id=vpc)
    assert result["code"] == "aws_error"
    assert result["msg"].endswith("could not be created: CANNOT_CREATE_HOSTED_ZONE The VPC has that zone.")


def test_a_service_that_may_not_be_deleted_is_reported_at_once(
    vpc: str, run: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(MODULE, name="shop.internal", vpc_id=vpc, services=["database"])
    call = botocore.client.BaseClient._make_api_call

    def denied(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation == "DeleteService":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not for you"}}, operation)
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", denied)
    assert run(MODULE, name="shop.internal", state="absent")["code"] == "access_denied"
    assert names() == {"shop.internal": ["database"]}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"name": "Shop.internal"},
            "name: expected a DNS name of lowercase letters, digits, hyphens and underscores, got 'Shop.internal'.",
        ),
        ({"services": ["data.base"]}, "services: expected a label of a DNS name, of lowercase letters, "),
        (
            {"name": ".".join(["a" * 62] * 4), "services": ["abc"]},
            "services: expected at most 253 characters with the name of the namespace, got abc.aaa",
        ),
        ({"services": ["a", "a"]}, "services: expected each name once, got 'a' 2 times."),
    ],
)
def test_what_is_no_name_is_refused(vpc: str, run: t.Any, options: Json, said: str) -> None:
    result = run(MODULE, **{"name": "shop.internal", "vpc_id": vpc, **options})
    assert (result["code"], said in result["msg"]) == ("invalid_option", True)
    assert names() == {}
