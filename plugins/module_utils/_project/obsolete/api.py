# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What exists beside the names that variables ask for: cheap enough for every run.

Names that are kept are never asked about one by one, and of clusters and namespaces only those of the run are read.
"""

from __future__ import annotations

import typing as t

from ..._core import tags
from ..._core.answers import described
from ..._core.names import last, notes_paths
from ..._core.paging import batches, pages
from ..._core.types import Json
from ..kinds.base_api import Account, Found, each


class Scope(t.NamedTuple):
    """Where to read, and by kind the names that are kept; other kinds are not read."""

    account: Account
    cluster: str
    namespace: str
    keep: t.Mapping[str, t.Collection[str]]
    schedule_group: str = ""

    def client(self, service: str) -> t.Any:
        return self.account.clients[service]

    @property
    def path(self) -> str:
        return f"/{self.account.project}/"

    def others(self, kind: str, items: t.Iterable[Json], name: str) -> list[Json]:
        return [item for item in items if item[name] not in self.keep[kind]]


def services(scope: Scope) -> t.Iterator[Found]:
    """All of the cluster, as those that are kept say what they use."""
    ecs = scope.client("ecs")
    for arns in batches(pages(ecs, "list_services", "serviceArns", cluster=scope.cluster), 10):
        answer = ecs.describe_services(cluster=scope.cluster, services=arns, include=["TAGS"])
        # What a service refers to is known only of those that are in the answer.
        for one in described("DescribeServices", answer, "services", "serviceArn", arns):
            if one["status"] == "ACTIVE":
                own, running = tags.from_list(one.get("tags")), int(one["runningCount"])
                state = f"{running} running task{'' if running == 1 else 's'}"
                yield Found(one["serviceArn"], one["serviceName"], own, state=state, uses=frozenset(arns_in(one)))


def arns_in(value: t.Any) -> t.Iterator[str]:
    """Every ARN in an answer: whatever a service refers to, wherever it says so."""
    if isinstance(value, str):
        yield from (value,) if value.startswith("arn:") else ()
    elif isinstance(value, dict):
        for one in value.values():
            yield from arns_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from arns_in(one)


def schedules(scope: Scope) -> t.Iterator[Found]:
    """A schedule belongs to whom its group belongs to."""
    scheduler = scope.client("scheduler")
    listed = pages(scheduler, "list_schedules", "Schedules", GroupName=scope.schedule_group)
    found = scope.others("schedule", listed, "Name")
    if found:
        arn = scheduler.get_schedule_group(Name=scope.schedule_group)["Arn"]
        own = tags.from_list(scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"])
        yield from (Found(one["Arn"], one["Name"], own, state=str(one["State"]).lower()) for one in found)


def families(scope: Scope) -> t.Iterator[Found]:
    """Task definitions named after the project: an account has hundreds of others, whose owners are one call each."""
    project = scope.account.project
    named = pages(
        scope.client("ecs"), "list_task_definition_families", "families", status="ACTIVE", familyPrefix=project
    )
    return some_families(scope, (name for name in named if name.startswith(project)))


def some_families(scope: Scope, names: t.Iterable[str]) -> t.Iterator[Found]:
    """The newest revision says whose a family is."""
    ecs = scope.client("ecs")

    def read(item: Json) -> tags.Tags:
        answer = ecs.describe_task_definition(taskDefinition=item["family"], include=["TAGS"])
        return tags.from_list(answer.get("tags"))

    others = scope.others("task definition", ({"family": name} for name in names), "family")
    return (Found(item["family"], item["family"], own) for item, own in each(others, read))


def parameters(scope: Scope) -> t.Iterator[Found]:
    ssm = scope.client("ssm")
    below = [{"Key": "Path", "Option": "Recursive", "Values": [scope.path.rstrip("/")]}]

    def read(item: Json) -> tags.Tags:
        answer = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=item["Name"])
        return tags.from_list(answer.get("TagList"))

    # A project named slipway has its records below its own path.
    notes = notes_paths(scope.account.project)
    found = [
        one
        for one in pages(ssm, "describe_parameters", "Parameters", ParameterFilters=below)
        if not one["Name"].startswith(notes)
    ]
    return (
        Found(item["Name"], item["Name"], own) for item, own in each(scope.others("parameter", found, "Name"), read)
    )


def secrets(scope: Scope) -> t.Iterator[Found]:
    prefix = scope.path[1:]
    found = pages(
        scope.client("secretsmanager"), "list_secrets", "SecretList", Filters=[{"Key": "name", "Values": [prefix]}]
    )
    for one in scope.others("secret", found, "Name"):
        if one["Name"].startswith(prefix) and not one.get("DeletedDate"):
            yield Found(one["ARN"], one["Name"], tags.from_list(one.get("Tags")))


def target_groups(scope: Scope) -> t.Iterator[Found]:
    elb = scope.client("elbv2")
    found = pages(elb, "describe_target_groups", "TargetGroups")
    for some in batches(scope.others("target group", found, "TargetGroupArn"), 20):
        there = {one["TargetGroupArn"]: one for one in some}
        for one in elb.describe_tags(ResourceArns=list(there))["TagDescriptions"]:
            group = there[one["ResourceArn"]]
            used = frozenset(group.get("LoadBalancerArns") or ())
            yield Found(one["ResourceArn"], group["TargetGroupName"], tags.from_list(one["Tags"]), used_by=used)


def repositories(scope: Scope) -> t.Iterator[Found]:
    ecr = scope.client("ecr")

    def read(item: Json) -> tags.Tags:
        return tags.from_list(ecr.list_tags_for_resource(resourceArn=item["repositoryArn"]).get("tags"))

    found = pages(ecr, "describe_repositories", "repositories")
    for item, own in each(scope.others("repository", found, "repositoryName"), read):
        name = item["repositoryName"]
        ours = tags.belongs_to(own, scope.account.project)
        full = ours and ecr.describe_images(repositoryName=name, maxResults=1)["imageDetails"]
        yield Found(name, name, own, "images" if full else "")


def log_groups(scope: Scope) -> t.Iterator[Found]:
    """Beside those that are to stay: an account has thousands elsewhere."""
    logs = scope.client("logs")

    def read(item: Json) -> tags.Tags:
        return dict(logs.list_tags_for_resource(resourceArn=item["arn"].removesuffix(":*")).get("tags") or {})

    folders = {name.rpartition("/")[0] + "/" for name in scope.keep["log group"] if "/" in name.strip("/")}
    found = [
        one
        for folder in sorted(folders)
        if not any(folder != other and folder.startswith(other) for other in folders)
        for one in pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=folder)
    ]
    for item, own in each(scope.others("log group", found, "logGroupName"), read):
        yield Found(item["logGroupName"], item["logGroupName"], own, "logs" if item.get("storedBytes") else "")


def names(scope: Scope) -> t.Iterator[Found]:
    """Services of Cloud Map in the project's namespace."""
    discovery = scope.client("servicediscovery")

    def read(item: Json) -> tags.Tags:
        return tags.from_list(discovery.list_tags_for_resource(ResourceARN=item["Arn"]).get("Tags"))

    spaces = [one for one in pages(discovery, "list_namespaces", "Namespaces") if one["Name"] == scope.namespace]
    for space in spaces:
        owner = {"Name": "NAMESPACE_ID", "Values": [space["Id"]], "Condition": "EQ"}
        found = pages(discovery, "list_services", "Services", Filters=[owner])
        for item, own in each(scope.others("discovery service", found, "Name"), read):
            yield Found(item["Arn"], item["Name"], own)


