# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run prints: changes, failures once, what takes long, its end. And the code that it ends with."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.tests import plays as playbooks

ROOT = Path(__file__).resolve().parents[4]
# Longer than a line of YAML, and with quotes that YAML would double.
REASON = f"the reason of the assertion: 'web' is a name of{' many words' * 12}, and 'db' is none"
Json = dict[str, t.Any]
CONNECTION = "slipway.aws.forkserver"


class Run(t.NamedTuple):
    code: int
    printed: str
    """The standard output."""
    errors: str = ""

    @property
    def output(self) -> str:
        return self.printed + self.errors

    @property
    def lines(self) -> list[str]:
        return self.output.splitlines()

    def between(self, start: str, end: str) -> list[str]:
        """The lines after one that starts so, and before one that starts so."""
        numbers = [number for number, line in enumerate(self.lines) if line.startswith((start, end))]
        return [line for line in self.lines[numbers[0] + 1 : numbers[1]] if line]


class Plays:
    """A folder with playbooks and roles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def role(self, name: str, *tasks: Json) -> None:
        path = self.folder / f"roles/{name}/tasks/main.yml"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(tasks))

    def _words(self, play: Json, options: tuple[str, ...], variables: Json) -> list[str]:
        path = self.folder / "play.yml"
        path.write_text(json.dumps([{"name": "A play", "hosts": "all", "gather_facts": False, **play}]))
        given = json.dumps({"ansible_python_interpreter": sys.executable, **variables})
        return ["--inventory", "localhost,", "-c", CONNECTION, "-e", given, *options, str(path)]

    def run(
        self,
        play: Json,
        *options: str,
        environment: dict[str, str] | None = None,
        stdin: str = "",
        **variables: t.Any,
    ) -> Run:
        words = self._words(play, options, variables)
        settings = {**playbooks.collections(), **(environment or {})}
        if stdin:
            done = playbooks.start(words, ROOT, playbooks.environment(**settings), stdin)
        else:
            done = playbooks.run(*words, **settings)
        return Run(done.returncode, done.stdout, done.stderr)

    def on_a_terminal(self, play: Json, *options: str) -> Run:
        """A run whose output is a terminal."""
        ours, theirs = pty.openpty()
        settings = {**playbooks.collections(), "ANSIBLE_DEPRECATION_WARNINGS": "false"}
        environment = playbooks.environment(TERM="xterm", **settings)
        command = [sys.executable, playbooks.PROGRAM, *self._words(play, options, {})]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        ) as process:
            os.close(theirs)
            read = bytearray()
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:
                    break
                if not part:
                    break
                read += part
            os.close(ours)
            return Run(process.wait(60), read.decode().replace("\r\n", "\n"))


@pytest.fixture
def plays(tmp_path: Path) -> Plays:
    return Plays(tmp_path)


def changed(name: str, **more: t.Any) -> Json:
    return {"name": name, "ansible.builtin.command": {"argv": ["true"]}, **more}


def quiet(name: str, **more: t.Any) -> Json:
    return {"name": name, "ansible.builtin.command": {"argv": ["true"]}, "changed_when": False, **more}


FAILURES: Json = {
    "tasks": [
        {
            "name": "An assertion",
            "ansible.builtin.assert": {"that": False, "fail_msg": "{{ reason }}"},
            "ignore_errors": True,
        },
        {
            "name": "A module",
            "ansible.builtin.command": {"argv": ["no-such-command-of-ours"]},
            "ignore_errors": True,
        },
        {
            "name": "A loop",
            "ansible.builtin.fail": {"msg": "the reason of {{ item }}"},
            "loop": ["one"],
            "ignore_errors": True,
        },
        {"name": "A mistake in the playbook", "ansible.builtin.debug": {"msg": "{{ nothing_here }}"}},
    ]
}


def test_a_failure_is_printed_once(plays: Plays) -> None:
    run = plays.run(FAILURES, reason=REASON)
    assert run.code == 2
    assert run.output.count("the reason of the assertion") == 1
    assert f"    {REASON}\n" in run.output
    assert run.output.count("the reason of one") == 1
    assert run.output.count("msg: Error executing command") == 1
    assert "[ERROR]: Task failed: Finalization of task args" in run.output
    assert "Origin: " in run.output
    verbose = plays.run(FAILURES, "-v", reason=REASON)
    assert "[ERROR]: Task failed: Action failed: the reason of the assertion" in verbose.output


def test_of_a_failed_release_the_reason_is_printed(plays: Plays) -> None:
    place = {
        "region": "eu-central-1",
        "endpoint_url": "http://127.0.0.1:9",
        "access_key": "a",
        "secret_key": "b2f0c1d4",
    }
    release = {
        "slipway.aws.ecs_release": {"cluster": "shop", "services": [{"name": "a web"}, {"name": "a db"}], **place}
    }
    run = plays.run({"tasks": [release]})
    assert run.code == 2
    assert "code: invalid_option" in run.output
    assert run.output.count("services, a web: ") == 1, run.output
    assert "To see the full result, rerun with -v." in run.lines
    assert "problems:" in plays.run({"tasks": [release]}, "-v").output


def test_only_what_changes_is_printed(plays: Plays) -> None:
    plays.role(
        "shop",
        quiet("Read something"),
        changed("Skip something", when=False),
        changed("Create the shop"),
        changed("Create the shelves", loop=["left", "right", "none"], changed_when="item != 'none'"),
        changed("Create the safe", loop=["the combination"], no_log=True),
    )
    plays.role("idle", quiet("Read the time"))
    run = plays.run({"roles": ["shop", "idle"]})
    assert run.code == 0
    printed = [re.sub(r"[\d.]+ s$", "N s", line) for line in run.between("PLAY [A play]", "PLAY RECAP")]
    assert [line for line in printed if not line.endswith("… N s")] == [
        "shop: Create the shop … changed, N s",
        "shop: Create the shelves (left, right) … changed, N s",
        "shop: Create the safe (hidden) … changed, N s",
    ]
    end = run.between("PLAY RECAP", "Finished in ")
    assert end[0].startswith("localhost")
    assert end[1:] == [
        "shop  4 changed: Create the shop, Create the shelves (left, right), Create the safe (hidden)",
        "idle  unchanged",
    ]
    assert "the combination" not in run.output


def test_a_role_that_is_not_selected_is_not_listed(plays: Plays) -> None:
    for name in ("shop", "idle"):
        plays.role(name, quiet("Read the time", tags=[name]))
        (plays.folder / f"roles/{name}/meta").mkdir()
        specs = {"argument_specs": {"main": {"options": {}}}}
        (plays.folder / f"roles/{name}/meta/argument_specs.yml").write_text(json.dumps(specs))
    assert plays.run({"roles": ["shop", "idle"]}, "--tags", "shop").between("PLAY RECAP", "Finished in ")[1:] == [
        "shop  unchanged"
    ]


def test_more_is_printed_on_request(plays: Plays) -> None:
    run = plays.run({"tasks": [quiet("Read the time"), changed("Create the shop")]}, "-v")
    assert "TASK [Read the time]" in run.output
    assert "ok: [localhost] => " in run.output
    assert "changed: [localhost] => " in run.output


def test_messages_are_printed(plays: Plays) -> None:
    message = {"name": "List them", "ansible.builtin.debug": {"msg": ["one", "two: 'three'"]}}
    facts = {"name": "Show them", "ansible.builtin.debug": {"var": "things"}}
    items = {"name": "Count them", "ansible.builtin.debug": {"msg": "number {{ item }}"}, "loop": [1, 2]}
    run = plays.run({"tasks": [message, items, facts]}, things={"key": 7})
    printed = [line for line in run.between("PLAY [A play]", "ok: ") if "…" not in line]
    assert printed[:3] == ["List them", "  one", "  two: 'three'"]
    assert printed[3:6] == ["Count them", "  number 1", "  number 2"]
    assert "key: 7" in run.output


QUIET: Json = {
    "vars": {"__slipway_quiet": True},
    "tasks": [
        {"name": "A task", "ansible.builtin.debug": {"msg": "what nobody wants to read"}},
        {"name": "A task that takes long", "ansible.builtin.command": {"argv": ["sleep", "4"]}},
        {"name": "An assertion", "ansible.builtin.assert": {"that": "{{ holds }}", "fail_msg": "the reason"}},
    ],
}


@pytest.mark.parametrize(("holds", "code"), [pytest.param(True, 0, marks=pytest.mark.variants), (False, 2)])
def test_a_quiet_play_prints_failures_alone_and_not_to_standard_output(plays: Plays, holds: bool, code: int) -> None:
    run = plays.run(QUIET, holds=holds)
    assert (run.code, run.printed) == (code, "")
    assert ("msg: the reason" in run.output) == (not holds)


def sleep(name: str, **more: t.Any) -> Json:
    return {"name": name, "ansible.builtin.command": {"argv": ["sleep", "4"]}, "changed_when": False, **more}


@pytest.mark.variants
def test_a_log_has_a_line_about_what_takes_long(plays: Plays) -> None:
    plays.role("shop", quiet("Read the time"), sleep("Open the shop"))
    assert re.search(r"^shop: Open the shop … [3-9] s$", plays.run({"roles": ["shop"]}).output, re.MULTILINE)


def test_a_terminal_has_one_line_about_it_that_disappears(plays: Plays) -> None:
    plays.role("shop", sleep("Open the shop"), changed("Paint the shop"))
    run = plays.on_a_terminal({"roles": ["shop"]})
    assert run.code == 0, run.output
    assert len(re.findall(r"\r\x1b\[Kshop: Open the shop …(?: \d s)?(?=\r)", run.printed)) >= 2
    # What is left on the screen: of each line, what follows the last return to its first column.
    screen = [line.rpartition("\x1b[K")[2] for line in run.printed.split("\n")]
    assert not [line for line in screen if "Open the shop" in line]
    assert [line for line in screen if line.startswith("shop: Paint the shop … changed, ")]


def test_a_hidden_task_and_a_question_show_nothing_of_their_own(plays: Plays) -> None:
    secret = sleep("Open the safe", loop=["the combination"], no_log=True)
    question = {"name": "Pause", "ansible.builtin.pause": {"seconds": 4}}
    run = plays.on_a_terminal({"tasks": [secret, question]})
    assert "the combination" not in run.output
    assert "Pause …" not in run.output


def test_retries_are_counted_and_not_listed(plays: Plays) -> None:
    count = f"date >>{plays.folder}/tries; test $(wc -l <{plays.folder}/tries) -gt 3"
    task = {"name": "Try", "ansible.builtin.shell": count, "retries": 5, "delay": 2, "register": "tried"}
    run = plays.run({"tasks": [{**task, "until": "tried is success", "changed_when": False}]})
    assert run.code == 0
    assert "RETRYING" not in run.output
    assert re.search(r"^Try … [3-9] s, attempt [2-6] of 6$", run.output, re.MULTILINE)


SEVERAL: Json = {
    "tasks": [
        changed("Work"),
        {
            "block": [
                {"name": "Break", "ansible.builtin.fail": {"msg": "broken"}, "when": "inventory_hostname == 'b'"}
            ],
            "rescue": [changed("Repair")],
            "always": [changed("Clean", **{"async": 20, "poll": 1})],
        },
        {"name": "Ignore", "ansible.builtin.fail": {"msg": "never mind"}, "ignore_errors": True},
        {"name": "Notify", "ansible.builtin.command": {"argv": ["true"]}, "notify": "Restart"},
    ],
    "handlers": [changed("Restart")],
}


@pytest.mark.variants
@pytest.mark.parametrize("strategy", ["linear", "free"])
@pytest.mark.parametrize("options", [(), ("-vvv",), ("--step",)])
def test_several_hosts_blocks_and_handlers(plays: Plays, strategy: str, options: tuple[str, ...]) -> None:
    run = plays.run({**SEVERAL, "strategy": strategy}, "--inventory", "a,b,", *options, stdin="c\n")
    assert run.code == 0, run.output
    assert "slipway.aws.steps failed" not in run.output
    assert len(re.findall(r"^[abl]\w* +: ok=.* failed=0", run.output, re.MULTILINE)) == 3
    assert run.output.count("never mind") >= 3
    if not options:
        assert re.search(r"^b: Repair … changed", run.output, re.MULTILINE)
        assert re.search(r"^a: Restart … changed", run.output, re.MULTILINE)


FILTER = """
import os
with open({log!r}, "a") as file:
    file.write(f"{{os.getpid()}}\\n")

