# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Elastic Load Balancing refuses although its model allows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from request_rules import DOCS, REPORTS, Finder, Json, State, rule

API = f"{DOCS}/elasticloadbalancing/latest/APIReference"
GUIDE = f"{DOCS}/elasticloadbalancing/latest/application"
BALANCER = f"{API}/API_CreateLoadBalancer.html"
GROUP = f"{API}/API_CreateTargetGroup.html"
LISTENER = f"{API}/API_CreateListener.html"
RULE = f"{API}/API_CreateRule.html"
CONDITION = f"{API}/API_RuleCondition.html"
MOTO = "https://github.com/getmoto/moto/blob/master/moto/elbv2/models.py"

GROUPS = ("CreateTargetGroup", "ModifyTargetGroup")
LISTENERS = ("CreateListener", "ModifyListener")
LISTENER_RULES = ("CreateRule", "ModifyRule")
SUBNETS = ("CreateLoadBalancer", "SetSubnets")
FIELDS = ("host-header", "http-header", "http-request-method", "path-pattern", "query-string", "source-ip")
LAST = {"forward", "redirect", "fixed-response"}
CONTENT_TYPES = ("text/html", "application/json", "application/javascript", "text/css", "text/plain")


def elb(
    *operations: str, message: str, source: str, wording: str = "", error: str = "ValidationError"
) -> Callable[[Finder], Finder]:
    """A rule for operations of Elastic Load Balancing."""
    return rule(*(f"elbv2:{name}" for name in operations), error=error, message=message, source=source, wording=wording)


def is_network(request: Json) -> bool:
    return bool(request.get("Type", "application") != "application")


@elb(
    "CreateLoadBalancer",
    message="The load balancer name '{name}' cannot be longer than '32' characters",
    source=BALANCER,
    wording=REPORTS,
)
def balancer_name_length(request: Json, _state: State) -> Iterator[Json]:
    """A load balancer's name of more than 32 characters."""
    if len(request["Name"]) > 32:
        yield {"name": request["Name"]}


@elb(
    "CreateLoadBalancer",
    message="The load balancer name '{name}' can only contain characters that are alphanumeric characters and "
    "hyphens(-)",
    source=BALANCER,
    wording=REPORTS,
)
def balancer_name(request: Json, _state: State) -> Iterator[Json]:
    """A load balancer's name of other characters than letters, numbers and hyphens."""
    if not re.fullmatch(r"[A-Za-z0-9-]*", request["Name"]):
        yield {"name": request["Name"]}


@elb(
    "CreateLoadBalancer",
    message="The load balancer name '{name}' cannot begin or end with '-', nor begin with 'internal-'",
    source=BALANCER,
)
def balancer_name_form(request: Json, _state: State) -> Iterator[Json]:
    """A load balancer's name that begins or ends with a hyphen, or begins with internal-."""
    name = request["Name"]
    if name.startswith(("-", "internal-")) or name.endswith("-"):
        yield {"name": name}


@elb(
    "CreateLoadBalancer",
    message="A load balancer with the same name '{name}' exists, but with different settings",
    source=BALANCER,
    wording=REPORTS,
    error="DuplicateLoadBalancerName",
)
def balancer_exists(request: Json, state: State) -> Iterator[Json]:
    """The name of another load balancer that has another scheme, other subnets or other groups."""
    for one in state.all("load_balancers"):
        places = set(one["Subnets"]) != set(subnets(request))
        groups = set(one["SecurityGroups"]) != set(request.get("SecurityGroups") or [])
        scheme = one["Scheme"] != request.get("Scheme", "internet-facing")
        if one["LoadBalancerName"] == request["Name"] and (places or groups or scheme):
            yield {"name": request["Name"]}


def subnets(request: Json) -> list[str]:
    mapped = [mapping["SubnetId"] for mapping in request.get("SubnetMappings") or [] if mapping.get("SubnetId")]
    return [*(request.get("Subnets") or []), *mapped]


