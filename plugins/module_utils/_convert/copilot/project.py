# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the conversion of a Copilot application collects. Pure."""

from __future__ import annotations

import dataclasses
import re
import typing as t
from collections.abc import Mapping

from ..._core.masking import is_secret
from ..._core.types import Json
from ..notes import Notes
from ..placeholders import Placeholders, from_environment, unknown
from ..secrets import Secrets

_VARIABLE = re.compile(r"(?P<escape>\\)?\$\{(?P<name>\w+)\}")


@dataclasses.dataclass
class Project:
    """An application in one environment."""

    application: str
    environment: str
    # The name of the inventory's project.
    name: str
    run_environment: Mapping[str, str]
    # The contents of env files by path, as manifests name them.
    env_files: Mapping[str, str]
    placeholders: Placeholders = dataclasses.field(default_factory=Placeholders)
    notes: Notes = dataclasses.field(default_factory=Notes)
    images: list[Json] = dataclasses.field(default_factory=list)
    target_groups: list[Json] = dataclasses.field(default_factory=list)
    domains: list[str] = dataclasses.field(default_factory=list)
    names: list[str] = dataclasses.field(default_factory=list)
    schedules: list[Json] = dataclasses.field(default_factory=list)
    retention: list[int] = dataclasses.field(default_factory=list)
    variables: dict[str, t.Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.secrets = Secrets(self.placeholders)

    def interpolated(self, value: t.Any) -> t.Any:
        """A document with ${…} replaced: names of Copilot now, other variables by what the environment has in a run."""
        if isinstance(value, Mapping):
            return {str(key): self.interpolated(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.interpolated(item) for item in value]
        return _VARIABLE.sub(self._variable, value) if isinstance(value, str) else value

    def _variable(self, found: re.Match[str]) -> str:
        known = {"COPILOT_APPLICATION_NAME": self.application, "COPILOT_ENVIRONMENT_NAME": self.environment}
        if found["escape"]:
            return found[0][1:]
        if found["name"] in known:
            return known[found["name"]]
        return self.placeholders.token(from_environment([found["name"]], None, self.run_environment))

    def missing(self, kind: str, argument: str, what: str, reason: str) -> str:
        """A token for a value that has to be filled in."""
        return self.placeholders.token(unknown(kind, argument, what, reason))

    def value(self, given: t.Any, what: str) -> t.Any:
        """A value that may be the export of a stack of CloudFormation."""
        if isinstance(given, Mapping) and "from_cfn" in given:
            export = str(given["from_cfn"])
            reason = "It is a CloudFormation export, which the converter does not read."
            return self.missing("cfn_export", export, f"the export {export}, {what}", reason)
        return given

    def leftovers(self, given: Mapping[str, t.Any], place: str) -> None:
        """Notes what is left of a part of a manifest: nothing took it."""
        for name, value in given.items():
            if value not in (None, False, {}, []):
                self.notes.add(f"{place}.{name}", "The inventory cannot express it.", "Compare the documentation.")

    def passed(self, variables: Mapping[str, t.Any], place: str) -> tuple[list[Json], list[Json]]:
        """Variables of the environment, and those that look like secrets as secrets."""
        plain: list[Json] = []
        secret: list[Json] = []
        for name, given in variables.items():
            value = self.value(given, f"the value of {name}")
            text = ("true" if value else "false") if isinstance(value, bool) else str("" if value is None else value)
            if is_secret(name, self.placeholders.actual(text)):
                reference = self.secrets.hidden(name, text, f"{place}.{name}", self.notes)
                secret.append({"name": name, "valueFrom": reference})
            else:
                plain.append({"name": name, "value": text})
        return plain, secret

    def referenced(self, secrets: Mapping[str, t.Any]) -> list[Json]:
        """The secrets of a manifest: parameters by name, or secrets of Secrets Manager."""
        return [{"name": name, "valueFrom": self._reference(given)} for name, given in secrets.items()]

    def _reference(self, given: t.Any) -> str:
        if isinstance(given, Mapping) and "secretsmanager" in given:
            name, part = _split(str(given["secretsmanager"]))
            return self.secrets.managed(name) + part
        value = str(self.value(given, "the name of a secret"))
        if ":secretsmanager:" in value:
            name, part = _split(value)
            return self.secrets.managed(name) + part
        return self.secrets.parameter(value)


def _split(name: str) -> tuple[str, str]:
    """A secret's name or ARN, and what follows it: the member of its JSON, the stage and the version."""
    start = name.index(":secret:") + len(":secret:") if ":secret:" in name else 0
    plain, colon, part = name[start:].partition(":")
    return name[:start] + plain, colon + part
