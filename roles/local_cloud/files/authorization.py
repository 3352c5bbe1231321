# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulator's check of IAM policies leaves out, as AWS's Service Authorization Reference has it.

The emulator asks once a call, about one resource, and knows few tags. On AWS each resource that a call names or makes
is a question of its own; so are the tags that it sets, the role that it hands on and the service-linked role that it
makes.
"""

from __future__ import annotations

import contextvars
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from emulator_patches import wrap

Json = dict[str, Any]

EC2_TYPES = {
    "ami": "image",
    "eipalloc": "elastic-ip",
    "fl": "vpc-flow-log",
    "i": "instance",
    "igw": "internet-gateway",
    "lt": "launch-template",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
EC2_ID = re.compile(r"(\w+?)-[0-9a-f]{8,}")
EC2_MADE = {
    "AllocateAddress": ["elastic-ip"],
    "CreateFlowLogs": ["vpc-flow-log"],
    "CreateInternetGateway": ["internet-gateway"],
    "CreateLaunchTemplate": ["launch-template"],
    "CreateNatGateway": ["natgateway"],
    "CreateRouteTable": ["route-table"],
    "CreateSecurityGroup": ["security-group"],
    "CreateSubnet": ["subnet"],
    "CreateVpc": ["vpc"],
    "CreateVpcEndpoint": ["vpc-endpoint"],
    "ImportKeyPair": ["key-pair"],
    "RunInstances": ["instance", "network-interface", "volume"],
}
# Ids in these members are not asked about: what to look for, and where a rule or a route leads to.
EC2_ASIDE = re.compile(r"Filter\.|IpPermissions\.|(Gateway|NatGateway)Id$")
EC2_KEEPS_GATEWAY = {"DeleteNatGateway"}
SERVICE_ROLES = {
    "ecs:CreateCluster": ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
    "elasticloadbalancing:CreateLoadBalancer": (
        "elasticloadbalancing.amazonaws.com",
        "AWSServiceRoleForElasticLoadBalancing",
    ),
}
# What each service calls the setting of tags.
TAGGING = {
    "ec2": "CreateTags",
    "ecr": "TagResource",
    "ecs": "TagResource",
    "elasticloadbalancing": "AddTags",
    "logs": "TagResource",
    "scheduler": "TagResource",
    "ssm": "AddTagsToResource",
}


@dataclass(frozen=True)
class Question:
    """May the caller do this to that?"""

    action: str
    resource: str
    context: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A request as the emulator has understood it."""

    service: str
    params: dict[str, str]
    body: Json
    region: str
    account: str
    # The body as it was sent, for services that speak XML.
    text: str = ""

    def arn(self, resource: str, service: str = "") -> str:
        """`vpc/x` as an ARN of this account; an ARN stays as it is."""
        service = service or self.service
        region = "" if service == "iam" else self.region
        return resource if resource.startswith("arn:") else f"arn:aws:{service}:{region}:{self.account}:{resource}"

    def listed(self, member: str) -> list[str]:
        """A list of the Query protocol."""
        return [value for key, value in self.params.items() if re.fullmatch(rf"{member}(\.member)?\.\d+", key)]


_call: contextvars.ContextVar[Call | None] = contextvars.ContextVar("call", default=None)


def read_call(service: str, body: bytes, params: Json, region: str, account: str) -> Call:
    flat = {key: str(value[0] if isinstance(value, list) else value) for key, value in params.items() if value}
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        document = {}
    text = (body or b"").decode(errors="replace")
    return Call(service, flat, document if isinstance(document, dict) else {}, region, account, text)


# Tags


def tags_in(call: Call, kind: str = "") -> dict[str, str]:
    """The tags that a call sets, on EC2 those for one type of resource."""
    tagged = call.body.get("tags", call.body.get("Tags", []))
    if isinstance(tagged, dict):
        return {str(key): str(value) for key, value in tagged.items()}
    tags = {tag.get("key", tag.get("Key")): tag.get("value", tag.get("Value")) for tag in tagged}
    for name, key in call.params.items():
        if not (match := re.fullmatch(r"((?:TagSpecification\.\d+\.)?Tags?(?:\.member)?\.\d+)\.Key", name)):
            continue
        specification = re.match(r"TagSpecification\.\d+\.", name)
        if specification and call.params.get(f"{specification[0]}ResourceType") != kind:
            continue
        tags[key] = call.params.get(f"{match[1]}.Value", "")
    return tags


