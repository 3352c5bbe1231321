# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the variables of the role ecs_app, and what exists in the account, to what its modules are given. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.slipway.aws.plugins.module_utils._core.tags import GROUP, PROJECT, from_list
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.plugin_utils import (
    container_image,
    ecs_app_hosting,
    ecs_app_ports,
    ecs_app_problems,
    ecs_app_secrets,
    ecs_app_strategies,
    ecs_verify,
)

# What a service has unless it says otherwise. A rollout whose tasks keep failing is stopped by ECS and rolled back.
SERVICE_DEFAULTS: Json = {
    "propagate_tags": "SERVICE",
    "deployment_configuration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
}
READ_ONLY = "readonlyRootFilesystem"
# Options of a service that ecs_release has, too.
_DIRECT = ("name", "after", "pre_deploy_tasks", "post_deploy_tasks")


def plan(variables: Json, others: Json, account: Json) -> Json:
    """Problems, and what the modules are given.

    `variables` are the role's own by their names, `others` what variables of other roles say, `account` the results of
    other roles and modules, empty as long as nothing has been read.
    """
    own = {name.removeprefix("ecs_app_"): value for name, value in variables.items()}
    services = [ecs_app_ports.completed(service) for service in own["services"]]
    key = str(own.get("secrets_kms_key") or "")
    secrets = ecs_app_secrets.desired(own["secrets"], own["settings"], key)
    known = _known(own, others, account, secrets)
    group = own["group"]
    found: Json = {
        "problems": ecs_app_secrets.problems(own["secrets"], own["settings"], own["secret_values"]),
        "secrets": secrets,
        "tags": _tags(own),
        "schedules": own["schedules"],
        "schedule_group": own.get("schedule_group") or (f"{own['project']}.{group}" if group else own["project"]),
    }
    found["problems"] += ecs_app_secrets.key_problems(key, "ecs_app_secrets_kms_key")
    found["problems"] += ecs_app_problems.image_problems(own["images"])
    found["problems"] += ecs_app_problems.verify_problems(own["verify"])
    if account:
        services = [_placed(service, own, account) for service in services]
        found |= _released(services, own, account)
        found["verify"] = _verify(own["verify"], account["load_balancer"], own["verify_address"])
        found["kept"] = _kept(own, others, account, secrets)
        found["problems"] += _account_problems(services, own, account)
        found["problems"] += _page_problems(own, account, others)
    found["problems"] += ecs_app_problems.service_problems(services, known)
    found["problems"] += ecs_app_problems.schedule_problems(own["schedules"], services)
    return found


def _tags(own: Json) -> Json:
    group = {GROUP: own["group"]} if own["group"] else {}
    return {**own["tags"], **group, PROJECT: own["project"]}


def _known(own: Json, others: Json, account: Json, secrets: Sequence[Json]) -> ecs_app_problems.Known:
    groups = _target_groups(account) if account else others.get("target_groups")
    cluster = account.get("cluster") or {}
    return ecs_app_problems.Known(
        images=own["images"],
        secrets={item["name"]: item["type"] for item in secrets},
        target_groups=None if groups is None else list(groups),
        registries=list(_registries(account)) if account else None,
        on_fargate=others.get("hosting") != "ec2",
        cluster=str(cluster.get("name", "")),
        insights=str(cluster.get("container_insights", "")),
    )


def _target_groups(account: Json) -> dict[str, Json]:
    return dict(account["load_balancer"].get("target_groups") or {})


def _registries(account: Json) -> dict[str, str]:
    return dict(account["discovery"].get("services") or {})


def _account_problems(services: Sequence[Json], own: Json, account: Json) -> list[str]:
    types = {name: group["target_type"] for name, group in _target_groups(account).items()}
    images = container_image.image_problems(own["images"], account["repositories"], account["images"], services)
    return [f"ecs_app_images.{problem}" for problem in images] + [
        f"{ecs_app_problems.place_of(number, service)}.{problem}"
        for number, service in enumerate(services)
        for problem in ecs_app_hosting.problems(
            service, account["cluster"], types, own["images"], own["image_architecture"]
        )
    ]


