# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters as plain dicts: what AWS fills in, what is left alone, when a cluster is ready. Pure.

The defaults are those of the API reference, pages API_CapacityProviderStrategyItem, API_ExecuteCommandConfiguration and
API_ExecuteCommandLogConfiguration (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/).
"""

from __future__ import annotations

import typing as t

from ..._core.error_codes import CLUSTER_FAILED
from ..._core.errors import SlipwayError
from ..._core.names import CAPACITY_PROVIDER, KEY, LOG_GROUP, NAMESPACE, Kind, Names, home_of
from ..._core.plan import UNKNOWN, Resource, Sets, normalise
from ..._core.shapes import to_options
from ..._core.tags import from_list
from ..._core.types import Json

SETS: Sets = {
    "capacity_providers": (),
    "default_capacity_provider_strategy": ("capacityProvider",),
    "settings": ("name",),
}
# What AWS takes by name or by ARN.
KINDS: t.Mapping[str, Kind] = {
    "capacity_providers": CAPACITY_PROVIDER,
    "default_capacity_provider_strategy.capacityProvider": CAPACITY_PROVIDER,
    "executeCommandConfiguration.kmsKeyId": KEY,
    "logConfiguration.cloudWatchLogGroupName": LOG_GROUP,
    "managedStorageConfiguration.kmsKeyId": KEY,
    "managedStorageConfiguration.fargateEphemeralStorageKmsKeyId": KEY,
    "service_connect_defaults.namespace": NAMESPACE,
}
# What UpdateCluster changes, and what PutClusterCapacityProviders does.
UPDATED = frozenset({"settings", "configuration", "service_connect_defaults"})
PROVIDERS = frozenset({"capacity_providers", "default_capacity_provider_strategy"})
# The options of a cluster, as they are without any.
NOTHING: Json = {
    "settings": [],
    "configuration": {},
    "capacity_providers": [],
    "default_capacity_provider_strategy": [],
    "service_connect_defaults": {},
    "tags": {},
}
COUNTS = (
    "registered_container_instances_count",
    "running_tasks_count",
    "pending_tasks_count",
    "active_services_count",
)
# What a new cluster has that was not requested. Its Container Insights follow a setting of the account.
NEW: Json = {"arn": UNKNOWN, "status": "ACTIVE", **dict.fromkeys(COUNTS, 0), **NOTHING, "settings": UNKNOWN}


def from_api(answer: Resource) -> Json:
    """A cluster of AWS's under the names of the modules' results. Emulators leave members out: those are empty."""
    options = to_options(answer)
    members = {name: options.get(name) or empty for name, empty in NOTHING.items() if name != "tags"}
    return {
        "name": options["cluster_name"],
        "arn": options["cluster_arn"],
        "status": options.get("status", ""),
        **{name: options.get(name) or 0 for name in COUNTS},
        **canonical(members),
        "tags": from_list(options.get("tags")),
    }


def canonical(members: Resource) -> Json:
    """The one form of all that mean the same to AWS."""
    filled = dict(members)
    strategy = filled.get("default_capacity_provider_strategy")
    if isinstance(strategy, list):
        filled["default_capacity_provider_strategy"] = [{"base": 0, "weight": 0, **item} for item in strategy]
    if isinstance(filled.get("configuration"), dict):
        filled["configuration"] = _fill_configuration(filled["configuration"])
    if filled.get("service_connect_defaults") == {"namespace": ""}:  # AWS's way to say: none
        filled["service_connect_defaults"] = {}
    return normalise(filled, SETS)


def _fill_configuration(configuration: Resource) -> Json:
    execute = configuration.get("executeCommandConfiguration")
    if not isinstance(execute, dict):
        return dict(configuration)
    log = {name: value for name, value in (execute.get("logConfiguration") or {}).items() if value is not False}
    return {**configuration, "executeCommandConfiguration": {"logging": "DEFAULT", **execute, "logConfiguration": log}}


def desired(current: Resource | None, options: Resource) -> Json:
    """What `options` ask for. Settings and parts of the configuration that they do not name stay as they are."""
    given = dict(options)
    if current and isinstance(given.get("settings"), list):
        settings = {item["name"]: item for item in [*current["settings"], *given["settings"]]}
        given["settings"] = list(settings.values())
    if current and isinstance(given.get("configuration"), dict):
        given["configuration"] = {**current["configuration"], **given["configuration"]}
    if current:
        given = Names(KINDS, SETS, home_of(current.get("arn"))).keep(given, current)
    return canonical(given)


def is_busy(cluster: Resource | None) -> bool:
    """True while AWS carries out a change of the cluster."""
    state = cluster or {}
    return state.get("status") == "PROVISIONING" or state.get("attachmentsStatus") == "UPDATE_IN_PROGRESS"


def is_stable(cluster: Resource | None) -> bool:
    """True when AWS has carried out all changes; a SlipwayError when it failed."""
    if cluster is None:
        return False
    status, attachments = cluster.get("status"), cluster.get("attachmentsStatus")
    if status == "FAILED" or attachments == "UPDATE_FAILED":
        failed = [item for item in cluster.get("attachments") or () if item.get("status") == "FAILED"]
        details = {"status": status, "attachments_status": attachments, "attachments": failed}
        what = "create the cluster" if status == "FAILED" else "attach the capacity providers"
        message = f"AWS failed to {what}. See the attachments of {cluster['clusterName']}."
        raise SlipwayError(CLUSTER_FAILED, message, details)
    return status == "ACTIVE" and not is_busy(cluster)


def is_deleted(cluster: Resource | None) -> bool:
    """AWS shows a deleted cluster for a while."""
    return cluster is None or cluster.get("status") == "INACTIVE"