def tag_context(tags: dict[str, str]) -> Json:
    keys: Json = {"aws:TagKeys": list(tags)} if tags else {}
    return keys | {f"aws:RequestTag/{key}": value for key, value in tags.items()}


def removed_tags(call: Call) -> Json:
    """The keys of the tags that a call removes."""
    keys = call.body.get("tagKeys") or call.body.get("TagKeys") or call.listed("TagKeys")
    return {"aws:TagKeys": list(keys)} if keys else {}


def making(call: Call, action: str, resource: str, kind: str = "") -> Iterator[Question]:
    """To make a resource, and to tag it meanwhile."""
    tags = tags_in(call, kind)
    yield Question(f"{call.service}:{action}", resource, tag_context(tags))
    if tags and call.service in TAGGING:
        context = tag_context(tags) | {f"{call.service}:CreateAction": action}
        yield Question(f"{call.service}:{TAGGING[call.service]}", resource, context)


def passing(call: Call, role: str, service: str) -> Question:
    return Question("iam:PassRole", call.arn(role, "iam"), {"iam:PassedToService": service})


# What each service asks


def ec2_questions(call: Call, action: str) -> Iterator[Question]:
    if action.startswith("Describe"):
        yield Question(f"ec2:{action}", "*")
        return
    tags = tags_in(call) if action in {"CreateTags", "DeleteTags"} else {}
    for resource in dict.fromkeys(ec2_named(call, action)):
        yield Question(f"ec2:{action}", resource, tag_context(tags))
    for kind in EC2_MADE.get(action, []):
        name = call.params.get("KeyName", "*") if kind == "key-pair" else "*"
        yield from making(call, action, call.arn(f"{kind}/{name}"), kind)
    if action == "RunInstances":
        yield from launch_questions(call)
    if role := call.params.get("DeliverLogsPermissionArn"):
        yield passing(call, role, "vpc-flow-logs.amazonaws.com")


def ec2_named(call: Call, action: str) -> Iterator[str]:
    """The resources that a call names by their ids."""
    for member, value in call.params.items():
        if EC2_ASIDE.search(member) and action not in EC2_KEEPS_GATEWAY:
            continue
        match = EC2_ID.fullmatch(value)
        if match and match[1] in EC2_TYPES:
            arn = call.arn(f"{EC2_TYPES[match[1]]}/{value}")
            yield arn.replace(f":{call.account}:image/", "::image/")
    if "KeyName" in call.params and action != "ImportKeyPair":
        yield call.arn(f"key-pair/{call.params['KeyName']}")
    if action == "DisassociateRouteTable":
        yield from routed(call)


def routed(call: Call) -> Iterator[str]:
    """Both sides of an association of a route table."""
    from ministack.services import ec2

    for table_id, table in ec2._route_tables.items():
        for one in table["Associations"]:
            if one["RouteTableAssociationId"] == call.params.get("AssociationId"):
                yield call.arn(f"route-table/{table_id}")
                yield call.arn(f"subnet/{one['SubnetId']}")


def launch_questions(call: Call) -> Iterator[Question]:
    """An image by parameter has to be read, and the instance profile passes a role."""
    from ministack.services import iam

    image = call.params.get("ImageId", "")
    if image.startswith("resolve:ssm:"):
        parameter = image.removeprefix("resolve:ssm:")
        yield Question("ssm:GetParameters", f"arn:aws:ssm:{call.region}::parameter{parameter}")
        yield Question("ec2:RunInstances", f"arn:aws:ec2:{call.region}::image/*")
    profile = call.params.get("IamInstanceProfile.Name") or call.params.get("IamInstanceProfile.Arn", "")
    for role in (iam._instance_profiles.get(profile.rpartition("/")[2]) or {}).get("Roles", []):
        name = role if isinstance(role, str) else role["RoleName"]
        yield passing(call, f"role/{name}", "ec2.amazonaws.com")


