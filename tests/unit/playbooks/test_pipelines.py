# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pipelines for GitHub Actions and GitLab CI: what they may do, and that roles, subjects and playbooks exist.

Neither service runs here. test_pipelines_run.py carries their steps out on an emulator.
"""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.action.validate_variables import ROLES, read_specs, shape_of
from ansible_collections.slipway.aws.plugins.plugin_utils.deployer import policy_documents, policy_parts
from ansible_collections.slipway.aws.plugins.plugin_utils.deployer_trust import document
from ansible_collections.slipway.aws.plugins.plugin_utils.stages import layout
from ansible_collections.slipway.aws.plugins.plugin_utils.variables import Specs, variable_problems
from ansible_collections.slipway.aws.tests.pipelines import (
    DOCKERFILE,
    ROOT,
    VARIABLES,
    WORKFLOWS,
    gitlab,
    rendered,
    workflows,
)
from ansible_collections.slipway.aws.tests.policies import PERMISSIONS, VALUES

Json = dict[str, t.Any]
GITHUB = "token.actions.githubusercontent.com"
# The least and the most: one account, and three stages in accounts and regions of their own.
LAYOUTS: list[Json] = [
    {},
    {
        "stages": ["dev", "staging", "production"],
        "regions": ["eu-central-1", "eu-west-1", "us-east-1"],
        "accounts": ["111111111111", "222222222222", "333333333333"],
    },
]
# Pinned by commit; each further action is one more that has to be trusted.
ACTIONS = {"actions/checkout", "aws-actions/configure-aws-credentials"}
KEYWORDS = {"default", "stages"}


def jobs(given: Json) -> Iterator[tuple[str, Json, str, Json]]:
    """Each job of GitHub, with its workflow."""
    for name, workflow in workflows(given).items():
        for title, job in workflow["jobs"].items():
            yield name, workflow, title, job


def gitlab_jobs(given: Json) -> dict[str, Json]:
    return {name: job for name, job in gitlab(given).items() if name not in KEYWORDS and not name.startswith(".")}


def scripts(given: Json) -> Iterator[str]:
    for _name, _workflow, _title, job in jobs(given):
        yield from (step["run"] for step in job["steps"] if "run" in step)
    for job in gitlab_jobs(given).values():
        yield "\n".join([*job["before_script"], *job["script"]])


def stage_variables(given: Json) -> dict[str, Json]:
    """The variables of each stage, as init writes them."""
    stages = layout({**VARIABLES, **given}, [DOCKERFILE])["stages"]
    path = "playbooks/templates/init/stage.yml.j2"
    return {stage["name"]: yaml.safe_load(rendered(path, given, stage=stage)) for stage in stages}


@pytest.mark.parametrize("given", LAYOUTS)
def test_actions_are_few_and_pinned_by_commit(given: Json) -> None:
    used = [step["uses"] for *_names, job in jobs(given) for step in job["steps"] if "uses" in step]
    assert {one.partition("@")[0] for one in used} == ACTIONS
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one)] == []
    for name in ("plan", "release", "drift"):
        text = rendered(f"pipelines/github/{name}.yml.j2", given)
        assert len(re.findall(r"uses: .*@[0-9a-f]{40} # v\d+\.\d+\.\d+\n", text)) == text.count("uses: ")


@pytest.mark.parametrize("given", LAYOUTS)
def test_workflows_have_no_more_permissions_than_they_need(given: Json) -> None:
    found = workflows(given)
    token = {"contents": "read", "id-token": "write"}
    assert {name: workflow["permissions"] for name, workflow in found.items()} == {
        "plan": {},
        "release": {},
        "drift": {},
    }
    assert found["plan"]["jobs"]["plan"]["permissions"] == {**token, "pull-requests": "write"}
    others = [job for name in ("release", "drift") for job in found[name]["jobs"].values()]
    assert [job["permissions"] for job in others] == [token] * len(others)
    # With it, the code of a fork would run with the permissions of the repository.
    assert not [name for name, workflow in found.items() if "pull_request_target" in workflow["on"]]
    assert found["release"]["on"] == {"push": {"branches": ["main"]}}
    assert found["release"]["concurrency"]["cancel-in-progress"] is False
    checkouts = [s for *_names, job in jobs(given) for s in job["steps"] if s.get("uses", "").startswith("actions/")]
    assert {step["with"]["persist-credentials"] for step in checkouts} == {False}


@pytest.mark.parametrize("given", [pytest.param(LAYOUTS[0], marks=pytest.mark.variants), LAYOUTS[1]])
def test_linters_find_nothing(given: Json, tmp_path: Path) -> None:
    """The schemas of both services, as they publish them, and what is known of insecure workflows."""
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    paths = [folder / f"{name}.yml" for name in WORKFLOWS]
    for path in paths:
        path.write_text(rendered(f"pipelines/github/{path.stem}.yml.j2", given))
    gitlab_file = tmp_path / ".gitlab-ci.yml"
    gitlab_file.write_text(rendered("pipelines/gitlab/gitlab-ci.yml.j2", given))
    schema = ("check-jsonschema", "--no-cache", "--builtin-schema")
    for command in (
        ("zizmor", "--offline", "--no-progress", "--no-config", "--persona", "auditor", str(folder)),
        (*schema, "vendor.github-workflows", *map(str, paths)),
        (*schema, "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(gitlab_file)),
    ):
        program = Path(sys.executable).with_name(command[0])
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("given", LAYOUTS)
def test_scripts_are_bash_without_expressions(given: Json) -> None:
    """An expression in a script is code that whoever names a branch can write."""
    for script in scripts(given):
        assert "${{" not in script
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("given", LAYOUTS)
def test_playbooks_and_jobs_that_are_named_exist(given: Json) -> None:
    named = {name for script in scripts(given) for name in re.findall(r"slipway\.aws\.(\w+)(?= |$)", script)}
    assert named == {"site", "status", "promote", "drift"}
    assert [name for name in named if not (ROOT / f"playbooks/{name}.yml").exists()] == []
    for _name, workflow, _title, job in jobs(given):
        needs = job.get("needs", [])
        assert {*([needs] if isinstance(needs, str) else needs)} <= workflow["jobs"].keys()
    known = gitlab_jobs(given)
    assert {need for job in known.values() for need in job.get("needs", [])} <= known.keys()


@pytest.mark.parametrize("given", LAYOUTS)
def test_only_the_first_stage_builds_and_the_others_wait_for_an_approval(given: Json) -> None:
    first, *others = stage_variables(given)
    release = workflows(given)["release"]["jobs"]
    manual = gitlab_jobs(given)
    assert "environment" not in release[first]
    assert manual[f"release {first}"]["rules"][0].get("when") is None
    for stage in others:
        assert release[stage]["environment"] == stage
        assert {first, f"{stage}-plan"} <= set(release[stage]["needs"])
        assert manual[f"release {stage}"]["rules"][0]["when"] == "manual"
        for job in (release[stage]["steps"][-1]["run"], manual[f"release {stage}"]["script"][-1]):
            assert "slipway.aws.promote" in job
            assert f"promote_confirm=shop-{stage}" in job
            assert "slipway.aws.site" not in job
    # In their order.
    if len(others) > 1:
        assert others[0] in release[others[1]]["needs"]
        assert f"release {others[0]}" in manual[f"release {others[1]}"]["needs"]


def subjects(variables: Json, role: str, provider: str) -> list[str]:
    """Which tokens of an issuer a role of a stage trusts."""
    name = role.rpartition("/")[2]
    holder = next(one for one in variables["deployer_roles"] if one["name"] == name)
    account = role.split(":")[4]
    assert account == variables["slipway_account"]
    found = document(holder, account, "aws")["Statement"]
    return [
        subject
        for one in found
        if one["Principal"]["Federated"].endswith(f"/{provider}")
        for keys in one["Condition"].values()
        for subject in (keys.get(f"{provider}:sub") or [])
    ]


def assumed(job: Json) -> Iterator[tuple[str, str]]:
    """The roles that a job of GitHub assumes, with their regions."""
    settings = next(step["with"] for step in job["steps"] if "role-to-assume" in step.get("with", {}))
    for one in job.get("strategy", {}).get("matrix", {}).get("include", [{}]):
        values = {"${{ matrix.role }}": one.get("role"), "${{ matrix.region }}": one.get("region")}
        role, region = settings["role-to-assume"], settings["aws-region"]
        yield values.get(role) or role, values.get(region) or region


@pytest.mark.parametrize("given", LAYOUTS)
def test_each_job_may_assume_its_role_and_no_job_of_another_branch_may(given: Json) -> None:
    stages = {variables["slipway_project"]: variables for variables in stage_variables(given).values()}
    for name, _workflow, title, job in jobs(given):
        for role, region in assumed(job):
            project = role.rpartition("/")[2].rpartition("-")[0]
            assert region == stages[project]["slipway_region"]
            trusted = subjects(stages[project], role, GITHUB)
            place = f"environment:{job['environment']}" if "environment" in job else "ref:refs/heads/main"
            token = f"repo:acme/shop:{'pull_request' if name == 'plan' else place}"
            assert token in trusted, (title, role)
            if role.endswith("-release"):
                assert trusted == [token]
    for title, job in gitlab_jobs(given).items():
        role = job["variables"]["AWS_ROLE_ARN"]
        trusted = subjects(stages[role.rpartition("/")[2].rpartition("-")[0]], role, "gitlab.com")
        branch = "*" if title.startswith(("plan", "predict", "drift")) else "main"
        assert trusted == [f"project_path:acme/shop:ref_type:branch:ref:{branch}"], title
        assert job["id_tokens"] == {"AWS_TOKEN": {"aud": "https://gitlab.com"}}


def resolved(variables: Json) -> Json:
    """The values of templates, where they are whole and simple; others are text anyway."""

    def value(one: t.Any) -> t.Any:
        if isinstance(one, dict):
            return {name: value(member) for name, member in one.items()}
        if isinstance(one, list):
            return [value(element) for element in one]
        found = re.fullmatch(r"\{\{ (\w+) \}\}", str(one))
        return variables[found[1]] if found and found[1] in variables else one

    return {name: value(one) for name, one in variables.items()}


@pytest.mark.parametrize("given", LAYOUTS)
def test_inventories_have_no_unknown_variable(given: Json) -> None:
    specs = Specs.of(read_specs(ROLES))
    shared = yaml.safe_load(rendered("playbooks/templates/init/application.yml.j2", given))
    shared |= yaml.safe_load(rendered("playbooks/templates/init/project.yml.j2", given))
    local = yaml.safe_load(rendered("playbooks/templates/init/local_cloud.yml.j2", given))
    local |= yaml.safe_load(rendered("playbooks/templates/init/local_stage.yml.j2", given))
    for stage in [*stage_variables(given).values(), local]:
        policy = {"image_policy": {}} if "image_policy" in shared else {}
        variables = resolved({"slipway_apps": ".", **shared, **stage, **policy})
        assert variable_problems(variables.keys(), variables.__getitem__, specs, shape_of) == []


def test_other_accounts_may_pull_and_the_promoted_stage_looks_there() -> None:
    given = LAYOUTS[1]
    shared = yaml.safe_load(rendered("playbooks/templates/init/application.yml.j2", given))
    (allowed,) = shared["image_policy"]["Statement"]
    assert allowed["Principal"]["AWS"] == [f"arn:aws:iam::{digit * 12}:root" for digit in "123"]
    production = stage_variables(given)["production"]
    (statement,) = production["ecs_cluster_execution_statements"]
    assert statement["Resource"] == ["arn:aws:ecr:eu-central-1:111111111111:repository/shop-dev/shop"]
    assert "promote" in production["deployer_variants"]
    assert all("promote" in role["documents"] for role in production["deployer_roles"])


@pytest.mark.parametrize("given", LAYOUTS)
def test_a_role_of_a_pipeline_has_no_more_policies_than_iam_takes(given: Json) -> None:
    for variables in stage_variables(given).values():
        variants = variables.get("deployer_variants", ["changes"])
        parts = policy_parts(policy_documents(PERMISSIONS, VALUES, variants))
        known = {re.sub(r"-\d+$", "", name) for name in parts}
        for role in variables["deployer_roles"]:
            assert set(role["documents"]) <= known
            assert len([name for name in parts if re.sub(r"-\d+$", "", name) in role["documents"]]) <= 10
