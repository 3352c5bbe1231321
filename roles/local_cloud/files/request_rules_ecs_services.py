# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services, tasks and clusters that ECS refuses although its model allows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from request_rules import DOCS, REPORTS, Finder, Json, State, rule

GUIDE = f"{DOCS}/AmazonECS/latest/developerguide"
API = f"{DOCS}/AmazonECS/latest/APIReference"
SERVICE = f"{API}/API_CreateService.html"
VPC = f"{API}/API_AwsVpcConfiguration.html"
QUOTAS = f"{GUIDE}/service-quotas.html"
DAEMON = f"{GUIDE}/ecs_services.html#service_scheduler_daemon"
MOTO = "https://github.com/getmoto/moto/blob/master/moto/ecs"
# Strategies that shift traffic, as AWS spells them in messages.
STRATEGIES = {"BLUE_GREEN": "Blue/green", "CANARY": "canary", "LINEAR": "linear"}
PAUSING = {
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
}
FARGATE = {"FARGATE", "FARGATE_SPOT"}
STARTS = ("ecs:CreateService", "ecs:RunTask")
SERVICES = ("ecs:CreateService", "ecs:UpdateService")


def invalid(operations: tuple[str, ...], message: str, source: str, wording: str = "") -> Callable[[Finder], Finder]:
    """A rule that refuses with InvalidParameterException."""
    return rule(*operations, error="InvalidParameterException", message=message, source=source, wording=wording)


def tail(reference: str) -> str:
    """The name in an ARN, or the name itself."""
    return reference.rsplit("/", 1)[-1]


def cluster_of(request: Json) -> str:
    return tail(request.get("cluster") or "default")


def service_of(request: Json, state: State) -> Json:
    """The service as it is now; empty where the request creates one."""
    return state.get("services", f"{cluster_of(request)}/{tail(request.get('service', ''))}") or {}


def definition_of(request: Json, state: State) -> Json:
    """The task definition that a request names, or that its service has; empty if there is none such."""
    name = tail(request.get("taskDefinition") or service_of(request, state).get("taskDefinition") or "")
    if ":" in name:
        return state.get("task_definitions", name) or {}
    family = [one for one in state.all("task_definitions") if one["family"] == name and one["status"] == "ACTIVE"]
    return max(family, key=lambda one: int(one["revision"]), default={})


def providers(strategy: list[Json] | None) -> list[str]:
    return [item["capacityProvider"] for item in strategy or []]


def on_fargate(request: Json, state: State) -> bool:
    """Whether tasks run on Fargate: by the request, the service as it is now, or the cluster's default."""
    now = service_of(request, state)
    for place in (request, now, state.get("clusters", cluster_of(request)) or {}):
        if place.get("launchType"):
            return str(place["launchType"]) == "FARGATE"
        strategy = place.get("capacityProviderStrategy") or place.get("defaultCapacityProviderStrategy")
        if strategy:
            return bool(FARGATE & set(providers(strategy)))
    return False