def _page_problems(own: Json, account: Json, others: Json) -> list[str]:
    pages = any(check.get("type") == "http" for check in own["verify"])
    # In check mode, a load balancer that does not exist yet has no address.
    if not pages or account["load_balancer"].get("url") or others.get("check_mode"):
        return []
    return ["ecs_app_verify: expected a load balancer for checks of type http, got none."]


# What is released


def _placed(service: Json, own: Json, account: Json) -> Json:
    network = account["network"]
    group = network["security_group_ids"]["tasks"]
    addresses = {"subnets": network["private_subnet_ids"], "securityGroups": [group] if group else []}
    return ecs_app_hosting.placed(service, account["cluster"], addresses, own["architecture"])


def _released(services: Sequence[Json], own: Json, account: Json) -> Json:
    groups = {name: group["arn"] for name, group in _target_groups(account).items()}
    uris = {name: one["uri"] for name, one in (account["registry"].get("repositories") or {}).items()}
    images = container_image.references(own["images"], account["repositories"], uris, account["images"], services)
    settings = account["load_balancer"].get("target_group_settings") or {}
    shifting = account["load_balancer"].get("shifting") or {}
    alternates = [(name, one[member]) for name, one in shifting.items() for member in ("arn", "alternate_arn")]
    settable = dict.fromkeys([*groups.items(), *alternates])
    used = {
        str(item.get("targetGroupArn"))
        for service in services
        if "load_balancers" not in service["options"]
        for item in service.get("load_balancers") or ()
    }
    return {
        "images": images,
        "services": [
            _service(service, _definition(service, own, account, images), groups, own, account) for service in services
        ],
        "scaling": [_scaling(service, groups) for service in services if service.get("scaling")],
        "target_groups": {arn: settings[name] for name, arn in settable if name in used and name in settings},
    }


def _definition(service: Json, own: Json, account: Json, images: Mapping[str, str]) -> Json:
    """The task definition with roles, log group, images by digest and what ECS calls secrets."""
    definition, cluster = service["task_definition"], account["cluster"]
    has_exec = boolean(service["options"].get("enable_execute_command"), strict=False)
    group = next(iter(cluster.get("log_groups") or ()), "")
    log = {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": group,
            "awslogs-region": own["region"],
            "awslogs-stream-prefix": definition["family"],
        },
    }
    versioned = [*own["settings"], *own["secret_values"]]
    containers = [
        {
            **({"logConfiguration": log} if group else {}),
            **_container_defaults(own.get("container_defaults") or {}, container, definition, has_exec),
            **ecs_app_secrets.given(container, account["secrets"], versioned),
            **_image(container, images),
        }
        for container in definition["containerDefinitions"]
    ]
    roles = {"executionRoleArn": cluster["execution_role_arn"], "taskRoleArn": cluster["task_role_arn"]}
    given = {member: arn for member, arn in roles.items() if arn}
    return {**given, **definition, "containerDefinitions": containers}


def _container_defaults(defaults: Json, container: Json, definition: Json, has_exec: bool) -> Json:
    """What a container has unless it says otherwise. The agent of ECS Exec writes to the root file system, a log router
    runs as root, and Windows has neither."""
    system = str((definition.get("runtimePlatform") or {}).get("operatingSystemFamily") or "LINUX")
    if "firelensConfiguration" in container or system.startswith("WINDOWS"):
        return {}
    given = {name: value for name, value in defaults.items() if value is not None}
    return {name: value for name, value in given.items() if name != READ_ONLY or not has_exec}


def _image(container: Json, images: Mapping[str, str]) -> Json:
    name = ecs_app_ports.image_name(container)
    return {"image": images[name]} if name is not None and name in images else {}