@elb(
    *SUBNETS,
    message="The subnet ID '{name}' does not exist",
    source=BALANCER,
    wording=MOTO,
    error="SubnetNotFound",
)
def balancer_subnet(request: Json, state: State) -> Iterator[Json]:
    """A subnet that does not exist."""
    yield from ({"name": name} for name in subnets(request) if not state.get("subnets", name))


@elb(
    *SUBNETS,
    message="A load balancer cannot be attached to multiple subnets in the same Availability Zone",
    source=BALANCER,
    wording=REPORTS,
    error="InvalidConfigurationRequest",
)
def two_subnets_of_a_zone(request: Json, state: State) -> Iterator[Json]:
    """Two subnets of one zone."""
    found = [state.get("subnets", name) or {} for name in subnets(request)]
    zones = [one.get("AvailabilityZone") for one in found]
    if len(zones) > len(set(zones)):
        yield {}


@elb(
    *SUBNETS,
    message="At least two subnets in two different Availability Zones must be specified",
    source=BALANCER,
    wording=REPORTS,
)
def one_zone(request: Json, state: State) -> Iterator[Json]:
    """An application load balancer in fewer than two zones."""
    zones = {(state.get("subnets", name) or {}).get("AvailabilityZone") for name in subnets(request)}
    if not is_network(request) and len(zones) < 2:
        yield {}


def vpcs(request: Json, state: State) -> set[str]:
    """The VPCs of a load balancer's subnets."""
    found = (state.get("subnets", name) for name in subnets(request))
    return {one["VpcId"] for one in found if one}


@elb(
    *SUBNETS,
    message="All subnets must belong to the same VPC, got {vpcs}",
    source=BALANCER,
    error="InvalidConfigurationRequest",
)
def balancer_in_two_vpcs(request: Json, state: State) -> Iterator[Json]:
    """Subnets of two VPCs."""
    found = vpcs(request, state)
    if len(found) > 1:
        yield {"vpcs": ", ".join(sorted(found))}


@elb(
    "CreateLoadBalancer",
    "SetSecurityGroups",
    message="Security group {name} does not exist",
    source=BALANCER,
    wording=MOTO,
    error="InvalidSecurityGroup",
)
def balancer_group(request: Json, state: State) -> Iterator[Json]:
    """A security group that does not exist."""
    groups = request.get("SecurityGroups") or []
    yield from ({"name": name} for name in groups if not state.get("security_groups", name))


@elb(
    "CreateLoadBalancer",
    message="One or more security groups are invalid",
    source=BALANCER,
    error="InvalidConfigurationRequest",
)
def balancer_group_of_another_vpc(request: Json, state: State) -> Iterator[Json]:
    """A security group of another VPC than the subnets."""
    found = [state.get("security_groups", name) for name in request.get("SecurityGroups") or []]
    if any(one and vpcs(request, state) and one["VpcId"] not in vpcs(request, state) for one in found):
        yield {}


@elb(
    "CreateLoadBalancer",
    message="VPC {vpc} has no internet gateway",
    source=f"{GUIDE}/create-application-load-balancer.html",
    wording=REPORTS,
    error="InvalidSubnet",
)
def balancer_without_gateway(request: Json, state: State) -> Iterator[Json]:
    """An internet-facing load balancer in a VPC without internet gateway."""
    attached = {one["VpcId"] for gateway in state.all("internet_gateways") for one in gateway.get("Attachments") or []}
    for vpc in vpcs(request, state) - attached:
        if request.get("Scheme", "internet-facing") == "internet-facing":
            yield {"vpc": vpc}


@elb(
    "CreateTargetGroup",
    message="Target group name '{name}' cannot be longer than '32' characters",
    source=GROUP,
    wording=MOTO,
)
def group_name_length(request: Json, _state: State) -> Iterator[Json]:
    """A target group's name of more than 32 characters."""
    if len(request["Name"]) > 32:
        yield {"name": request["Name"]}