class FilterModule:
    def filters(self):
        return {{"twice": lambda number: 2 * number}}
"""


def test_tasks_do_not_load_filters_again(plays: Plays) -> None:
    log = plays.folder / "loaded"
    # A process of its own: what it has loaded itself counts.
    plays.folder.joinpath("filter_plugins").mkdir()
    plays.folder.joinpath("filter_plugins/twice.py").write_text(FILTER.format(log=str(log)))
    tasks = [{"ansible.builtin.set_fact": {"number": "{{ 2 | twice }}"}} for _number in range(3)]
    assert plays.run({"tasks": tasks}, environment={"ANSIBLE_HOME": str(plays.folder)}).code == 0
    assert len(log.read_text().splitlines()) == 1


@pytest.mark.parametrize("option", ["--list-tasks", "--list-tags", "--syntax-check"])
def test_lists_are_those_of_ansible(plays: Plays, option: str) -> None:
    run = plays.run(SEVERAL, option)
    assert run.code == 0
    assert "Finished" not in run.output


BROKEN = """
DOCUMENTATION = '''
name: broken
type: stdout
short_description: Fails
description: Fails.
extends_documentation_fragment: [default_callback, result_format_callback]
'''
from ansible_collections.slipway.aws.plugins.callback.steps import CallbackModule as Steps