# Where an ECS call names its resources, and what their names in ARNs begin with. {} is the cluster.
ECS_NAMED = {
    "ContinueServiceDeployment": ("serviceDeploymentArn", ""),
    "CreateCluster": ("clusterName", "cluster/"),
    "CreateService": ("serviceName", "service/{}/"),
    "DeleteCluster": ("cluster", "cluster/"),
    "DeleteService": ("service", "service/{}/"),
    "DeleteTaskDefinitions": ("taskDefinitions", "task-definition/"),
    "DescribeClusters": ("clusters", "cluster/"),
    "DescribeServiceDeployments": ("serviceDeploymentArns", ""),
    "DescribeServiceRevisions": ("serviceRevisionArns", ""),
    "DescribeServices": ("services", "service/{}/"),
    "DescribeTasks": ("tasks", "task/{}/"),
    "ExecuteCommand": ("task", "task/{}/"),
    "ListServiceDeployments": ("service", "service/{}/"),
    "ListTagsForResource": ("resourceArn", ""),
    "PutClusterCapacityProviders": ("cluster", "cluster/"),
    "RegisterTaskDefinition": ("family", "task-definition/"),
    "RunTask": ("taskDefinition", "task-definition/"),
    "StopServiceDeployment": ("serviceDeploymentArn", ""),
    "StopTask": ("task", "task/{}/"),
    "TagResource": ("resourceArn", ""),
    "UntagResource": ("resourceArn", ""),
    "UpdateCluster": ("cluster", "cluster/"),
    "UpdateService": ("service", "service/{}/"),
}


def ecs_questions(call: Call, action: str) -> Iterator[Question]:
    cluster = str(call.body.get("cluster") or "default").rpartition("/")[2]
    if action not in ECS_NAMED:
        yield Question(f"ecs:{action}", "*", {"ecs:cluster": call.arn(f"cluster/{cluster}")})
        return
    member, prefix = ECS_NAMED[action]
    names = call.body.get(member) or "*"
    for name in [names] if isinstance(names, str) else names:
        resource = name if name.startswith("arn:") else call.arn(prefix.format(cluster) + name)
        if action in {"CreateCluster", "CreateService"}:
            yield from making(call, action, resource)
        elif action == "RegisterTaskDefinition":
            yield from making(call, action, f"{resource}:*")
        elif action == "RunTask":
            yield from running(call, resource, cluster)
        else:
            yield Question(f"ecs:{action}", resource, tag_context(tags_in(call)))
    if action == "ExecuteCommand":
        yield Question("ecs:ExecuteCommand", call.arn(f"cluster/{cluster}"))
    if action == "RegisterTaskDefinition":
        yield from passing_to_tasks(call, call.body)
    for balancer in call.body.get("loadBalancers") or ():
        if role := (balancer.get("advancedConfiguration") or {}).get("roleArn"):
            yield passing(call, role, "ecs.amazonaws.com")


def passing_to_tasks(call: Call, definition: Json) -> Iterator[Question]:
    for role in {definition[member] for member in ("executionRoleArn", "taskRoleArn") if definition.get(member)}:
        yield passing(call, role, "ecs-tasks.amazonaws.com")


def running(call: Call, resource: str, cluster: str) -> Iterator[Question]:
    """To run tasks, to tag them meanwhile, and to hand on the roles of their task definition."""
    from ministack.services import ecs

    tags = tag_context(tags_in(call))
    yield Question("ecs:RunTask", resource, tags | {"ecs:cluster": call.arn(f"cluster/{cluster}")})
    if tags:
        yield Question("ecs:TagResource", call.arn(f"task/{cluster}/*"), tags | {"ecs:CreateAction": "RunTask"})
    definition = ecs._task_defs.get(resource.rpartition("/")[2]) or {}
    yield from passing_to_tasks(call, definition | (call.body.get("overrides") or {}))


