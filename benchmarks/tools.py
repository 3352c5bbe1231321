"""The tools that are compared, each as its users run it."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import fleet
from benchmarks.cloud import REGION, ROOT

PROGRAMS = Path(sys.executable).parent
PLAYBOOKS = ROOT / "benchmarks" / "playbooks"

Json = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """A tool by its name in results, and what runs it; the folder is for the files that it wants."""

    name: str
    command: Callable[[Path, list[fleet.Service]], list[str]]
    # Each service gets a new revision and a new deployment, whether or not it differs.
    always_deploys: bool = False


def environment(url: str) -> dict[str, str]:
    """The caller's environment with the emulator as the account, and no other settings of AWS or Ansible."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "PYTHON"))}
    account = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "b2f0c1d4e7a9",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return kept | account | {"PATH": f"{PROGRAMS}{os.pathsep}{kept['PATH']}"}


def _playbook(name: str) -> Callable[[Path, list[fleet.Service]], list[str]]:
    def command(folder: Path, services: list[fleet.Service]) -> list[str]:
        variables = folder / "fleet.json"
        variables.write_text(json.dumps({"cluster": fleet.CLUSTER, "services": [_options(one) for one in services]}))
        return ["ansible-playbook", str(PLAYBOOKS / name), "--extra-vars", f"@{variables}"]

    return command


def _options(service: fleet.Service) -> Json:
    """A service as options of modules: the API's members in Ansible's spelling, what is inside of them as it is."""
    options = _snake(fleet.service_options(service))
    del options["cluster"]
    return options | {"name": options.pop("service_name"), "task_definition": _snake(fleet.task_definition(service))}


def _snake(members: Json) -> Json:
    return {re.sub("([A-Z])", r"_\1", name).lower(): value for name, value in members.items()}


def _deploys(folder: Path, services: list[fleet.Service]) -> list[str]:
    """A loop in a shell, one process a service."""
    script = folder / "deploy.sh"
    words = [shlex.join(["ecs", "deploy", fleet.CLUSTER, one.name, "--image", "web", one.image]) for one in services]
    script.write_text("set -e\n" + "\n".join(words) + "\n")
    return ["sh", str(script)]


SLIPWAY = Tool("slipway.aws", _playbook("slipway.yml"))
COMMUNITY = Tool("community.aws", _playbook("community.yml"))
ECS_DEPLOY = Tool("ecs-deploy", _deploys, always_deploys=True)
TOOLS = (SLIPWAY, COMMUNITY, ECS_DEPLOY)