class CallbackModule(Steps):
    CALLBACK_NAME = "broken"

    def _print_changes(self, *_arguments):
        raise RuntimeError("no paper")
"""


def test_an_error_of_the_output_ends_no_run(plays: Plays) -> None:
    """Ansible's default output continues."""
    plugin = plays.folder / "callback_plugins/broken.py"
    plugin.parent.mkdir()
    plugin.write_text(BROKEN)
    environment = {"ANSIBLE_CALLBACK_PLUGINS": str(plugin.parent), "ANSIBLE_STDOUT_CALLBACK": "broken"}
    run = plays.run({"tasks": [changed("Work"), quiet("Read")]}, environment=environment)
    assert run.code == 0, run.output
    assert "slipway.aws.steps failed, Ansible's default output replaces it" in run.output
    assert "TASK [Read]" in run.output


@pytest.mark.variants
def test_colours_are_those_of_ansible(plays: Plays) -> None:
    play = {"tasks": [changed("Work")]}
    coloured = plays.run(play, environment={"ANSIBLE_FORCE_COLOR": "1", "ANSIBLE_NOCOLOR": ""})
    assert re.search("\x1b\\[[0-9;]+mWork … changed", coloured.output)
    assert "\x1b" not in plays.run(play, environment={"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1"}).output


