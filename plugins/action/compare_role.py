# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares a role with its record. An action, as only these see variables before they are templated."""

from __future__ import annotations

import hashlib
import os
import typing as t
from functools import cache
from pathlib import Path

import yaml
from ansible import context
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultHelper
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import INVALID_VARIABLE
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._docker import build_context
from ansible_collections.slipway.aws.plugins.module_utils._project.state import digest, role_key
from ansible_collections.slipway.aws.plugins.plugin_utils import skipping
from ansible_collections.slipway.aws.plugins.plugin_utils.collection import COLLECTION, version_of

# The collections whose modules the roles use.
OTHERS = ("amazon/aws", "community/aws", "community/docker")
# The project as project_record_info returned it, which the playbook registers on localhost.
READ = "__slipway_records"
YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NO_STATE = digest({})


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Sends no request to AWS: the playbook has read the project."""

    TRANSFERS_FILES = False
    _VALID_ARGS: t.ClassVar[frozenset[str]] = frozenset({"role", "inputs", "files", "contexts", "obstacles"})
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        given, variables = self._task.args, task_vars or {}
        options = options_of(str(given.get("role")))
        if options is None:
            return {**result, "failed": True, "code": INVALID_VARIABLE, "msg": f"role: no role {given.get('role')!r}."}
        return {**result, "changed": False, **self._compared(given, options, variables)}

    def _compared(self, given: Json, options: Json, variables: Json) -> Json:
        role, group = str(given["role"]), str(self._value(variables, f"{given['role']}_group") or "")
        read = variables["hostvars"]["localhost"].get(READ) or {}
        obstacles = [str(one) for one in given.get("obstacles") or ()]
        raw = {}
        for name in options:
            try:
                raw[name] = self._value(variables, name)
            except AnsibleError as error:
                obstacles.append(f"{name} cannot be resolved: {error}")
        obstacles += [
            f"{name} contains an encrypted value."
            for name, value in raw.items()
            if is_encrypted(value) and not options[name].get("no_log")
        ]
        values = skipping.variables_of(options, raw.get)
        obstacles += self._obstacles(role, options, values, read)
        files = {str(path): content_of(str(path)) for path in given.get("files") or ()}
        contexts, problems = contexts_of(given.get("contexts") or ())
        inputs = skipping.inputs(values, given.get("inputs") or {}, {**files, **contexts}, code_of(role))
        obstacles += problems
        if "records" not in read:
            reason = f"the project could not be read: {read.get('msg') or 'no answer'}"
        else:
            reason = skipping.why_not(role, group, inputs, read, obstacles)
        key = role_key(role, group)
        if not reason:
            record = read["records"][key]
            message = f"Skipped {key}: unchanged since {record['at']}."
            return {"slipway_skipped": True, "result": record["result"], "msg": message}
        Display().display(f"{key} runs in full: {reason.rstrip('.')}.")
        before = (read.get("states") or {}).get(key, {}).get("digest", NO_STATE)
        run = {"role": role, "group": group, "inputs": inputs, "before": before, "unproven": " ".join(obstacles)}
        places = [{name: one.get(name) for name in ("path", "dockerfile")} for one in given.get("contexts") or ()]
        sources = {"files": list(files), "contexts": places}
        return {"slipway_skipped": False, "msg": reason, "run": run, "sources": sources}

    def _value(self, variables: Json, name: str) -> t.Any:
        return self._templar.template(variables[name]) if name in variables else None

    def _obstacles(self, role: str, options: Json, values: Json, read: Json) -> t.Iterator[str]:
        for name in skipping.secrets_in({name: value for name, value in values.items() if name in options}):
            yield f"{name} contains a value that looks like a secret."
        for name in ("project", "region"):
            own, known = values.get(f"{role}_{name}"), (read.get("scope") or {}).get(name)
            if own is not None and known is not None and own != known:
                yield f"{role}_{name} is {own}, but the records are those of {known}."
        if context.CLIARGS.get("step") or context.CLIARGS.get("start_at_task"):
            yield "only a part of the playbook was selected."


def is_encrypted(value: t.Any) -> bool:
    """Whether Ansible Vault decrypted a part of a value."""
    if isinstance(value, dict):
        return any(is_encrypted(member) for member in value.values())
    if isinstance(value, (list, tuple)):
        return any(is_encrypted(element) for element in value)
    return isinstance(value, str) and VaultHelper.get_ciphertext(value, with_tags=False) is not None


def options_of(role: str) -> Json | None:
    path = COLLECTION / "roles" / role / "meta/argument_specs.yml"
    if not path.exists():
        return None
    entries = yaml.load(path.read_text(encoding="utf-8"), YAML_LOADER)["argument_specs"]  # noqa: S506  # a safe one
    return dict(entries["main"]["options"])


def contexts_of(sources: t.Iterable[Json]) -> tuple[Json, list[str]]:
    """The digests of what Docker builds are sent, and why one has none. The role itself reports the problem."""
    found, problems = {}, []
    for one in sources:
        try:
            place = build_context.locate(str(one["path"]), str(one.get("dockerfile") or "Dockerfile"))
            found[f"{place.root} {place.dockerfile_name}"] = build_context.summarise(place).digest
        except build_context.ContextError as error:
            problems.append(str(error))
    return found, problems


def content_of(path: str) -> str:
    """The digest of a file's content. Of a private key, the record has nothing but that it exists."""
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        return "missing"
    if "PRIVATE KEY" in (text := Path(path).read_bytes()).decode(errors="replace"):
        return "exists"
    return hashlib.sha256(text).hexdigest()


@cache
def code_of(role: str) -> Json:
    """The code that converges a role: a developer's edit has to run, whatever the version."""
    found = hashlib.sha256()
    for folder in ("plugins", f"roles/{role}"):
        for path in sorted((COLLECTION / folder).rglob("*")):
            if path.suffix in {".py", ".yml", ".j2", ".json"}:
                content = path.read_bytes()
                found.update(f"{path.relative_to(COLLECTION)} {len(content)} ".encode() + content)
    return {"version": version_of(COLLECTION), "files": found.hexdigest(), "others": other_versions()}


def other_versions() -> list[str]:
    import ansible_collections

    roots = [Path(path) for path in ansible_collections.__path__]
    return [next((version_of(root / name) for root in roots if (root / name).is_dir()), "") for name in OTHERS]
