# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts moto for tests, with patches that complete its answers as AWS. Each names what AWS does, and its source."""

from __future__ import annotations

import os
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, t.Any]


def wrap(owner: t.Any, name: str) -> Callable[[Callable[..., t.Any]], None]:
    """Wrap a function of moto; the wrapper gets the original as its first argument."""

    def decorate(around: Callable[..., t.Any]) -> None:
        original = getattr(owner, name)  # an AttributeError here means that moto has changed
        setattr(owner, name, lambda *args, **kwargs: around(original, *args, **kwargs))

    return decorate


def endpoint_services() -> None:
    """VPC endpoint services are listed without the package that moto's CloudFormation needs."""
    from moto.ec2.models import vpcs

    vpcs.IMPLEMENTED_ENDPOINT_SERVICES.remove("cloudformation")


def capacity_providers() -> None:
    """DescribeCapacityProviders without names describes all:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeCapacityProviders.html#API_DescribeCapacityProviders_Examples
    """
    from moto.ecs.models import EC2ContainerServiceBackend as Backend

    @wrap(Backend, "describe_capacity_providers")
    def describe(original: Callable[..., t.Any], backend: t.Any, names: list[str] | None) -> t.Any:
        return original(backend, [*backend.capacity_providers] if names is None else names)


def load_balancer_attributes() -> None:
    """An application load balancer has every attribute from the start:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
    """
    from moto.elbv2.models import FakeLoadBalancer

    defaults = {
        "access_logs.s3.enabled": "false",
        "client_keep_alive.seconds": "3600",
        "connection_logs.s3.bucket": "",
        "connection_logs.s3.enabled": "false",
        "connection_logs.s3.prefix": "",
        "idle_timeout.timeout_seconds": "60",
        "load_balancing.cross_zone.enabled": "true",
        "routing.http.desync_mitigation_mode": "defensive",
        "routing.http.drop_invalid_header_fields.enabled": "false",
        "routing.http.preserve_host_header.enabled": "false",
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
        "routing.http.xff_client_port.enabled": "false",
        "routing.http.xff_header_processing.mode": "append",
        "routing.http2.enabled": "true",
        "waf.fail_open.enabled": "false",
    }

    @wrap(FakeLoadBalancer, "__init__")
    def create(original: Callable[..., t.Any], balancer: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        original(balancer, *args, **kwargs)
        if balancer.type == "application":
            balancer.attrs |= defaults


def service_members() -> None:
    """CreateService keeps every member of the request that DescribeServices returns, with AWS's defaults:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
    """
    from moto.core.utils import camelcase_to_underscores
    from moto.ecs.responses import EC2ContainerServiceResponse as Ecs

    defaults: Json = {
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": False, "rollback": False},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
        },
        "capacityProviderStrategy": [],
        "enableECSManagedTags": False,
        "enableExecuteCommand": False,
        "healthCheckGracePeriodSeconds": None,
        "placementConstraints": [],
        "placementStrategy": [],
    }

    @wrap(Ecs, "create_service")
    def create(original: Callable[..., t.Any], request: t.Any) -> t.Any:
        answer = original(request)
        for name, default in defaults.items():
            value = request._get_param(name, default)
            merged = {**default, **value} if isinstance(default, dict) else value
            setattr(answer.result["service"], camelcase_to_underscores(name), merged)
        return answer


PATCHES = (endpoint_services, capacity_providers, load_balancer_attributes, service_members)


if __name__ == "__main__":
    # More than a thousand images, which no test needs.
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    for patch in PATCHES:
        patch()
    from moto.server import main

    main([])
