# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The IAM roles and the launch template that the role ecs_cluster creates. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.plan import UNKNOWN
from ansible_collections.slipway.aws.plugins.module_utils._core.tags import PROJECT
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_app_secrets
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_cluster import (
    Place,
    Variables,
    exec_bucket_prefix,
    is_on_hosts,
    own_roles,
    own_tags,
    place_of,
    tags_of,
)

KINDS_OF_TRAFFIC = (("listener", ""), ("listener-rule", "/*"))


def resources(variables: Variables, arn: str, network: Json | None = None, template: Json | None = None) -> Json:
    """Roles and, on hosts, the launch template, in the account of this ARN; `template` is the one that exists."""
    place, own = place_of(arn), own_roles(variables)
    makers = {"execution": _execution_role, "task": _task_role}
    makers |= {"load_balancer": _load_balancer_role} if variables["ecs_cluster_shifts_traffic"] else {}
    makers |= {"schedule": _schedule_role} if variables["ecs_cluster_scheduled_families"] else {}
    roles = [make(variables, place) for name, make in makers.items() if name in own]
    if not is_on_hosts(variables):
        return {"roles": roles}
    launch = _launch_template(variables, place.profile(variables["ecs_cluster_hosts"]), network or {}, template or {})
    return {"roles": [*roles, _instance_role(variables, place)], "launch_template": launch}


def _role(name: str, description: str, service: str, statements: Sequence[Json], **more: Any) -> Json:
    assume = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **more.get("trust", {})}
    return {
        "name": name,
        "description": description,
        "trust": {"Version": "2012-10-17", "Statement": [assume]},
        "managed_policies": more.get("policies", []),
        "statements": list(statements),
    }


def _of_tasks(place: Place) -> Json:
    """ECS of other accounts may not use the role."""
    return {"Condition": {"StringEquals": {"aws:SourceAccount": place.account}}}


def _execution_role(variables: Variables, place: Place) -> Json:
    project, is_managed = variables["ecs_cluster_project"], variables["ecs_cluster_execution_policy"] == "managed"
    policy = f"arn:{place.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    own = () if is_managed else (*_start_statements(variables, place), *_secret_statements(variables, place))
    return _role(
        variables["ecs_cluster_execution_role"],
        f"Starts the containers of {project}",
        "ecs-tasks.amazonaws.com",
        [*own, *variables["ecs_cluster_execution_statements"]],
        policies=[policy] if is_managed else [],
        trust=_of_tasks(place),
    )


def _task_role(variables: Variables, place: Place) -> Json:
    return _role(
        variables["ecs_cluster_task_role"],
        f"What the containers of {variables['ecs_cluster_project']} may do",
        "ecs-tasks.amazonaws.com",
        [*_exec_statements(variables, place), *variables["ecs_cluster_task_statements"]],
        trust=_of_tasks(place),
    )


def _exec_statements(variables: Variables, place: Place) -> Iterator[Json]:
    """What the agent of ECS Exec does, which has the permissions of the task.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
    """
    if not variables["ecs_cluster_exec"]:
        return
    channels = [f"ssmmessages:{verb}{what}Channel" for verb in ("Create", "Open") for what in ("Control", "Data")]
    yield _statement("ExecSessions", channels, "*")
    if group := variables["ecs_cluster_exec_log_group"]:
        log = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        yield _statement("ExecFindLog", "logs:DescribeLogGroups", "*")
        yield _statement("ExecLog", log, place.arn("logs", f"log-group:{group}:*"))
    if bucket := variables["ecs_cluster_exec_bucket"]:
        arn = f"arn:{place.partition}:s3:::{bucket}"
        yield _statement("ExecFindBucket", ["s3:GetBucketLocation", "s3:GetEncryptionConfiguration"], arn)
        folder = "/".join(part for part in (arn, exec_bucket_prefix(variables), "*") if part)
        yield _statement("ExecBucket", "s3:PutObject", folder)
    if key := variables["ecs_cluster_exec_kms_key"]:
        yield _statement("ExecKey", "kms:Decrypt", key)