@elb(
    "CreateTargetGroup",
    message="Target group name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)",
    source=GROUP,
    wording=MOTO,
)
def group_name(request: Json, _state: State) -> Iterator[Json]:
    """A target group's name of other characters than letters, numbers and hyphens."""
    if not re.fullmatch(r"[A-Za-z0-9-]*", request["Name"]):
        yield {"name": request["Name"]}


@elb(
    "CreateTargetGroup",
    message="Target group name '{name}' cannot begin or end with '-'",
    source=GROUP,
    wording=MOTO,
)
def group_name_form(request: Json, _state: State) -> Iterator[Json]:
    """A target group's name that begins or ends with a hyphen."""
    if request["Name"].startswith("-") or request["Name"].endswith("-"):
        yield {"name": request["Name"]}


@elb(
    "CreateTargetGroup",
    message="A target group with the same name '{name}' exists, but with different settings",
    source=GROUP,
    wording=REPORTS,
    error="DuplicateTargetGroupName",
)
def group_exists(request: Json, state: State) -> Iterator[Json]:
    """The name of another target group that has another protocol, port, VPC or type."""
    for one in state.all("target_groups"):
        settings = ("Protocol", "Port", "VpcId", "TargetType")
        differs = any(name in request and one.get(name) != request[name] for name in settings)
        if one["TargetGroupName"] == request["Name"] and differs:
            yield {"name": request["Name"]}


@elb("CreateTargetGroup", message="A {member} must be specified", source=GROUP, wording=MOTO)
def group_without_port(request: Json, _state: State) -> Iterator[Json]:
    """A target group of instances or addresses without protocol, port or VPC."""
    for name, member in (("Protocol", "protocol"), ("Port", "port"), ("VpcId", "VPC ID")):
        if request.get("TargetType", "instance") in {"instance", "ip"} and not request.get(name):
            yield {"member": member}


@elb("CreateTargetGroup", message="The VPC ID '{vpc}' is not found", source=GROUP, wording=MOTO)
def group_vpc(request: Json, state: State) -> Iterator[Json]:
    """A target group in a VPC that does not exist."""
    if request.get("VpcId") and not state.get("vpcs", request["VpcId"]):
        yield {"vpc": request["VpcId"]}


def group_now(request: Json, state: State) -> Json:
    return state.get("target_groups", request.get("TargetGroupArn", "")) or {}


@elb(*GROUPS, message="Health check interval must be greater than the timeout.", source=GROUP, wording=REPORTS)
def check_timeout(request: Json, state: State) -> Iterator[Json]:
    """A health check with a timeout that is not shorter than its interval."""
    now = group_now(request, state)
    interval = int(request.get("HealthCheckIntervalSeconds") or now.get("HealthCheckIntervalSeconds") or 30)
    timeout = int(request.get("HealthCheckTimeoutSeconds") or now.get("HealthCheckTimeoutSeconds") or 5)
    if timeout >= interval:
        yield {}


@elb(
    *GROUPS,
    message="Health check path '{path}' must begin with a '/' character, and can only contain printable ASCII "
    "characters without spaces",
    source=GROUP,
    wording=REPORTS,
)
def check_path(request: Json, _state: State) -> Iterator[Json]:
    """A health check's path that does not begin with a slash, or has spaces."""
    path = request.get("HealthCheckPath", "/")
    if not re.fullmatch(r"/[!-~]*", path):
        yield {"path": path}


@elb(
    *GROUPS,
    message="Health check matcher HTTP code '{code}' must be within '200-499'",
    source=f"{API}/API_Matcher.html",
)
def check_codes(request: Json, state: State) -> Iterator[Json]:
    """Codes of a health check that are none of 200 to 499."""
    codes = (request.get("Matcher") or {}).get("HttpCode")
    protocol = request.get("Protocol", group_now(request, state).get("Protocol", "HTTP"))
    form = r"[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*"
    if codes and protocol in {"HTTP", "HTTPS"} and not re.fullmatch(form, codes):
        yield {"code": codes}


