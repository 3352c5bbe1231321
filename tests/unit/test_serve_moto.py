# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patches of serve_moto.py: each restores a behaviour of AWS that moto itself still lacks."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from moto import mock_aws

from ansible_collections.slipway.aws.tests import emulators

Client = t.Callable[[str], t.Any]


def lists_endpoint_services(client: Client) -> bool:
    names = client("ec2").describe_vpc_endpoint_services()["ServiceNames"]
    return {"com.amazonaws.eu-central-1.ecr.api", "com.amazonaws.eu-central-1.s3"} <= {*names}


def describes_all_capacity_providers(client: Client) -> bool:
    return isinstance(client("ecs").describe_capacity_providers()["capacityProviders"], list)


def returns_every_attribute(client: Client) -> bool:
    subnets = [one["SubnetId"] for one in client("ec2").describe_subnets()["Subnets"]][:2]
    elb = client("elbv2")
    arn = elb.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {"access_logs.s3.enabled", "idle_timeout.timeout_seconds"} <= {one["Key"] for one in attributes}


def keeps_the_circuit_breaker(client: Client) -> bool:
    ecs = client("ecs")
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
    configuration = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    service = {"cluster": "shop", "serviceName": "web", "taskDefinition": "web", "desiredCount": 0}
    ecs.create_service(**service, deploymentConfiguration=configuration)
    found = ecs.describe_services(cluster="shop", services=["web"])["services"][0]
    return configuration.items() <= found.get("deploymentConfiguration", {}).items()


BEHAVIOURS = (
    lists_endpoint_services,
    describes_all_capacity_providers,
    returns_every_attribute,
    keeps_the_circuit_breaker,
)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """Without any patch."""
    names = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-central-1"}
    for name, value in {**names, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_moto_itself_lacks_it(moto: None, behaviour: t.Callable[[Client], bool]) -> None:
    """Once moto has it, delete its patch."""
    try:
        found = behaviour(boto3.client)
    except (ModuleNotFoundError, TypeError):
        found = False
    assert not found


def test_the_patched_moto_has_all(start: t.Callable[..., str]) -> None:
    address = start(*emulators.MOTO)
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "b2f0c1d4e7a9", "region_name": "eu-central-1"}

    def client(service: str) -> t.Any:
        return boto3.client(service, endpoint_url=address, **keys)

    assert [behaviour.__name__ for behaviour in BEHAVIOURS if not behaviour(client)] == []