def ecr_questions(call: Call, action: str) -> Iterator[Question]:
    if action == "GetAuthorizationToken":
        yield Question(f"ecr:{action}", "*")
        return
    body = call.body
    names = body.get("repositoryNames") or [body.get("repositoryName", "*")]
    resources = [body["resourceArn"]] if "resourceArn" in body else [call.arn(f"repository/{name}") for name in names]
    for resource in resources:
        if action == "CreateRepository":
            yield from making(call, action, resource)
        else:
            yield Question(f"ecr:{action}", resource, tag_context(tags_in(call)))


ELB_MADE = {"CreateLoadBalancer": "loadbalancer/app", "CreateTargetGroup": "targetgroup"}
ELB_NAMED = ("RuleArn", "ListenerArn", "LoadBalancerArn", "TargetGroupArn")


def elasticloadbalancing_questions(call: Call, action: str) -> Iterator[Question]:
    if action.startswith("Describe"):
        yield Question(f"elasticloadbalancing:{action}", "*")
    elif action in ELB_MADE:
        yield from making(call, action, call.arn(f"{ELB_MADE[action]}/{call.params['Name']}/*"))
    elif action in {"CreateListener", "CreateRule"}:
        parent = call.params["LoadBalancerArn" if action == "CreateListener" else "ListenerArn"]
        # Creating is asked about where the new one is put, tagging about itself, whose id is not known yet.
        own = {"CreateListener": (":loadbalancer/", ":listener/"), "CreateRule": (":listener/", ":listener-rule/")}
        create, *tag = making(call, action, parent)
        yield create
        yield from (replace(one, resource=f"{parent.replace(*own[action])}/*") for one in tag)
    else:
        named = call.listed("ResourceArns") or [call.params[name] for name in ELB_NAMED if name in call.params][:1]
        named = named or [value for key, value in call.params.items() if key.endswith(".RuleArn")]
        for resource in named:
            yield Question(f"elasticloadbalancing:{action}", resource, tag_context(tags_in(call)))


def boundary_of(call: Call, action: str, role: str) -> Json:
    """The boundary that a request sets, or that its role carries."""
    from ministack.services import iam

    sets = action in {"CreateRole", "PutRolePermissionsBoundary"}
    boundary = (call.params if sets else iam._roles.get(role) or {}).get("PermissionsBoundary")
    return {"iam:PermissionsBoundary": boundary} if boundary else {}


def iam_questions(call: Call, action: str) -> Iterator[Question]:
    profile, role = call.params.get("InstanceProfileName"), call.params.get("RoleName", "")
    kind = "instance-profile" if profile else "role"
    resource = call.arn(f"{kind}/{profile or role}")
    context = tag_context(tags_in(call)) | boundary_of(call, action, role)
    if "PolicyArn" in call.params:
        context["iam:PolicyARN"] = call.params["PolicyArn"]
    yield Question(f"iam:{action}", resource, context)
    if action in {"CreateInstanceProfile", "CreateRole"} and tags_in(call):
        yield Question(f"iam:Tag{action.removeprefix('Create')}", resource, context)
    if action == "AddRoleToInstanceProfile":
        yield passing(call, f"role/{role}", "ec2.amazonaws.com")


def json_questions(call: Call, action: str, resource: str) -> Iterator[Question]:
    """Services for which the emulator finds the resource."""
    if action == "GetLogEvents":
        resource += f":log-stream:{call.body.get('logStreamName', '*')}"
    if action in {"CreateLogGroup", "PutParameter"}:
        yield from making(call, action, resource)
    elif action == "StartSession":
        yield from session_questions(call)
    elif call.service == "ssm" and "Names" in call.body:
        yield from (Question(f"ssm:{action}", call.arn(f"parameter{name}")) for name in call.body["Names"])
    elif call.service == "ssm" and "Path" in call.body:
        yield Question(f"ssm:{action}", call.arn(f"parameter{call.body['Path']}"))
    else:
        yield Question(f"{call.service}:{action}", resource, tag_context(tags_in(call)))