@elb(
    "DeleteTargetGroup",
    message="Target group '{arn}' is currently in use by a listener or a rule",
    source=f"{API}/API_DeleteTargetGroup.html",
    wording=MOTO,
    error="ResourceInUse",
)
def group_in_use(request: Json, state: State) -> Iterator[Json]:
    """The deletion of a target group that a listener or rule uses."""
    actions = [action for one in state.all("listeners") for action in one["DefaultActions"]]
    actions += [action for one in state.all("listener_rules") for action in one["Actions"]]
    if request["TargetGroupArn"] in groups_of(actions):
        yield {"arn": request["TargetGroupArn"]}


def groups_of(actions: list[Json]) -> set[str]:
    """The target groups that actions forward to."""
    weighted = [one for action in actions for one in (action.get("ForwardConfig") or {}).get("TargetGroups") or []]
    return {str(one["TargetGroupArn"]) for one in (*actions, *weighted) if one.get("TargetGroupArn")}


def actions_of(request: Json) -> list[Json]:
    return list(request.get("Actions") or request.get("DefaultActions") or [])


def listener_of(request: Json, state: State) -> Json:
    """The listener that a request names, or that of its rule; empty if it does not exist."""
    rule_now = state.get("listener_rules", request.get("RuleArn", "")) or {}
    return state.get("listeners", request.get("ListenerArn") or rule_now.get("ListenerArn") or "") or {}


def balancer_of(request: Json, state: State) -> str:
    """The load balancer of a listener, of the request or of its rule."""
    return str(request.get("LoadBalancerArn") or listener_of(request, state).get("LoadBalancerArn", ""))


@elb(
    *LISTENERS,
    *LISTENER_RULES,
    message="Target groups '{arn}' not found",
    source=f"{API}/API_Action.html",
    error="TargetGroupNotFound",
)
def action_group(request: Json, state: State) -> Iterator[Json]:
    """An action that forwards to a target group that does not exist."""
    unknown = [arn for arn in groups_of(actions_of(request)) if not state.get("target_groups", arn)]
    yield from ({"arn": arn} for arn in unknown)


@elb(
    *LISTENERS,
    *LISTENER_RULES,
    message="The following target groups cannot be associated with more than one load balancer: {arn}",
    source=f"{GUIDE}/load-balancer-target-groups.html",
    wording=REPORTS,
    error="TargetGroupAssociationLimit",
)
def group_of_another_balancer(request: Json, state: State) -> Iterator[Json]:
    """A target group that another load balancer uses."""
    used = {
        arn: one["LoadBalancerArn"]
        for one in state.all("listeners")
        for arn in groups_of(
            one["DefaultActions"]
            + [
                action
                for listener_rule in state.all("listener_rules")
                if listener_rule["ListenerArn"] == one["ListenerArn"]
                for action in listener_rule["Actions"]
            ]
        )
    }
    own = balancer_of(request, state)
    for arn in groups_of(actions_of(request)):
        if own and used.get(arn, own) != own:
            yield {"arn": arn}


@elb(
    "CreateListener",
    message="A listener already exists on this port for this load balancer '{arn}'",
    source=LISTENER,
    wording=REPORTS,
    error="DuplicateListener",
)
def listener_exists(request: Json, state: State) -> Iterator[Json]:
    """A second listener on one port."""
    for one in state.all("listeners"):
        if (one["LoadBalancerArn"], one["Port"]) == (request["LoadBalancerArn"], request.get("Port")):
            yield {"arn": one["LoadBalancerArn"]}


@elb(
    "CreateListener",
    message="A certificate must be specified for HTTPS listeners",
    source=LISTENER,
    wording=REPORTS,
)
def listener_certificate(request: Json, _state: State) -> Iterator[Json]:
    """An HTTPS listener without certificate."""
    if request.get("Protocol") == "HTTPS" and not request.get("Certificates"):
        yield {}


@elb("CreateListener", message="A listener {member} must be specified", source=LISTENER, wording=MOTO)
def listener_port(request: Json, _state: State) -> Iterator[Json]:
    """A listener without port or protocol."""
    yield from ({"member": name.lower()} for name in ("Port", "Protocol") if not request.get(name))