def _load_balancer_role(variables: Variables, place: Place) -> Json:
    """What ECS does to shift traffic, as in AmazonECSInfrastructureRolePolicyForLoadBalancers, for this project alone.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
    """
    project, elb = variables["ecs_cluster_project"], "elasticloadbalancing"
    reads = [f"{elb}:Describe{what}" for what in ("Listeners", "Rules", "TargetGroups", "TargetHealth")]
    targets = [place.arn(elb, f"targetgroup/{name}/*") for name in (f"{project}-*", *_group_names(variables))]
    statements = [
        _statement("Read", reads, "*"),
        _statement(
            "Register", [f"{elb}:DeregisterTargets", f"{elb}:RegisterTargets"], targets if targets[1:] else targets[0]
        ),
        *_shift_statements(variables, place),
    ]
    return _role(
        variables["ecs_cluster_load_balancer_role"],
        f"Shifts the traffic of {project}",
        "ecs.amazonaws.com",
        statements,
        trust=_of_tasks(place),
    )


def _group_names(variables: Variables) -> list[str]:
    """Target groups whose names do not begin with that of the project, each with its alternate one."""
    return [name + more for name in variables["ecs_cluster_target_groups"] for more in ("", "-2")]


def _shift_statements(variables: Variables, place: Place) -> list[Json]:
    project, elb = variables["ecs_cluster_project"], "elasticloadbalancing"
    if variables["ecs_cluster_shares_load_balancer"]:
        # Listeners are those of others, and so are most of their rules.
        rules = place.arn(elb, "listener-rule/app/*/*/*/*")
        own = {"StringEquals": {f"aws:ResourceTag/{PROJECT}": project}}
        return [{**_statement("ShiftByRule", f"{elb}:ModifyRule", rules), "Condition": own}]
    listeners, rules = (place.arn(elb, f"{kind}/app/{project}-*/*/*{more}") for kind, more in KINDS_OF_TRAFFIC)
    return [
        _statement("Shift", f"{elb}:ModifyListener", listeners),
        _statement("ShiftByRule", f"{elb}:ModifyRule", rules),
    ]


def _schedule_role(variables: Variables, place: Place) -> Json:
    """What runs the scheduled tasks, in this cluster alone, for schedules of the project alone.

    AWS wants the schedule group as the source, not the schedule:
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    """
    of = {name.removeprefix("ecs_cluster_"): value for name, value in variables.items()}
    groups = [place.arn("scheduler", f"schedule-group/{of['project']}{more}") for more in ("", ".*")]
    trust = {"StringEquals": {"aws:SourceAccount": place.account}, "ArnLike": {"aws:SourceArn": groups}}
    families = [place.arn("ecs", f"task-definition/{family}:*") for family in of["scheduled_families"]]
    here = {"ArnLike": {"ecs:cluster": place.arn("ecs", f"cluster/{of['name']}")}}
    task_roles = [role for name in ("execution", "task") if (role := _role_arn(name, variables, place))]
    to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    started = {"StringEquals": {"ecs:CreateAction": "RunTask"}}
    statements = [
        {**_statement("Run", "ecs:RunTask", families), "Condition": here},
        *([{**_statement("PassRoles", "iam:PassRole", task_roles), "Condition": to_tasks}] if task_roles else ()),
        {**_statement("Tag", "ecs:TagResource", place.arn("ecs", f"task/{of['name']}/*")), "Condition": started},
        *([_statement("Report", "sqs:SendMessage", of["schedule_queues"])] if of["schedule_queues"] else ()),
    ]
    return _role(
        of["schedule_role"],
        f"Runs the scheduled tasks of {of['project']}",
        "scheduler.amazonaws.com",
        [*statements, *of["schedule_statements"]],
        trust={"Condition": trust},
    )


def _role_arn(name: str, variables: Variables, place: Place) -> str:
    """The ARN of a role of others, of one of the project, or of none."""
    own = str(variables[f"ecs_cluster_{name}_role"])
    return str(variables[f"ecs_cluster_{name}_role_arn"]) or (place.role(own) if own else "")


def _instance_role(variables: Variables, place: Place) -> Json:
    """What the agent of a host does, in this cluster alone."""
    cluster = variables["ecs_cluster_name"]
    join = ["RegisterContainerInstance", "DeregisterContainerInstance"]
    join += [f"Submit{what}" for what in ("AttachmentStateChanges", "ContainerStateChange", "TaskStateChange")]
    work = ["Poll", "StartTelemetrySession", "UpdateContainerInstancesState"]
    statements = [
        _statement("Find", "ecs:DiscoverPollEndpoint", "*"),
        _statement("Join", [f"ecs:{one}" for one in join], place.arn("ecs", f"cluster/{cluster}")),
        _statement("Work", [f"ecs:{one}" for one in work], place.arn("ecs", f"container-instance/{cluster}/*")),
    ]
    return _role(
        variables["ecs_cluster_instance_role"],
        f"Hosts of {variables['ecs_cluster_project']}",
        "ec2.amazonaws.com",
        [*statements, *variables["ecs_cluster_instance_statements"]],
        policies=variables["ecs_cluster_instance_managed_policies"],
    )


