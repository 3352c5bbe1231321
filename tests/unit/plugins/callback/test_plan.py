# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list at the end of a run in check mode, and the report of any run."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible import context
from ansible.template import trust_as_template

from ansible_collections.slipway.aws.plugins.callback import plan

Json = dict[str, t.Any]
VARIABLES = {
    "slipway_region": trust_as_template("{{ near }}"),
    "near": "us-east-1",
    "ecs_network_nat": "none",
    # Nothing that costs.
    "other": trust_as_template("{{ absent }}"),
}


class Host(t.NamedTuple):
    name: str = "localhost"

    def get_name(self) -> str:
        return self.name


class Run:
    """A run whose callbacks are called as Ansible calls them."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, folder: Path, check: bool = True, exit_code: bool = False
    ) -> None:
        self.shown: list[str] = []
        self.report = folder / "report.json"
        self.markdown = folder / "plan.md"
        display = SimpleNamespace(display=self.shown.append, banner=self.shown.append, verbosity=0)
        self.callback = plan.CallbackModule(display=display)
        options = {"report": str(self.report), "markdown": str(self.markdown), "exit_code": exit_code}
        monkeypatch.setattr(self.callback, "get_option", options.get)
        monkeypatch.setattr(context, "CLIARGS", {"check": check})
        variables = SimpleNamespace(get_vars=lambda **_asked: VARIABLES)
        self.callback.v2_playbook_on_play_start(SimpleNamespace(get_variable_manager=lambda: variables))

    def task(self, name: str, *items: Json, host: str = "localhost", looks: bool = False, **result: t.Any) -> None:
        role = SimpleNamespace(get_name=lambda: "slipway.aws.ecs_network")
        task = SimpleNamespace(
            _uuid=name,
            _role=role,
            name="{{ name }}",
            action="ansible.builtin.file",
            loop=list(items) or None,
            changed_when=[False] if looks else [],
        )
        self.callback.v2_playbook_on_task_start(SimpleNamespace(_uuid=name, name=name), False)
        for item in items:
            one = SimpleNamespace(host=Host(host), task=task, result=item)
            self.callback.v2_on_file_diff(one)
            self.callback.v2_runner_item_on_ok(one)
        ended = SimpleNamespace(host=Host(host), task=task, result=result)
        if not items:
            self.callback.v2_on_file_diff(ended)
        (self.callback.v2_runner_on_failed if result.get("failed") else self.callback.v2_runner_on_ok)(ended)

    def end(self, **failures: int) -> str:
        self.callback.v2_playbook_on_stats(SimpleNamespace(failures=failures, dark={}))
        return "\n".join(self.shown)


def created(item: str, **members: t.Any) -> Json:
    return {"changed": True, "diff": {"before": {}, "after": {"a": 1}}, "_ansible_item_label": item, **members}


def test_check_mode_lists_changes_and_costs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = Run(monkeypatch, tmp_path)
    run.task("Create the VPC", **created(""))
    run.task("Create the subnets", created("a"), created("b", _ansible_no_log=True), changed=True)
    run.task("Install the packages", host="docker-EC2", changed=False)
    run.task("Find the host", looks=True, changed=True)
    shown = run.end()
    assert shown.startswith(
        "PLAN\necs_network\n  + Create the VPC\n  + Create the subnets (a)\n  + Create the subnets (hidden)\n"
        "3 to create"
    )
    assert "1 to keep." in shown
    assert "COST" in shown
    assert "list prices for us-east-1" in shown
    assert "NAT gateway" not in shown
    assert [one["task"] for one in json.loads(run.report.read_text())] == ["Create the VPC"] + [
        "Create the subnets"
    ] * 2


def test_a_failed_run_says_that_the_plan_is_not_complete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = Run(monkeypatch, tmp_path)
    run.task("Create the VPC", **created(""))
    shown = run.end(localhost=1)
    assert shown.endswith("The plan is incomplete: it ends where the run failed.")
    assert "COST" not in shown


def test_a_real_run_only_writes_the_report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = Run(monkeypatch, tmp_path, check=False)
    run.task("Create the VPC", **created(""))
    assert run.end() == ""
    named = {"group": "ecs_network", "host": "localhost", "task": "Create the VPC", "item": ""}
    assert json.loads(run.report.read_text()) == [named]


def updated(**members: t.Any) -> Json:
    return {"changed": True, "diff": {"before": "cpu: 256\n", "after": "cpu: 512\n"}, **members}


def test_check_mode_writes_markdown_with_the_differences_of_what_exists(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = Run(monkeypatch, tmp_path)
    run.task("Create the VPC", **created(""))
    run.task("Update the service", **updated())
    run.task("Store the secret", **updated(_ansible_no_log=True))
    others = [updated(_ansible_no_log=True), updated(changed=False)]
    run.task("Update the rules", updated(), updated(), *others, changed=True, results=[])
    run.end()
    written = run.markdown.read_text()
    assert written.startswith("### Plan: 6 changes\n")
    assert "- ~ update: Update the service" in written
    assert written.count("-cpu: 256") == 3
    assert "Difference: Store the secret" not in written
    assert "Difference: Create the VPC" not in written
    assert "<summary>Cost</summary>" in written


def test_a_failed_check_writes_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = Run(monkeypatch, tmp_path)
    run.task("Find the images", failed=True, msg="web: expected one, got none.")
    run.task("Read the secret", failed=True, msg="hunter2", _ansible_no_log=True)
    run.end(localhost=1)
    written = run.markdown.read_text()
    assert "- **Failed:** Find the images: web: expected one, got none." in written
    assert "hunter2" not in written
    assert "Cost" not in written


@pytest.mark.parametrize(
    ("tasks", "failures", "code"),
    [
        ({}, {}, 0),
        ({"Create the VPC": created("")}, {}, 2),
        ({"Create the VPC": created("")}, {"localhost": 1}, 1),
    ],
)
def test_the_exit_code_says_whether_there_are_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tasks: Json, failures: dict[str, int], code: int
) -> None:
    run = Run(monkeypatch, tmp_path, exit_code=True)
    for name, result in tasks.items():
        run.task(name, **result)
    with pytest.raises(SystemExit) as ended:
        run.end(**failures)
    assert ended.value.code == code


def test_a_real_run_writes_no_markdown_and_ends_as_usual(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = Run(monkeypatch, tmp_path, check=False, exit_code=True)
    run.task("Create the VPC", **created(""))
    run.end()
    assert not run.markdown.exists()