@elb(
    "CreateRule",
    message="Priority '{priority}' is currently in use",
    source=RULE,
    wording=REPORTS,
    error="PriorityInUse",
)
def priority_in_use(request: Json, state: State) -> Iterator[Json]:
    """A second rule of one priority."""
    for one in state.all("listener_rules"):
        if (one["ListenerArn"], str(one["Priority"])) == (request["ListenerArn"], str(request["Priority"])):
            yield {"priority": request["Priority"]}


@elb("CreateRule", message="A condition must be specified", source=CONDITION)
def rule_without_condition(request: Json, _state: State) -> Iterator[Json]:
    """A rule without conditions."""
    if not request.get("Conditions"):
        yield {}


def values_of(condition: Json) -> list[str]:
    """The values of a condition, in either form; each type of address of a network load balancer is one."""
    name = "".join(part.capitalize() for part in str(condition.get("Field", "")).split("-")) + "Config"
    config = condition.get(name) or {}
    found = [value for one in (condition, config) for key in ("Values", "RegexValues") for value in one.get(key) or []]
    found += [config["IpAddressType"]] if config.get("IpAddressType") else []
    return [str(value.get("Value", "")) if isinstance(value, dict) else str(value) for value in found]


def conditions_of(request: Json) -> list[Json]:
    return list(request.get("Conditions") or [])


@elb(
    *LISTENER_RULES,
    message="Condition field '{field}' must be one of '[path-pattern, host-header, http-header, http-request-method, "
    "query-string, source-ip]'",
    source=CONDITION,
    wording="https://github.com/getmoto/moto/blob/master/moto/elbv2/exceptions.py",
)
def condition_field(request: Json, _state: State) -> Iterator[Json]:
    """A condition on a field that does not exist."""
    fields = (condition.get("Field") for condition in conditions_of(request))
    yield from ({"field": field} for field in fields if field not in FIELDS)


@elb(*LISTENER_RULES, message="A condition value must be specified", source=CONDITION, wording=MOTO)
def condition_without_value(request: Json, _state: State) -> Iterator[Json]:
    """A condition without values."""
    yield from ({} for condition in conditions_of(request) if not values_of(condition))


@elb(
    *LISTENER_RULES,
    message="A rule can only have '5' condition values",
    source=f"{GUIDE}/load-balancer-limits.html",
    wording=REPORTS,
)
def condition_values(request: Json, _state: State) -> Iterator[Json]:
    """More than 5 values of all conditions of a rule."""
    if sum(len(values_of(condition)) for condition in conditions_of(request)) > 5:
        yield {}


@elb(
    *LISTENER_RULES,
    message="The '{field}' value is too long; the limit is '128'",
    source=CONDITION,
    wording=MOTO,
)
def condition_length(request: Json, _state: State) -> Iterator[Json]:
    """A value of a condition of more than 128 characters."""
    for condition in conditions_of(request):
        yield from ({"field": condition["Field"]} for value in values_of(condition) if len(value) > 128)


@elb(*LISTENER_RULES, message="A rule can have one condition of the field '{field}'", source=CONDITION)
def condition_twice(request: Json, _state: State) -> Iterator[Json]:
    """Two conditions on the path, host, method or source of a request."""
    fields = [str(condition.get("Field")) for condition in conditions_of(request)]
    once = {"host-header", "path-pattern", "http-request-method", "source-ip"}
    yield from ({"field": field} for field in sorted({field for field in fields if fields.count(field) > 1} & once))


@elb(
    *LISTENERS,
    *LISTENER_RULES,
    message="A rule must have exactly one action of forward, redirect and fixed-response, as the last one",
    source=f"{API}/API_Action.html",
)
def last_action(request: Json, _state: State) -> Iterator[Json]:
    """Actions that do not end with the only one that forwards, redirects or answers."""
    types = [action["Type"] for action in sorted(actions_of(request), key=lambda one: one.get("Order", 0))]
    if types and (types[-1] not in LAST or len(LAST.intersection(types[:-1])) > 0):
        yield {}