def _statement(sid: str, action: str | list[str], resource: str | list[str]) -> Json:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}


def _start_statements(variables: Variables, place: Place) -> Iterator[Json]:
    """What pulls images and writes logs."""
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    repositories = variables["ecs_cluster_repositories"] or ["*"]
    groups = [group["name"] for group in variables["ecs_cluster_log_groups"]]
    yield _statement("Login", "ecr:GetAuthorizationToken", "*")
    yield _statement("Pull", pull, [place.arn("ecr", f"repository/{name}") for name in repositories])
    log = ["logs:CreateLogStream", "logs:PutLogEvents"]
    if groups:
        yield _statement("Log", log, [place.arn("logs", f"log-group:{name}:*") for name in groups])


def _secret_statements(variables: Variables, place: Place) -> Iterator[Json]:
    """What reads exactly the given secrets and settings, and uses a key only where a secret names one."""
    given_key = str(variables.get("ecs_cluster_secrets_kms_key") or "")
    secrets = ecs_app_secrets.desired(variables["ecs_cluster_secrets"], variables["ecs_cluster_settings"], given_key)
    arns: dict[str, list[str]] = {"ssm": [], "secretsmanager": []}
    for secret in secrets:
        source = str(secret.get("from") or f"{variables['ecs_cluster_project']}/{secret['name']}")
        is_parameter = secret["type"] != "SecretsManager"
        # Secrets Manager appends a hyphen and six characters to the name.
        name = f"parameter/{source.lstrip('/')}" if is_parameter else f"secret:{source.lstrip('/')}-??????"
        service = "ssm" if is_parameter else "secretsmanager"
        arns[service].append(source if source.startswith("arn:") else place.arn(service, name))
    keys = [str(secret["kms_key_id"]) for secret in secrets if secret.get("kms_key_id")]
    given = (
        ("Parameters", "ssm:GetParameters", arns["ssm"]),
        ("Secrets", "secretsmanager:GetSecretValue", arns["secretsmanager"]),
        ("Keys", "kms:Decrypt", keys),
    )
    yield from (_statement(sid, action, sorted(set(some))) for sid, action, some in given if some)


def _launch_template(variables: Variables, profile: str, network: Json, template: Json) -> Json:
    """A launch template is compared by its description, as AWS's answers have members that no variable sets."""
    of = {name.removeprefix("ecs_cluster_"): value for name, value in variables.items()}
    data, tags = _user_data(of["name"]), {**own_tags(variables), "Name": of["hosts"]}
    members = [*(of[f"instance_{name}"] for name in ("image", "type", "volume_size", "metadata_hops"))]
    members += [of["hosts"], profile, tags, network["security_group_ids"]["tasks"], data]
    digest = hashlib.sha256(json.dumps(members, sort_keys=True).encode()).hexdigest()
    description = f"{of['project']} {digest}"
    newest = template.get("latest_version_number", 0)
    is_current = tags_of(template) == own_tags(variables) and any(
        version["version_number"] == newest and version.get("version_description") == description
        for version in template.get("versions") or ()
    )
    return {
        "description": description,
        "user_data": data,
        "profile_arn": profile,
        "is_current": is_current,
        "id": template["launch_template_id"] if is_current else UNKNOWN,
        "version": newest if is_current else UNKNOWN,
    }


def _user_data(cluster: str) -> str:
    """An awsvpc task gets its role from ECS and needs no metadata of the host. The execution role writes logs, too."""
    settings = {
        "ECS_CLUSTER": cluster,
        "ECS_AWSVPC_BLOCK_IMDS": "true",
        "ECS_ENABLE_TASK_IAM_ROLE": "true",
        "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE": "true",
        "ECS_ENABLE_SPOT_INSTANCE_DRAINING": "true",
    }
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    return f"#!/bin/bash\ncat >> /etc/ecs/ecs.config <<'EOF'\n{lines}EOF\n"
