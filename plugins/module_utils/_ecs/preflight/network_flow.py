# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ids of a site's subnets and security groups, in place of the names that services have for them."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._core.error_codes import ACCESS_DENIED
from ..._core.errors import SlipwayError
from ..._core.types import Client, Json
from . import api


def resolve(ec2: Client, network: Json, services: list[Json]) -> list[Json]:
    """The services with ids. A name that nothing has, or that could not be looked up, stays: the checks report it."""
    try:
        return _resolved(ec2, network, services)
    except SlipwayError as error:
        if error.code != ACCESS_DENIED:
            raise
        return services


def _resolved(ec2: Client, network: Json, services: list[Json]) -> list[Json]:
    vpcs = api.filtered(ec2, "describe_vpcs", "Vpcs", network["vpc_filters"])
    if len(vpcs) != 1:
        return services
    within = {"vpc-id": vpcs[0]["VpcId"]}
    ids: dict[str, list[str]] = {}
    for name, filters in (network.get("subnets") or {}).items():
        found = api.filtered(ec2, "describe_subnets", "Subnets", {**within, **filters})
        ids[name] = [str(one["SubnetId"]) for one in found] or [name]
    for name in network.get("security_groups") or ():
        found = api.filtered(ec2, "describe_security_groups", "SecurityGroups", {**within, "group-name": name})
        ids[name] = [str(one["GroupId"]) for one in found] or [name]
    return [_with_ids(one, ids) for one in services]


def _with_ids(service: Json, ids: Mapping[str, list[str]]) -> Json:
    configuration = dict((service.get("network_configuration") or {}).get("awsvpcConfiguration") or {})
    for member in ("subnets", "securityGroups"):
        if member in configuration:
            names: t.Iterable[str] = configuration[member]
            configuration[member] = [one for name in names for one in ids.get(str(name), [str(name)])]
    return {**service, "network_configuration": {"awsvpcConfiguration": configuration}} if configuration else service
