# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster, its capacity and the namespaces that services use. Pure."""

from __future__ import annotations

from ..._core.names import last
from ..._core.plan import UNKNOWN as NOT_KNOWN
from ..._core.types import Json
from ..limits import EC2, FARGATE, items_of
from .checklist import Checklist, Reference, Service, listed


def check_cluster(checklist: Checklist) -> Json | None:
    """The cluster, if it exists and this run does not manage it."""
    name = last(checklist.desired.cluster)
    remedy = "Create the cluster, or correct its name."
    found = checklist.find(Reference("cluster", "cluster", "cluster", name, remedy))
    if not found:
        return None
    if found.get("status") != "ACTIVE":
        text = f"expected a cluster with status ACTIVE, got {name} with status {found.get('status')}. Create it again."
        checklist.fail("cluster", "cluster", text)
        return None
    checklist.ok("cluster", "cluster", f"cluster {name} is active")
    return dict(found)


def check(checklist: Checklist, service: Service, cluster: Json | None) -> None:
    if cluster:
        _check_capacity(checklist, service, cluster)
    _check_compatibility(checklist, service)
    _check_namespace(checklist, service, cluster)


def _check_capacity(checklist: Checklist, service: Service, cluster: Json) -> None:
    known = [str(name) for name in cluster.get("capacityProviders") or ()]
    strategy = items_of(service.options, "capacity_provider_strategy")
    launch = service.options.get("launch_type")
    for number, item in enumerate(strategy):
        provider, place = str(item.get("capacityProvider")), service.at(f"capacity_provider_strategy[{number}]")
        if provider == NOT_KNOWN:
            continue
        if checklist.desired.manages("capacity provider", provider):
            checklist.ok("capacity", place, f"capacity provider {provider}: this run creates or updates it")
        elif provider not in known:
            text = f"expected a capacity provider of the cluster ({listed(known)}), got {provider}."
            checklist.fail("capacity", place, f"{text} Attach it to the cluster, or use another one.")
        else:
            checklist.ok("capacity", place, f"capacity provider {provider} is attached to the cluster")
    hosts = int(cluster.get("registeredContainerInstancesCount") or 0)
    by_default = not launch and not strategy and not cluster.get("defaultCapacityProviderStrategy")
    if (launch == EC2 or by_default) and not hosts:
        place = service.at("launch_type")
        text = "expected container instances in the cluster for launch type EC2, got none."
        checklist.fail(
            "capacity", place, f"{text} Register instances, or set launch_type or capacity_provider_strategy."
        )


def _check_compatibility(checklist: Checklist, service: Service) -> None:
    strategy = items_of(service.options, "capacity_provider_strategy")
    providers = [str(item.get("capacityProvider")) for item in strategy]
    on_fargate = service.options.get("launch_type") == FARGATE or any(one.startswith(FARGATE) for one in providers)
    wanted = service.definition.get("requires_compatibilities") or []
    if on_fargate and wanted and FARGATE not in wanted:
        text = f"expected FARGATE, where the service runs, got {listed(wanted)}."
        place = service.at("task_definition.requiresCompatibilities")
        checklist.fail("capacity", place, f"{text} Add FARGATE, or run the service elsewhere.")


def _check_namespace(checklist: Checklist, service: Service, cluster: Json | None) -> None:
    connect = service.options.get("service_connect_configuration") or {}
    if connect.get("enabled") is not True:
        return
    place = service.at("service_connect_configuration.namespace")
    name = str(connect.get("namespace") or "")
    if not name and cluster:
        name = str((cluster.get("serviceConnectDefaults") or {}).get("namespace") or "")
        if not name:
            text = "expected a namespace, because the cluster has no default namespace, got none."
            checklist.fail("namespace", place, f"{text} Set it here, or service_connect_defaults of the cluster.")
    remedy = "Create the namespace, or correct its name."
    if name and checklist.find(Reference("namespace", place, "namespace", name, remedy)):
        checklist.ok("namespace", place, f"namespace {name} exists")
