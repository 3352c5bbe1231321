# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pipelines that the collection ships: rendered as the playbook init does, and their jobs carried out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import yaml

from ansible_collections.slipway.aws.plugins.plugin_utils.stages import layout

Json = dict[str, t.Any]
ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = ("plan", "release", "drift")
VARIABLES: Json = {
    "project": "shop",
    "application": "app",
    "stages": ["staging", "production"],
    "regions": ["eu-central-1"],
    "accounts": ["000000000000"],
    "pipelines": ["github", "gitlab"],
    "repository": "acme/shop",
    "branch": "main",
}
DOCKERFILE: Json = {
    "path": "",
    "dockerfile": "Dockerfile",
    "name": "app",
    "base": "debian",
    "ports": [8000],
    "health_path": "/healthz",
    "user": "app",
    "arguments": ["BASE_IMAGE"],
}


def rendered(path: str, given: Json | None = None, **more: t.Any) -> str:
    """A template of the collection with the values of init."""
    variables = {**VARIABLES, **(given or {})}
    environment = jinja2.Environment(
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"to_json": json.dumps, "split": str.split}
    derived = layout(variables, [DOCKERFILE])
    assert derived["problems"] == []
    values = {"__init": derived, "__init_variables": variables, "__init_application": variables["application"], **more}
    return environment.from_string((ROOT / path).read_text()).render(values, project=variables["project"])


def workflows(given: Json | None = None) -> dict[str, Json]:
    """Those of GitHub Actions by name. YAML 1.1 reads the key `on` as a boolean."""
    found = {}
    for name in WORKFLOWS:
        document = yaml.safe_load(rendered(f"pipelines/github/{name}.yml.j2", given))
        found[name] = {"on" if key is True else key: value for key, value in document.items()}
    return found


def gitlab(given: Json | None = None) -> Json:
    """The pipeline of GitLab, its jobs with what they extend."""
    document: Json = yaml.safe_load(rendered("pipelines/gitlab/gitlab-ci.yml.j2", given))
    return {name: _extended(document, job) if isinstance(job, dict) else job for name, job in document.items()}


def _extended(document: Json, job: Json) -> Json:
    whole: Json = {}
    parents = job.get("extends", [])
    for parent in [parents] if isinstance(parents, str) else parents:
        whole |= document[parent]
    merged = {**whole, **job}
    merged["variables"] = {**whole.get("variables", {}), **job.get("variables", {})}
    return merged


# Carried out

PYTHON3 = """#!/bin/bash
# Instead of a new environment, the one of these tests.
if [ "$1 $2" = "-m venv" ]; then
  mkdir -p "$3/bin"
  for tool in {tools}/*; do ln -sf "$tool" "$3/bin/"; done
  for tool in pip ansible-galaxy; do
    rm -f "$3/bin/$tool"
    printf '#!/bin/bash\\necho "$(basename $0) $@" >> {log}\\n' > "$3/bin/$tool"
    chmod +x "$3/bin/$tool"
  done
  echo "export PATH=$PWD/$3/bin:\\$PATH" > "$3/bin/activate"
  exit
fi
exec {python} "$@"
"""
# Comments on a pull request, as files by their number.
GH = """#!/bin/bash
echo "gh $@" >> {log}
case "$*" in
  *--paginate*) grep -l "^<!-- slipway plan $STAGE -->" {comments}/* 2>/dev/null | xargs -r -n 1 basename ;;
  *"--method POST"*) cp comment.md {comments}/$(( $(ls {comments} | wc -l) + 1 )) ;;
  *"--method PATCH"*) number=$(echo "$*" | sed 's/.*comments.\\([0-9]*\\) .*/\\1/'); cp comment.md {comments}/$number ;;
esac
"""
NOTHING = """#!/bin/bash
echo "$(basename $0) $@" >> {log}
"""


@dataclass
class Runner:
    """A machine that carries out jobs. What only GitHub, GitLab or a registry has is replaced by scripts."""

    folder: Path
    here: Path
    environment: dict[str, str]
    output: str = ""
    outputs: dict[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tools = self.folder / "tools"
        self.comments.mkdir(parents=True)
        tools.mkdir()
        places = {"log": self.log, "comments": self.comments, "python": sys.executable}
        scripts = {"python3": PYTHON3, "gh": GH, "apk": NOTHING}
        for name, text in scripts.items():
            path = tools / name
            path.write_text(text.format(tools=Path(sys.executable).parent, **places))
            path.chmod(0o755)
        self.environment = {**self.environment, "PATH": f"{tools}:/usr/local/bin:/usr/bin:/bin"}

    @property
    def log(self) -> Path:
        return self.folder / "commands"

    @property
    def comments(self) -> Path:
        return self.folder / "comments"

    def bash(self, script: str, environment: dict[str, str]) -> int:
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.here,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        self.output = done.stdout + done.stderr
        return done.returncode

    def github(self, workflow: Json, job: str, matrix: Json | None = None) -> int:
        """Carry out the steps of a job; the exit code of the last one."""
        of_job = workflow["jobs"][job]
        files = {name: self.folder / name for name in ("GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.write_text("")
        own = {name: str(path) for name, path in files.items()}
        own |= {"GITHUB_REPOSITORY": "acme/shop", "CI": "true"}
        code = 0
        for step in of_job["steps"]:
            if code and "cancelled" not in step.get("if", ""):
                continue
            given = {**of_job.get("env", {}), **step.get("env", {})}
            values = {name: self._value(str(value), matrix or {}) for name, value in given.items()}
            if "run" in step:
                search = os.pathsep.join([*files["GITHUB_PATH"].read_text().split(), self.environment["PATH"]])
                code = self.bash(step["run"], {**own, **values, "PATH": search}) or code
        written = files["GITHUB_OUTPUT"].read_text().splitlines()
        self.outputs[job] = dict(line.split("=", 1) for line in written)
        return code

    def _value(self, text: str, matrix: Json) -> str:
        """A value with its expressions."""

        def value(match: re.Match[str]) -> str:
            place, _dot, name = match[1].strip().partition(".")
            if place == "matrix":
                return str(matrix[name])
            if place == "needs":
                job, _outputs, output = name.split(".")
                return str(self.outputs[job][output])
            return {"github.token": "token", "github.event.pull_request.number": "7"}[match[1].strip()]

        return re.sub(r"\$\{\{(.*?)\}\}", value, text)

    def gitlab(self, job: Json) -> int:
        """Carry out the scripts of a job in one shell, as GitLab does."""
        lines = [*job.get("before_script", []), *job["script"]]
        predefined = {"AWS_TOKEN": "token", "CI_PIPELINE_ID": "1", "CI": "true"}
        variables = {name: str(value) for name, value in job["variables"].items()}
        return self.bash("\n".join(lines), {**predefined, **variables})
