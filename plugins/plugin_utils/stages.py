# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages of a project and what it ships, from the variables of the playbook init. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ACCOUNT = re.compile(r"[0-9]{12}")
# owner/name, on GitLab also with groups between them.
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)+")
BRANCH = re.compile(r"[A-Za-z0-9][\w./-]*")
# Of load balancers and target groups, which begin with the project's name.
LONGEST = 32
LOCAL = "local"
VARIABLES = "group_vars/all"
PIPELINES = ("github", "gitlab")
# What a pipeline may do in its stage, as the deployer's documents: ten policies, as many as IAM takes by default.
RELEASES = ("network", "registry", "cluster", "load_balancer", "service", "verify", "record", "preflight")
# Stages of these names are those that others depend on.
IMPORTANT = ("prod", "production", "live")
# The service that visitors reach, where several have a port.
FRONT = ("nginx", "web", "frontend", "front", "app", "www", "gateway", "proxy")


def layout(variables: Mapping[str, Any], dockerfiles: Sequence[Json]) -> Json:
    """Stages, services, and what is wrong with the variables."""
    v = {**variables, **{name: listed(variables.get(name)) for name in ("stages", "regions", "accounts", "pipelines")}}
    services = _services(dockerfiles, v)
    problems = [*_problems(v, services)]
    if problems:
        return {"problems": problems}
    stages = [_stage(number, name, v) for number, name in enumerate(v["stages"])]
    return {
        "problems": [],
        "stages": stages,
        "services": services,
        "root_services": [one["name"] for one in services if _is_root(one)],
        "front": next((one for one in services if one["public"]), None),
        "one_account": len({stage["account"] for stage in stages}) == 1,
        "pipelines": v["pipelines"],
        "folders": _folders(v),
        "links": _links(v["stages"]),
        "hints": [*_hints(services, str(v["application"]))],
    }


def _folders(v: Json) -> list[str]:
    workflows = [".github/workflows"] if "github" in v["pipelines"] else []
    return ["inventory/shared", *(f"inventory/{name}/{VARIABLES}" for name in (LOCAL, *v["stages"])), *workflows]


def _links(stages: Sequence[str]) -> list[Json]:
    """What stages share. Ansible reads the files of a folder in the order of their names; a later one overrides."""
    local = {"path": f"inventory/{LOCAL}/{VARIABLES}/stage_local_cloud.yml", "to": "../../../local_cloud.yml"}
    return [
        local,
        *({"path": f"inventory/{name}/{VARIABLES}/shared", "to": "../../../shared"} for name in (LOCAL, *stages)),
    ]


def listed(value: Any) -> list[str]:
    """A list, or names separated by commas."""
    parts = value if isinstance(value, (list, tuple)) else str(value or "").split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def _stage(number: int, name: str, v: Json) -> Json:
    account = _of(v["accounts"], number)
    project = f"{v['project']}-{name}"
    return {
        "name": name,
        "project": project,
        "region": _of(v["regions"], number),
        "account": account,
        "important": name in IMPORTANT,
        # The first builds the images, each other gets them from the one before.
        "from": v["stages"][number - 1] if number else "",
        "plan_role": f"arn:aws:iam::{account}:role/{project}-plan",
        "release_role": f"arn:aws:iam::{account}:role/{project}-release",
        "trust": _trust(name, number == 0, v),
        # The first stage pushes images, the others pull, perhaps those of another account.
        "foreign": bool(number) and account != _of(v["accounts"], 0),
        "documents": [*RELEASES, *(["image"] if not number else [])],
    }


def _of(values: Sequence[str], number: int) -> str:
    """That of a stage; one value is for all."""
    return values[number] if len(values) > 1 else next(iter(values), "")


def _trust(stage: str, first: bool, v: Json) -> list[Json]:
    """Which jobs may assume the roles of a stage, by the issuer of their tokens."""
    repository, branch = v.get("repository", ""), v.get("branch", "")
    found: list[Json] = []
    if "github" in v["pipelines"]:
        on_branch = f"repo:{repository}:ref:refs/heads/{branch}"
        found.append(
            {
                "provider": "token.actions.githubusercontent.com",
                "audience": "sts.amazonaws.com",
                "plan": [f"repo:{repository}:pull_request", on_branch],
                "release": [on_branch if first else f"repo:{repository}:environment:{stage}"],
            }
        )
    if "gitlab" in v["pipelines"]:
        project = f"project_path:{repository}:ref_type:branch:ref:"
        plan, release = [f"{project}*"], [f"{project}{branch}"]
        found.append(
            {"provider": "gitlab.com", "audience": "https://gitlab.com", "plan": plan, "release": release},
        )
    return found