def test_check_mode_ends_with_the_plan(plays: Plays) -> None:
    new = {"name": "Create the file", "ansible.builtin.copy": {"content": "x", "dest": f"{plays.folder}/x"}}
    old = {
        "name": "Change the files",
        "ansible.builtin.copy": {"content": "new {{ item }}\n", "dest": f"{plays.folder}/{{{{ item }}}}"},
        "loop": ["a", "b", "c"],
    }
    for name, text in (("a", "old\n"), ("b", "old\n"), ("c", "new c\n")):
        (plays.folder / name).write_text(text)
    plays.role("shop", new)
    plays.role("store", old)
    run = plays.run({"roles": ["shop", "store"]}, "--check", "--diff")
    end = run.between("PLAN", "Finished in ")
    assert [line.strip() for line in end] == [
        "shop",
        "+ Create the file",
        "store",
        "~ Change the files (a)",
        "~ Change the files (b)",
        "1 to create, 2 to update, 1 to keep.",
    ]
    # Of each item of a loop, whatever the last one has.
    assert ("+new a" in run.lines, "+new b" in run.lines) == (True, True)
    assert "+x" not in run.lines


def test_the_end_lists_urls_and_skipped_roles(plays: Plays) -> None:
    facts = {"ecs_load_balancer_result": {"url": "http://alb", "urls": {"web": "http://alb", "api": "http://alb/api/"}}}
    plays.role("shop", {"name": "Return the result", "ansible.builtin.set_fact": facts})
    plays.folder.joinpath("library").mkdir()
    plays.folder.joinpath("library/unchanged.py").write_text(
        "#!/usr/bin/python\n# WANT_JSON\nimport json\nprint(json.dumps({'changed': False, 'slipway_skipped': True}))\n"
    )
    plays.role("network", {"name": "Skip what has converged", "unchanged": {}})
    run = plays.run({"roles": ["network", "shop"]})
    assert run.between("PLAY RECAP", "Finished in ")[1:] == [
        "network  skipped (converged)",
        "shop     unchanged",
        "web  http://alb",
        "api  http://alb/api/",
    ]


@pytest.mark.parametrize(
    ("tasks", "code"),
    [
        ([{"ansible.builtin.set_fact": {"slipway_exit_code": 2}}], 2),
        ([{"ansible.builtin.set_fact": {"slipway_exit_code": 1}}, {"ansible.builtin.fail": {"msg": "no"}}], 1),
        pytest.param(
            [{"ansible.builtin.set_fact": {"slipway_exit_code": 1}}, {"ansible.builtin.debug": {"msg": "{{ no }}"}}],
            1,
            marks=pytest.mark.variants,
        ),
        pytest.param(
            [
                {"ansible.builtin.set_fact": {"slipway_exit_code": 1}},
                {"ansible.builtin.set_fact": {"slipway_exit_code": 0}},
            ],
            0,
            marks=pytest.mark.variants,
        ),
        ([{"ansible.builtin.set_fact": {"slipway_exit_code": 0}}, {"ansible.builtin.fail": {"msg": "no"}}], 2),
        pytest.param([], 0, marks=pytest.mark.variants),
    ],
)
def test_a_playbook_chooses_its_exit_code(plays: Plays, tasks: list[Json], code: int) -> None:
    run = plays.run({"tasks": [changed("Work"), *tasks]})
    assert run.code == code, run.output
    assert "Finished in" in run.output
    assert "Traceback" not in run.output


def test_the_result_of_a_module_chooses_the_exit_code(plays: Plays) -> None:
    plays.folder.joinpath("library").mkdir()
    plays.folder.joinpath("library/drift.py").write_text(
        "#!/usr/bin/python\n# WANT_JSON\nimport json\nprint(json.dumps({'changed': False, 'slipway_exit_code': 2}))\n"
    )
    assert plays.run({"tasks": [{"drift": {}}]}).code == 2