def _service(service: Json, definition: Json, groups: Mapping[str, str], own: Json, account: Json) -> Json:
    """A service as ecs_release takes it. Its own options come before the defaults."""
    options = {**SERVICE_DEFAULTS, **service["options"]}
    strategy = ecs_app_strategies.configuration(service)
    options["deployment_configuration"] = {**strategy, **(options["deployment_configuration"] or {})}
    shifting, role = account["load_balancer"].get("shifting") or {}, account["cluster"].get("load_balancer_role_arn")
    balancers = ecs_app_strategies.balancers(service, shifting, str(role or ""))
    options.setdefault("load_balancers", _with_arns(balancers, "targetGroupArn", groups))
    if options.get("service_registries"):
        arns = _registries(account)
        options["service_registries"] = _with_arns(options["service_registries"], "registryArn", arns)
    direct = {name: service[name] for name in _DIRECT if service.get(name)}
    tags = _tags(own)
    return {
        **options,
        **direct,
        **_count(service),
        "task_definition": {"definition": definition, "tags": {**_own_tags(definition.get("tags")), **tags}},
        "tags": {**(options.get("tags") or {}), **tags},
    }


def _own_tags(tags: Any) -> Json:
    """Tags of a task definition, as AWS's list or as a dictionary."""
    return dict(from_list(tags) if isinstance(tags, list) else tags or {})


def _with_arns(items: Iterable[Json], member: str, arns: Mapping[str, str]) -> list[Json]:
    """Names become ARNs; a name that is not known has been reported."""
    return [{**item, member: arns[item[member]]} if item.get(member) in arns else dict(item) for item in items]


def _count(service: Json) -> Json:
    """How many tasks. AWS changes the number of a service that scales, so its count is only an initial one."""
    count, scaling = service.get("desired_count"), service.get("scaling")
    if scaling:
        return {"initial_count": scaling["min_capacity"] if count is None else count}
    return {} if count is None else {"desired_count": count}


def _scaling(service: Json, groups: Mapping[str, str]) -> Json:
    """The scaling of a service as ecs_service_scaling takes it."""
    balancers = service.get("load_balancers") or []
    group = str(balancers[0].get("targetGroupArn") or "") if balancers else ""
    is_by_requests = service["scaling"].get("requests_per_target") is not None and group
    target = {"target_group_arn": groups.get(group, group)} if is_by_requests else {}
    return {"name": service["name"], **service["scaling"], **target}


# What is checked


def _verify(checks: Sequence[Json], balancer: Json, address: str) -> list[Json]:
    """The checks as ecs_release takes them. Pages are those of the load balancer; none if it does not exist yet."""
    pages = ecs_verify.pages(checks, balancer["url"], address) if balancer.get("url") else []
    asked = [
        {
            "name": page["name"],
            "url": page["url"],
            "status": page["status"],
            "content": page["content"],
            "headers": {"Host": page["host"]},
        }
        for page in pages
    ]
    ports = ecs_verify.others(checks, "tcp")
    return asked + [{name: port[name] for name in ("name", "type", "host", "port")} for port in ports]


# What is kept


def _kept(own: Json, others: Json, account: Json, secrets: Sequence[Json]) -> dict[str, list[str]]:
    """Names by kind that are not obsolete. Kinds of other roles only where these have names in this play."""
    services = own["services"]
    mine = {
        "service": [service["name"] for service in services],
        "schedule": [schedule["name"] for schedule in own["schedules"]],
        "task definition": [service["task_definition"]["family"] for service in services],
        **ecs_app_secrets.stored_names(secrets, own["project"]),
    }
    cluster, balancer, discovery = account["cluster"], account["load_balancer"], account["discovery"]
    theirs: dict[str, Sequence[Any]] = {
        "target group": [
            *(group["arn"] for group in _target_groups(account).values()),
            *(balancer.get("alternates") or {}).values(),
        ],
        "discovery service": others.get("discovery_services") or () if discovery.get("namespace") else (),
        "log group": cluster.get("log_groups") or (),
        "repository": others.get("repositories") or (),
        "load balancer": [balancer["name"]] if balancer.get("name") else (),
        "cluster": [cluster["name"]],
    }
    kept = {**mine, **{kind: names for kind, names in theirs.items() if names}}
    return {kind: list(dict.fromkeys([*names, *own["keep"]])) for kind, names in kept.items()}