def load_balancers(scope: Scope) -> t.Iterator[Found]:
    elb = scope.client("elbv2")
    found = scope.others("load balancer", pages(elb, "describe_load_balancers", "LoadBalancers"), "LoadBalancerName")
    for some in batches(found, 20):
        names_of = {one["LoadBalancerArn"]: one["LoadBalancerName"] for one in some}
        for one in elb.describe_tags(ResourceArns=list(names_of))["TagDescriptions"]:
            yield Found(one["ResourceArn"], names_of[one["ResourceArn"]], tags.from_list(one["Tags"]))


def clusters(scope: Scope) -> t.Iterator[Found]:
    ecs = scope.client("ecs")

    def read(item: Json) -> tags.Tags:
        return tags.from_list(ecs.list_tags_for_resource(resourceArn=item["arn"]).get("tags"))

    found = [{"arn": arn, "name": last(arn)} for arn in pages(ecs, "list_clusters", "clusterArns")]
    for item, own in each(scope.others("cluster", found, "name"), read):
        yield Found(item["arn"], item["name"], own)


Read = t.Callable[[Scope], t.Iterable[Found]]


class Kind(t.NamedTuple):
    """`variable` is where the names that are kept come from, `clients` what is asked."""

    name: str
    variable: str
    client: str
    read: Read


# In the order in which they are deleted.
KINDS = (
    Kind("schedule", "ecs_app_schedules", "scheduler", schedules),
    Kind("service", "ecs_app_services", "ecs", services),
    Kind("task definition", "ecs_app_services", "ecs", families),
    Kind("parameter", "ecs_app_secrets and ecs_app_settings", "ssm", parameters),
    Kind("secret", "ecs_app_secrets", "secretsmanager", secrets),
    Kind("target group", "ecs_load_balancer_target_groups", "elbv2", target_groups),
    Kind("discovery service", "service_discovery_services", "servicediscovery", names),
    Kind("log group", "ecs_cluster_log_groups", "logs", log_groups),
    Kind("repository", "ecr_registry_repositories", "ecr", repositories),
    Kind("load balancer", "ecs_load_balancer_name", "elbv2", load_balancers),
    Kind("cluster", "ecs_cluster_name", "ecs", clusters),
)