def _services(dockerfiles: Sequence[Json], v: Json) -> list[Json]:
    """A service for each Dockerfile. One of them is behind the load balancer."""
    names: dict[str, int] = {}
    found = []
    for one in dockerfiles:
        base = one["name"] if one["path"] or one["name"] not in ("", "app") else v["project"]
        names[base] = names.get(base, 0) + 1
        name = base if names[base] == 1 else f"{base}-{names[base]}"
        found.append({**one, "name": name, "port": next(iter(one["ports"]), None), "public": False})
    if len(found) == 1 and v.get("application_port"):
        found[0]["port"] = int(v["application_port"])
    listening = [one for one in found if one["port"]]
    front = min(listening, key=_rank, default=None)
    if front:
        front["public"] = True
    return found


def _rank(service: Json) -> tuple[int, int]:
    words = service["name"].split("-")
    ranks = [FRONT.index(word) for word in words if word in FRONT]
    return min(ranks, default=len(FRONT)), str(service["path"]).count("/")


def _is_root(service: Json) -> bool:
    return str(service["user"]).partition(":")[0] in ("", "root", "0")


def _hints(services: Sequence[Json], application: str) -> Iterator[str]:
    """What the user should know of the Dockerfiles."""
    for one in services:
        if not one["port"]:
            yield (
                f"{one['name']}: its Dockerfile exposes no port, so it is a worker without a load balancer. If it"
                " listens on a port, add EXPOSE to the Dockerfile, and portMappings to"
                " inventory/shared/application.yml."
            )
        if _is_root(one):
            yield f"{one['name']}: its containers run as root. Add USER to its Dockerfile."
        if "BASE_IMAGE" not in one["arguments"]:
            yield (
                f"{one['name']}: the local cloud pulls its base image {one['base']} from its registry as well. To"
                f" build there without the internet, begin the Dockerfile with ARG BASE_IMAGE and FROM ${{BASE_IMAGE}}."
            )
        if not one["path"] and application in ("", "."):
            yield (
                f"{one['name']}: its build context is the whole folder. Use .dockerignore to keep .slipway, which"
                " contains an SSH key, .git and inventory out of the image."
            )


def _problems(v: Json, services: Sequence[Json]) -> Iterator[str]:
    yield from _name_problems(v, services)
    count = len(v["stages"])
    for what in ("regions", "accounts"):
        if len(v[what]) not in (0, 1, count):
            yield f"{what}: expected one, or one for each of {count} stages, got {len(v[what])}. Correct the list."
    if not v["regions"]:
        yield "regions: expected a region, such as eu-central-1, got nothing. Add -e regions=eu-central-1."
    for account in v["accounts"]:
        if not ACCOUNT.fullmatch(account):
            yield f"accounts: expected 12 digits, got {account}. Correct it."
    if not services:
        yield f"application: expected a Dockerfile in {v['application']}, got none. Write one, or set another folder."
    yield from _pipeline_problems(v)


def _name_problems(v: Json, services: Sequence[Json]) -> Iterator[str]:
    for what, names in (("project", [v["project"]]), ("stages", v["stages"])):
        for name in names:
            if not NAME.fullmatch(name):
                yield (
                    f"{what}: expected lowercase letters, digits and single hyphens, beginning with a letter, got"
                    f" {name or 'nothing'}. Choose another name."
                )
    if LOCAL in v["stages"]:
        yield f"stages: expected names other than {LOCAL}, which is the local cloud. Remove it."
    if not v["stages"]:
        yield "stages: expected at least one, got none. Add -e stages=staging,production."
    if twice := sorted({name for name in v["stages"] if v["stages"].count(name) > 1}):
        yield f"stages: expected each name once, got {', '.join(twice)} twice. Remove one."
    longest = max((f"{v['project']}-{stage}" for stage in [*v["stages"], LOCAL]), key=len)
    for service in [one["name"] for one in services if one["public"]] or [""]:
        name = f"{longest}-{service}".rstrip("-")
        if len(name) > LONGEST:
            yield (
                f"project: expected names of load balancers and target groups of at most {LONGEST} characters, got"
                f" {name}. Choose a shorter name for the project or its stages."
            )


def _pipeline_problems(v: Json) -> Iterator[str]:
    if unknown := [name for name in v["pipelines"] if name not in PIPELINES]:
        yield f"pipelines: expected some of {', '.join(PIPELINES)}, got {', '.join(unknown)}. Correct it."
    if not v["pipelines"]:
        return
    if not REPOSITORY.fullmatch(str(v.get("repository") or "")):
        yield (
            "repository: expected owner and name, such as acme/shop, because the pipelines' roles trust it, got"
            f" {v.get('repository') or 'nothing'}. Add -e repository=acme/shop."
        )
    if not BRANCH.fullmatch(str(v.get("branch") or "")):
        yield f"branch: expected the name of a branch, such as main, got {v.get('branch') or 'nothing'}. Correct it."
    if not v["accounts"]:
        yield "accounts: expected an account for the pipelines' roles, got none. Add -e accounts=123456789012."