def session_questions(call: Call) -> Iterator[Question]:
    """A session has a target and a document. Only who says that it counts is asked about the one that is not named."""
    target, document = str(call.body["Target"]), call.body.get("DocumentName")
    check = {"ssm:SessionDocumentAccessCheck": str(bool(document)).lower()}
    if target.startswith("ecs:"):
        cluster, task, _runtime = target.removeprefix("ecs:").rsplit("_", 2)
        yield Question("ssm:StartSession", call.arn(f"task/{cluster}/{task}", "ecs"), check)
    else:
        yield Question("ssm:StartSession", call.arn(f"instance/{target}", "ec2"), check)
    if document:
        yield Question("ssm:StartSession", f"arn:aws:ssm:{call.region}::document/{document}", check)


def scheduler_questions(call: Call, action: str, resource: str) -> Iterator[Question]:
    """The emulator takes each schedule for one of the default group. A schedule passes a role."""
    group = call.body.get("GroupName") or call.params.get("groupName") or "default"
    resource = resource.replace(":schedule/default/", f":schedule/{group}/")
    if action == "CreateScheduleGroup":
        yield from making(call, action, resource)
    else:
        yield Question(f"scheduler:{action}", resource, tag_context(tags_in(call)))
    if role := (call.body.get("Target") or {}).get("RoleArn"):
        yield passing(call, role, "scheduler.amazonaws.com")


def said(call: Call, name: str) -> Json:
    """Condition keys of what a request says, beside tags: what policies limit by them has to be there."""
    if name == "acm:RequestCertificate":
        domains = [call.body.get("DomainName", ""), *(call.body.get("SubjectAlternativeNames") or ())]
        return {"acm:DomainNames": domains, "acm:ValidationMethod": call.body.get("ValidationMethod", "")}
    if name == "route53:ChangeResourceRecordSets":
        found = {key: re.findall(rf"<{key}>([^<]*)</{key}>", call.text) for key in ("Action", "Name", "Type")}
        names = [record.lower().removesuffix(".") for record in found["Name"]]
        keys = {"Actions": found["Action"], "NormalizedRecordNames": names, "RecordTypes": found["Type"]}
        return {f"{name}{key}": values for key, values in keys.items()}
    if name == "cloudwatch:PutMetricAlarm":
        kinds = ("AlarmActions", "OKActions", "InsufficientDataActions")
        return {"cloudwatch:AlarmActions": [arn for kind in kinds for arn in call.body.get(kind) or call.listed(kind)]}
    if name in {"autoscaling:CreateAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup"}:
        return dict(group_context(call))
    return {}


def group_context(call: Call) -> Iterator[tuple[str, str]]:
    """Whether hosts of a group get a version of their template that the request names."""
    versions = [value for key, value in call.params.items() if key.endswith("LaunchTemplate.Version")]
    if any("LaunchTemplate." in key for key in call.params):
        is_named = bool(versions) and not {"$Latest", "$Default"} & set(versions)
        yield "autoscaling:LaunchTemplateVersionSpecified", str(is_named).lower()
    if configuration := call.params.get("LaunchConfigurationName"):
        yield "autoscaling:LaunchConfigurationName", configuration


BY_SERVICE: dict[str, Callable[[Call, str], Iterator[Question]]] = {
    "ec2": ec2_questions,
    "ecr": ecr_questions,
    "ecs": ecs_questions,
    "elasticloadbalancing": elasticloadbalancing_questions,
}


def questions(call: Call, name: str, resource: str) -> list[Question]:
    """What AWS asks about a call before it does anything."""
    service, action = name.split(":", 1)
    if service in BY_SERVICE:
        asked = list(BY_SERVICE[service](call, action))
    elif service == "iam" and {"RoleName", "InstanceProfileName"} & call.params.keys():
        asked = list(iam_questions(call, action))
    elif name == "iam:SimulatePrincipalPolicy":
        asked = [Question(name, call.params["PolicySourceArn"])]
    elif service == "scheduler":
        asked = list(scheduler_questions(call, action, resource))
    elif service in TAGGING:
        asked = list(json_questions(call, action, resource))
    else:
        asked = [Question(name, resource)]
    if name in SERVICE_ROLES:
        principal, role = SERVICE_ROLES[name]
        arn = call.arn(f"role/aws-service-role/{principal}/{role}", "iam")
        asked.append(Question("iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": principal}))
    return asked or [Question(name, resource)]