def network_of(request: Json, state: State) -> Json:
    place = request if "networkConfiguration" in request else service_of(request, state)
    return dict((place.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {})


def is_daemon(request: Json, state: State) -> bool:
    return "DAEMON" in {request.get("schedulingStrategy"), service_of(request, state).get("schedulingStrategy")}


@rule(
    *STARTS,
    error="ClusterNotFoundException",
    message="Cluster not found.",
    source=SERVICE,
    wording=f"{MOTO}/exceptions.py",
)
def unknown_cluster(request: Json, state: State) -> Iterator[Json]:
    """A service or task in a cluster that does not exist."""
    if not state.get("clusters", cluster_of(request)):
        yield {}


@invalid(SERVICES[:1], "Service name contains invalid characters: {name}", SERVICE)
def service_name(request: Json, _state: State) -> Iterator[Json]:
    """A service's name of other characters than letters, numbers, underscores and hyphens, or of more than 255."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", request["serviceName"]):
        yield {"name": request["serviceName"]}


@rule(
    "ecs:UpdateService",
    error="ServiceNotActiveException",
    message="Service was not ACTIVE.",
    source=f"{API}/API_UpdateService.html",
    wording=REPORTS,
)
def inactive_service(request: Json, state: State) -> Iterator[Json]:
    """An update of a service that is deleted."""
    if service_of(request, state).get("status", "ACTIVE") != "ACTIVE":
        yield {}


@rule(
    *STARTS,
    "ecs:UpdateService",
    error="ClientException",
    message="TaskDefinition not found.",
    source=f"{API}/API_RunTask.html",
    wording=REPORTS,
)
def unknown_definition(request: Json, state: State) -> Iterator[Json]:
    """A task definition that does not exist."""
    if request.get("taskDefinition") and not definition_of(request, state):
        yield {}


@rule(
    *STARTS,
    "ecs:UpdateService",
    error="ClientException",
    message="TaskDefinition is inactive",
    source=f"{API}/API_DeregisterTaskDefinition.html",
    wording=REPORTS,
)
def inactive_definition(request: Json, state: State) -> Iterator[Json]:
    """A task definition that is deregistered."""
    if request.get("taskDefinition") and definition_of(request, state).get("status") == "INACTIVE":
        yield {}


@invalid(
    (*STARTS, "ecs:UpdateService"),
    "Task definition does not support launch_type FARGATE.",
    f"{GUIDE}/fargate-tasks-services.html",
    "https://github.com/buildkite-plugins/ecs-deploy-buildkite-plugin/issues/34",
)
def definition_not_for_fargate(request: Json, state: State) -> Iterator[Json]:
    """On Fargate, a task definition that is not compatible with it."""
    definition = definition_of(request, state)
    if definition and on_fargate(request, state) and "FARGATE" not in definition.get("compatibilities", []):
        yield {}


@invalid(
    (*STARTS, "ecs:UpdateService"),
    "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    SERVICE,
    "https://github.com/tryretool/retool-onpremise/pull/84",
)
def awsvpc_without_network(request: Json, state: State) -> Iterator[Json]:
    """A task definition of the network mode awsvpc without subnets."""
    definition = definition_of(request, state)
    if definition.get("networkMode") == "awsvpc" and not network_of(request, state).get("subnets"):
        yield {}


@invalid(
    (*STARTS, "ecs:UpdateService"),
    "Network Configuration is not valid for the given networkMode of this task definition.",
    SERVICE,
    "https://github.com/muya/amazon-ecs-run-task/issues/7",
)
def network_without_awsvpc(request: Json, state: State) -> Iterator[Json]:
    """Subnets for a task definition of another network mode than awsvpc."""
    definition = definition_of(request, state)
    if definition and definition.get("networkMode") != "awsvpc" and network_of(request, state):
        yield {}


@invalid(
    (*STARTS, "ecs:UpdateService"),
    "Assign public IP is not supported for this launch type.",
    VPC,
    "https://github.com/hashicorp/waypoint/issues/643",
)
def public_address_on_instances(request: Json, state: State) -> Iterator[Json]:
    """Public addresses for tasks on EC2 instances."""
    if network_of(request, state).get("assignPublicIp") == "ENABLED" and not on_fargate(request, state):
        yield {}


@invalid((*STARTS, "ecs:UpdateService"), "{member} can have at most {limit} items.", VPC)
def network_limits(request: Json, state: State) -> Iterator[Json]:
    """More than 16 subnets or 5 security groups."""
    network = network_of(request, state)
    for member, limit in (("subnets", 16), ("securityGroups", 5)):
        if len(network.get(member) or []) > limit:
            yield {"member": member, "limit": limit}


@invalid(
    (*STARTS, "ecs:UpdateService"),
    "Error retrieving subnet information for [{name}]: The subnet ID '{name}' does not exist "
    "(ErrorCode: InvalidSubnetID.NotFound)",
    VPC,
    f"{MOTO}/models.py",
)
def unknown_subnet(request: Json, state: State) -> Iterator[Json]:
    """A subnet that does not exist."""
    for name in network_of(request, state).get("subnets") or []:
        if not state.get("subnets", name):
            yield {"name": name}


@invalid(
    (*STARTS, "ecs:UpdateService"),
    "Error retrieving security group information for [{name}]: The security group '{name}' does not exist "
    "(ErrorCode: InvalidGroup.NotFound)",
    VPC,
    f"{MOTO}/models.py",
)
def unknown_security_group(request: Json, state: State) -> Iterator[Json]:
    """A security group that does not exist."""
    for name in network_of(request, state).get("securityGroups") or []:
        if not state.get("security_groups", name):
            yield {"name": name}


def vpcs_of(kind: str, names: list[str], state: State) -> dict[str, str]:
    """The VPC of each subnet or security group that exists."""
    found = {name: state.get(kind, name) for name in names}
    return {name: one["VpcId"] for name, one in found.items() if one}


@invalid((*STARTS, "ecs:UpdateService"), "subnets must be in one VPC, got {vpcs}.", VPC)
def subnets_of_two_vpcs(request: Json, state: State) -> Iterator[Json]:
    """Subnets of two VPCs."""
    vpcs = set(vpcs_of("subnets", network_of(request, state).get("subnets") or [], state).values())
    if len(vpcs) > 1:
        yield {"vpcs": ", ".join(sorted(vpcs))}


@invalid(
    (*STARTS, "ecs:UpdateService"),
    "Security group {name} does not appear to belong to the same VPC as the input subnets.",
    VPC,
    REPORTS,
)
def security_group_of_another_vpc(request: Json, state: State) -> Iterator[Json]:
    """A security group of another VPC than the subnets."""
    network = network_of(request, state)
    vpcs = set(vpcs_of("subnets", network.get("subnets") or [], state).values())
    groups = vpcs_of("security_groups", network.get("securityGroups") or [], state)
    yield from ({"name": name} for name, vpc in groups.items() if vpcs and vpc not in vpcs)


@invalid(
    (*STARTS, "ecs:UpdateService"),
    "Placement {kind} are not supported with FARGATE launch type.",
    f"{GUIDE}/task-placement.html",
    "https://github.com/GetSimpl/cloudlift/pull/138",
)
def placement_on_fargate(request: Json, state: State) -> Iterator[Json]:
    """Placement constraints or strategies on Fargate."""
    for member, kind in (("placementConstraints", "constraints"), ("placementStrategy", "strategies")):
        if request.get(member) and on_fargate(request, state):
            yield {"kind": kind}


@invalid(STARTS, "{member} can have at most {limit} items.", SERVICE)
def placement_limits(request: Json, _state: State) -> Iterator[Json]:
    """More than 10 placement constraints or 5 strategies."""
    for member, limit in (("placementConstraints", 10), ("placementStrategy", 5)):
        if len(request.get(member) or []) > limit:
            yield {"member": member, "limit": limit}


@invalid(
    (*STARTS, "ecs:UpdateService"),
    "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
    SERVICE,
    REPORTS,
)
def launch_type_and_strategy(request: Json, _state: State) -> Iterator[Json]:
    """A launch type together with a capacity provider strategy."""
    if request.get("launchType") and request.get("capacityProviderStrategy"):
        yield {}


@invalid(
    (*STARTS, "ecs:UpdateService"),
    "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the "
    "cluster. Associate the capacity provider with the cluster and try again.",
    f"{GUIDE}/cluster-capacity-providers.html",
    REPORTS,
)
def provider_of_another_cluster(request: Json, state: State) -> Iterator[Json]:
    """A capacity provider that the cluster does not have."""
    cluster = state.get("clusters", cluster_of(request))
    wanted = providers(request.get("capacityProviderStrategy"))
    if cluster and set(wanted) - set(cluster.get("capacityProviders") or []):
        yield {}


@invalid(
    (*STARTS, "ecs:UpdateService", "ecs:PutClusterCapacityProviders", "ecs:CreateCluster"),
    "A capacity provider strategy can have one base, a weight above 0 and at most 20 items.",
    f"{API}/API_CapacityProviderStrategyItem.html",
)
def strategy_weights(request: Json, _state: State) -> Iterator[Json]:
    """A strategy with two bases, with weights of 0 alone, or with more than 20 capacity providers."""
    strategy = request.get("capacityProviderStrategy") or request.get("defaultCapacityProviderStrategy") or []
    bases = sum(1 for item in strategy if item.get("base"))
    weightless = len(strategy) > 1 and not any(item.get("weight") for item in strategy)
    if bases > 1 or weightless or len(strategy) > 20:
        yield {}


@invalid(
    SERVICES,
    "The daemon scheduling strategy does not support a desired count for services. "
    "Remove the desired count value and try again",
    DAEMON,
    "https://github.com/fabfuel/ecs-deploy/issues/59",
)
def daemon_count(request: Json, state: State) -> Iterator[Json]:
    """A number of tasks for a daemon service."""
    if is_daemon(request, state) and "desiredCount" in request:
        yield {}


@invalid(
    SERVICES,
    "The daemon scheduling strategy does not support values above 100 for maximumPercent on a deployment "
    "configuration. Change the maximumPercent value to 100, and try again",
    DAEMON,
    "https://github.com/hashicorp/terraform-provider-aws/pull/4825",
)
def daemon_maximum(request: Json, state: State) -> Iterator[Json]:
    """A daemon service with more than 100 percent during a deployment."""
    if is_daemon(request, state) and (request.get("deploymentConfiguration") or {}).get("maximumPercent", 100) > 100:
        yield {}


@invalid(
    SERVICES,
    "The daemon scheduling strategy does not support placement strategies. Remove the placement strategy and try again",
    DAEMON,
    "https://github.com/kayac/ecspresso/pull/402",
)
def daemon_placement(request: Json, state: State) -> Iterator[Json]:
    """Placement strategies for a daemon service."""
    if is_daemon(request, state) and request.get("placementStrategy"):
        yield {}


@invalid(
    SERVICES[:1],
    "Specifying a capacity provider strategy is not supported when you create a service using the DAEMON scheduling "
    "strategy.",
    DAEMON,
    "https://github.com/aws/containers-roadmap/issues/692",
)
def daemon_providers(request: Json, state: State) -> Iterator[Json]:
    """A daemon service with a capacity provider strategy, its own or the cluster's default."""
    cluster = state.get("clusters", cluster_of(request)) or {}
    default = None if request.get("launchType") else cluster.get("defaultCapacityProviderStrategy")
    if is_daemon(request, state) and (request.get("capacityProviderStrategy") or default):
        yield {}


@invalid(SERVICES[:1], "The daemon scheduling strategy is not supported with FARGATE.", DAEMON)
def daemon_on_fargate(request: Json, _state: State) -> Iterator[Json]:
    """A daemon service on Fargate."""
    if request.get("schedulingStrategy") == "DAEMON" and request.get("launchType") == "FARGATE":
        yield {}


@invalid(
    SERVICES,
    "maximumPercent and minimumHealthyPercent leave no room for a deployment: {maximum} and {minimum}.",
    f"{API}/API_DeploymentConfiguration.html",
)
def deployment_percents(request: Json, _state: State) -> Iterator[Json]:
    """A minimum of healthy tasks that is above the maximum of tasks."""
    percents = request.get("deploymentConfiguration") or {}
    minimum, maximum = percents.get("minimumHealthyPercent", 0), percents.get("maximumPercent", 200)
    if minimum > maximum or minimum < 0:
        yield {"minimum": minimum, "maximum": maximum}


def configuration_of(request: Json, state: State) -> Json:
    """The deployment configuration after the request."""
    now = service_of(request, state).get("deploymentConfiguration")
    return dict(request.get("deploymentConfiguration") or now or {})


@rule(
    *SERVICES,
    error="ClientException",
    message="advancedConfiguration field is required for all loadBalancers "
    "when using the {strategy} deployment strategy",
    source=f"{GUIDE}/troubleshooting-blue-green.html",
    wording="https://github.com/terraform-aws-modules/terraform-aws-ecs/issues/377",
)
def shifted_balancers(request: Json, state: State) -> Iterator[Json]:
    """Target groups without an alternate one for a service whose traffic ECS shifts."""
    strategy = STRATEGIES.get(configuration_of(request, state).get("strategy", ""))
    balancers = request.get("loadBalancers", service_of(request, state).get("loadBalancers")) or []
    if strategy and not all(balancer.get("advancedConfiguration") for balancer in balancers):
        yield {"strategy": strategy}


@invalid(
    SERVICES,
    "Invalid lifecycle stage provided for Pause Hook",
    f"{GUIDE}/troubleshooting-blue-green.html",
    f"{GUIDE}/troubleshooting-blue-green.html",
)
def pausing_stages(request: Json, state: State) -> Iterator[Json]:
    """A pause at a stage in which ECS shifts traffic or starts and stops tasks."""
    for hook in configuration_of(request, state).get("lifecycleHooks") or []:
        if hook.get("targetType") == "PAUSE" and set(hook.get("lifecycleStages") or []) - PAUSING:
            yield {}


def container_of(definition: Json, name: str | None) -> Json | None:
    return next((one for one in definition.get("containerDefinitions") or [] if one["name"] == name), None)


@invalid(
    SERVICES,
    "The container {name} does not exist in the task definition.",
    f"{API}/API_LoadBalancer.html",
    REPORTS,
)
def balanced_container(request: Json, state: State) -> Iterator[Json]:
    """A load balancer for a container that the task does not have."""
    definition = definition_of(request, state)
    for balancer in request.get("loadBalancers") or []:
        if definition and not container_of(definition, balancer.get("containerName")):
            yield {"name": balancer.get("containerName")}


@invalid(
    SERVICES,
    "The container {name} did not have a container port {port} defined.",
    f"{API}/API_LoadBalancer.html",
    "https://github.com/cloudcomponents/cdk-constructs/issues/67",
)
def balanced_port(request: Json, state: State) -> Iterator[Json]:
    """A load balancer for a port that the container does not have."""
    for balancer in request.get("loadBalancers") or []:
        container = container_of(definition_of(request, state), balancer.get("containerName"))
        ports = {mapping.get("containerPort") for mapping in (container or {}).get("portMappings") or []}
        if container and balancer.get("containerPort") not in ports:
            yield {"name": container["name"], "port": balancer.get("containerPort")}


@invalid(
    SERVICES,
    "The provided target group {arn} has target type {type}, which is incompatible with the {mode} network mode "
    "specified in the task definition.",
    f"{API}/API_LoadBalancer.html",
    "https://github.com/hashicorp/terraform-provider-aws/issues/12252",
)
def target_type(request: Json, state: State) -> Iterator[Json]:
    """A target group of instances in the network mode awsvpc, or of addresses in another."""
    mode = definition_of(request, state).get("networkMode")
    for balancer in request.get("loadBalancers") or []:
        group = state.get("target_groups", balancer.get("targetGroupArn", ""))
        expected = "ip" if mode == "awsvpc" else "instance"
        if mode and group and group["TargetType"] != expected:
            yield {"arn": group["TargetGroupArn"], "type": group["TargetType"], "mode": mode}


@invalid(
    SERVICES,
    "The target group with targetGroupArn {arn} does not have an associated load balancer.",
    f"{GUIDE}/service-load-balancing.html",
    "https://github.com/umotif-public/terraform-aws-ecs-fargate/issues/43",
)
def target_group_without_balancer(request: Json, state: State) -> Iterator[Json]:
    """A target group that no listener or rule of a load balancer uses."""
    actions = [action for one in state.all("listeners") for action in one["DefaultActions"]]
    actions += [action for one in state.all("listener_rules") for action in one["Actions"]]
    used = {arn for action in actions for arn in groups_of(action)}
    for balancer in request.get("loadBalancers") or []:
        arn = balancer.get("targetGroupArn")
        if arn and state.get("target_groups", arn) and arn not in used:
            yield {"arn": arn}


def groups_of(action: Json) -> set[str]:
    """The target groups of an action of a listener."""
    weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    return {action.get("TargetGroupArn"), *(one.get("TargetGroupArn") for one in weighted)} - {None}


@invalid(SERVICES, "Target group not found: {arn}", f"{API}/API_LoadBalancer.html")
def unknown_target_group(request: Json, state: State) -> Iterator[Json]:
    """A target group that does not exist."""
    for balancer in request.get("loadBalancers") or []:
        arn = balancer.get("targetGroupArn")
        if arn and not state.get("target_groups", arn):
            yield {"arn": arn}


@invalid(SERVICES, "loadBalancers can have at most 5 items.", QUOTAS)
def too_many_target_groups(request: Json, _state: State) -> Iterator[Json]:
    """More than 5 target groups for a service."""
    if len(request.get("loadBalancers") or []) > 5:
        yield {}


@invalid(
    SERVICES,
    "Health check grace period is only valid for services configured to use load balancers",
    SERVICE,
    "https://github.com/hashicorp/terraform-provider-aws/issues/31104",
)
def grace_period_without_balancer(request: Json, state: State) -> Iterator[Json]:
    """A grace period of health checks for a service without load balancer."""
    balancers = request.get("loadBalancers", service_of(request, state).get("loadBalancers"))
    if request.get("healthCheckGracePeriodSeconds") and not balancers:
        yield {}


@invalid(
    SERVICES,
    "The service couldn't be {verb} because a valid taskRoleArn is not being used. "
    "Specify a valid task role in your task definition and try again.",
    f"{GUIDE}/ecs-exec.html",
    REPORTS,
)
def exec_without_role(request: Json, state: State) -> Iterator[Json]:
    """ECS Exec for tasks without a role."""
    definition = definition_of(request, state)
    if request.get("enableExecuteCommand") and definition and not definition.get("taskRoleArn"):
        yield {"verb": "updated" if "service" in request else "created"}


@invalid(SERVICES, "serviceRegistries can have at most 1 items.", f"{API}/API_ServiceRegistry.html")
def too_many_registries(request: Json, _state: State) -> Iterator[Json]:
    """More than one service registry."""
    if len(request.get("serviceRegistries") or []) > 1:
        yield {}


@invalid(
    SERVICES,
    "Service Connect: the port name {name} does not exist in the task definition.",
    f"{API}/API_ServiceConnectService.html",
)
def service_connect_port(request: Json, state: State) -> Iterator[Json]:
    """A Service Connect port that no port mapping of the task has as its name."""
    definition = definition_of(request, state)
    mappings = [m for one in definition.get("containerDefinitions") or [] for m in one.get("portMappings") or []]
    names = {mapping.get("name") for mapping in mappings}
    for service in (request.get("serviceConnectConfiguration") or {}).get("services") or []:
        if definition and service["portName"] not in names:
            yield {"name": service["portName"]}


@invalid(("ecs:RunTask",), "count must be between 1 and 10, got {count}.", f"{API}/API_RunTask.html")
def number_of_tasks(request: Json, _state: State) -> Iterator[Json]:
    """More than 10 tasks in one request."""
    if not 1 <= request.get("count", 1) <= 10:
        yield {"count": request["count"]}


@invalid(("ecs:DescribeServices",), "services can have at most 10 items.", f"{API}/API_DescribeServices.html")
def described_services(request: Json, _state: State) -> Iterator[Json]:
    """Descriptions of more than 10 services in one request."""
    if len(request.get("services") or []) > 10:
        yield {}


@invalid(
    ("ecs:DescribeTasks", "ecs:DescribeClusters", "ecs:DescribeContainerInstances"),
    "{member} can have at most 100 items.",
    f"{API}/API_DescribeTasks.html",
)
def described_items(request: Json, _state: State) -> Iterator[Json]:
    """Descriptions of more than 100 tasks, clusters or container instances in one request."""
    for member in ("tasks", "clusters", "containerInstances"):
        if len(request.get(member) or []) > 100:
            yield {"member": member}


@rule(
    "ecs:DeleteCluster",
    error="ClusterContainsServicesException",
    message="The Cluster cannot be deleted while Services are active.",
    source=f"{API}/API_DeleteCluster.html",
    wording=REPORTS,
)
def cluster_with_services(request: Json, state: State) -> Iterator[Json]:
    """The deletion of a cluster with services."""
    cluster = state.get("clusters", cluster_of(request)) or {}
    services = [one for one in state.all("services") if one["clusterArn"] == cluster.get("clusterArn")]
    if any(one["status"] != "INACTIVE" for one in services):
        yield {}


@rule(
    "ecs:DeleteCluster",
    error="ClusterContainsTasksException",
    message="The Cluster cannot be deleted while Tasks are active.",
    source=f"{API}/API_DeleteCluster.html",
    wording=REPORTS,
)
def cluster_with_tasks(request: Json, state: State) -> Iterator[Json]:
    """The deletion of a cluster in which tasks run."""
    cluster = state.get("clusters", cluster_of(request)) or {}
    tasks = [one for one in state.all("tasks") if one["clusterArn"] == cluster.get("clusterArn")]
    if any(one.get("lastStatus") != "STOPPED" for one in tasks):
        yield {}


@invalid(("ecs:CreateCluster",), "Cluster name contains invalid characters: {name}", f"{API}/API_CreateCluster.html")
def cluster_name(request: Json, _state: State) -> Iterator[Json]:
    """A cluster's name of other characters than letters, numbers, underscores and hyphens, or of more than 255."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", request.get("clusterName", "default")):
        yield {"name": request["clusterName"]}


@invalid(
    ("ecs:CreateCapacityProvider",),
    "The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters (upper and "
    'lowercase), numbers, underscores (_), and hyphens (-). The name cannot be prefixed with "aws", "ecs", or '
    '"fargate". Specify a valid name and try again.',
    f"{API}/API_CreateCapacityProvider.html",
    REPORTS,
)
def provider_name(request: Json, _state: State) -> Iterator[Json]:
    """A capacity provider's name that begins with aws, ecs or fargate, or has other characters."""
    name = request["name"]
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name) or name.lower().startswith(("aws", "ecs", "fargate")):
        yield {}


@invalid(
    ("ecs:PutClusterCapacityProviders",),
    "Capacity provider not found: {name}",
    f"{API}/API_PutClusterCapacityProviders.html",
)
def unknown_provider(request: Json, state: State) -> Iterator[Json]:
    """A capacity provider that does not exist."""
    known = {one["name"] for one in state.all("capacity_providers")} | FARGATE
    yield from ({"name": name} for name in request.get("capacityProviders") or [] if tail(name) not in known)


@invalid(
    ("ecs:PutClusterCapacityProviders",),
    "The default capacity provider strategy has a capacity provider that is not associated with the cluster: {name}",
    f"{API}/API_PutClusterCapacityProviders.html",
)
def default_strategy(request: Json, _state: State) -> Iterator[Json]:
    """A default strategy with a capacity provider that the cluster does not get."""
    associated = set(request.get("capacityProviders") or [])
    for name in providers(request.get("defaultCapacityProviderStrategy")):
        if name not in associated:
            yield {"name": name}