@elb(
    *LISTENERS,
    *LISTENER_RULES,
    message="The redirect configuration is not valid because it creates a loop.",
    source=f"{API}/API_RedirectActionConfig.html",
    wording=REPORTS,
    error="InvalidLoadBalancerAction",
)
def redirect_loop(request: Json, state: State) -> Iterator[Json]:
    """A redirect that changes neither protocol, host, port nor path."""
    listener = state.get("listeners", request.get("ListenerArn", "")) or {}
    now = {name: str(request.get(name) or listener.get(name)) for name in ("Protocol", "Port")}
    own = {"Protocol": {"#{protocol}", now["Protocol"]}, "Port": {"#{port}", now["Port"]}}
    own |= {"Host": {"#{host}"}, "Path": {"/#{path}"}}
    for action in actions_of(request):
        target = action.get("RedirectConfig")
        if target and all(name not in target or target[name] in same for name, same in own.items()):
            yield {}


@elb(
    *LISTENERS,
    *LISTENER_RULES,
    message="The ContentType must be one of:'text/html', 'application/json', 'application/javascript', 'text/css', "
    "'text/plain'",
    source=f"{API}/API_FixedResponseActionConfig.html",
    wording=MOTO,
    error="InvalidLoadBalancerAction",
)
def fixed_content(request: Json, _state: State) -> Iterator[Json]:
    """A fixed answer of another type of content."""
    for action in actions_of(request):
        content = (action.get("FixedResponseConfig") or {}).get("ContentType")
        if content and content not in CONTENT_TYPES:
            yield {}


@elb(
    "ModifyTargetGroupAttributes",
    message="'deregistration_delay.timeout_seconds' value '{value}' must be between '0-3600' inclusive",
    source=f"{API}/API_TargetGroupAttribute.html",
    wording=MOTO,
)
def deregistration_delay(request: Json, _state: State) -> Iterator[Json]:
    """A deregistration delay of more than an hour."""
    value = attribute(request, "deregistration_delay.timeout_seconds")
    if value and not 0 <= int(value) <= 3600:
        yield {"value": value}


def attribute(request: Json, name: str) -> str:
    return next((str(one.get("Value")) for one in request.get("Attributes") or [] if one.get("Key") == name), "")


@elb(
    "ModifyLoadBalancerAttributes",
    message="'idle_timeout.timeout_seconds' value '{value}' must be between '1-4000' inclusive",
    source=f"{GUIDE}/edit-load-balancer-attributes.html",
)
def idle_timeout(request: Json, _state: State) -> Iterator[Json]:
    """An idle timeout that is not between 1 and 4000 seconds."""
    value = attribute(request, "idle_timeout.timeout_seconds")
    if value and not 1 <= int(value) <= 4000:
        yield {"value": value}


@elb(
    "ModifyLoadBalancerAttributes",
    message="Access Denied for bucket: {bucket}. Please check S3bucket permission",
    source=f"{GUIDE}/enable-access-logging.html",
    wording=REPORTS,
    error="InvalidConfigurationRequest",
)
def log_bucket(request: Json, state: State) -> Iterator[Json]:
    """Access logs into a bucket that does not exist, or without a policy that lets the load balancer write."""
    bucket = attribute(request, "access_logs.s3.bucket")
    on = attribute(request, "access_logs.s3.enabled") == "true"
    if on and bucket and "s3:PutObject" not in str(state.get("bucket_policies", bucket)):
        yield {"bucket": bucket}


@elb(
    "RegisterTargets",
    message="The target '{name}' is not valid for target groups of the type {type}",
    source=f"{API}/API_TargetDescription.html",
)
def target_form(request: Json, state: State) -> Iterator[Json]:
    """An instance for a target group of addresses, or the reverse."""
    kind = group_now(request, state).get("TargetType")
    for target in request["Targets"]:
        if kind in {"ip", "instance"} and target["Id"].startswith("i-") != (kind == "instance"):
            yield {"name": target["Id"], "type": kind}