# Around the emulator


def tags_by_arn(service: str) -> Iterable[tuple[str, Any]]:
    """The tags of the resources of a service, where the emulator does not look for them itself."""
    from ministack.services import alb, autoscaling, cloudwatch_logs, ec2, iam, scheduler, tagging

    if service in {"ecr", "ecs"}:
        yield from tagging._COLLECTORS[service]()
    elif service == "elasticloadbalancing":
        yield from alb._tags.items()
    elif service == "iam":
        yield from ((profile["Arn"], profile["Tags"]) for profile in iam._instance_profiles.values())
    elif service == "autoscaling":
        yield from autoscaling._tags.items()
    elif service == "scheduler":
        for arn, tags in scheduler._tags.items():
            yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]
    elif service == "logs":
        for name, group in cloudwatch_logs._log_groups.items():
            yield name, [{"Key": key, "Value": value} for key, value in group["tags"].items()]
    elif service == "ec2":
        yield from ec2._tags.items()
        yield from ((name, ec2._tags.get(pair["KeyPairId"], [])) for name, pair in ec2._key_pairs.items())


def resource_tags(original: Callable[[str], dict[str, str] | None], arn: str) -> dict[str, str] | None:
    """aws:ResourceTag is known for everything that this workshop makes."""
    service, resource = (arn.split(":", 5) + [""] * 5)[2:6:3]
    name = resource.rpartition("/")[2]
    names = {"autoscaling": name, "ec2": name, "logs": resource.removeprefix("log-group:").removesuffix(":*")}
    key = names.get(service, arn)
    for candidate, tags in tags_by_arn(service):
        if candidate == key:
            return {tag["Key"]: tag["Value"] for tag in tags}
    return original(arn)


class Record:
    """Who was let do what by which statements, and who was refused: a line of JSON each, once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: set[str] = set()

    def write(self, caller: str, action: str, **more: Any) -> None:
        line = json.dumps({"caller": caller, "action": action, **more})
        if line not in self.known:
            self.known.add(line)
            with self.path.open("a") as file:
                file.write(line + "\n")


def authorization(actions: ModuleType, evaluator: ModuleType, tagging: ModuleType, record: Record) -> None:
    """Every question of a call is asked, and it is written down which statements were needed for a yes."""

    @wrap(actions, "extract_resource_arn")
    def read(original: Callable[..., str], *args: Any) -> str:
        service, _method, path, _headers, body, params, region, account = args
        _call.set(read_call(actions.SERVICE_TO_IAM_NAMESPACE.get(service, service), body, params, region, account))
        # The emulator looks for no resource in the paths of tags.
        is_tagged = service == "scheduler" and path.startswith("/tags/")
        return urllib.parse.unquote(path.removeprefix("/tags/")) if is_tagged else original(*args)

    @wrap(evaluator, "enforce")
    def enforce(original: Callable[..., Any], key: str, action: str, service: str, region: str, **more: Any) -> Any:
        call = _call.get()
        context = (more.get("service_context") or {}) | (removed_tags(call) | said(call, action) if call else {})
        asked = questions(call, action, more.get("resource_arn", "*")) if call else [Question(action, "*")]
        for one in asked:
            about = {"resource_arn": one.resource, "service_context": context | one.context}
            denied = original(key, one.action, service, region, **about)
            if denied:
                record.write(getattr(denied, "principal_arn", key), one.action, refused=one.resource)
                return denied
        return None

    @wrap(evaluator, "evaluate")
    def evaluate(original: Callable[..., Any], asked: Any, policies: list[list[Any]], *limits: Any) -> Any:
        result = original(asked, policies, *limits)
        if result.decision == "Allow":
            statements = [statement for policy in policies for statement in policy]
            left_out = ([[one for one in statements if one is not other]] for other in statements)
            refused = [original(asked, rest, *limits).decision != "Allow" for rest in left_out]
            needed = [one.sid for one, missed in zip(statements, refused, strict=True) if missed]
            record.write(asked.principal_arn, asked.action, needed=needed)
        return result

    wrap(tagging, "resource_tags")(resource_tags)
