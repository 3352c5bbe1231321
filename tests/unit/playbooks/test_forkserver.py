# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules in forks of one process return what they return otherwise, leave nothing behind, and the process ends."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
import yaml

Json = dict[str, t.Any]

ROOT = Path(__file__).resolve().parents[3]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
FORKSERVER = "slipway.aws.forkserver"
# Other processes of this machine do not have it.
SECRET = secrets.token_hex(16)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the server requires Linux")

# A module that runs code and returns its `result`, or leaves by its `end`. Only forks have libraries that it does not
# import. A fork's parent is the leader of its session, and that one's parent is the server.
PROBE = """#!/usr/bin/python
import os, signal, sys, time
from ansible.module_utils.basic import AnsibleModule
forked = "botocore.waiter" in sys.modules
VERSION = 0

def server():
    with open(f"/proc/{os.getppid()}/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])

def main():
    module = AnsibleModule({"code": {}, "secret": {"no_log": True}}, supports_check_mode=True)
    names = {**globals(), "module": module, "result": {}}
    exec(module.params["code"], names)
    if "end" in names:
        names["end"]()
    module.exit_json(**{"forked": forked, **names["result"]})

if __name__ == "__main__":
    main()
"""


class Ended(t.NamedTuple):
    """A run."""

    results: list[Json]
    printed: str


class Site(t.NamedTuple):
    """A folder with a playbook, and with a module of its own."""

    folder: Path

    def command(self, tasks: list[Json], connection: str, hosts: str) -> list[str]:
        variables = {"ansible_connection": connection, "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        play = {"hosts": "all", "gather_facts": False, "vars": variables, "tasks": tasks}
        (self.folder / "playbook.yml").write_text(yaml.safe_dump([play], sort_keys=False))
        return [str(PLAYBOOK), "--inventory", hosts, str(self.folder / "playbook.yml")]

    def environment(self, **variables: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
        own = {
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible/collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "true",
        }
        return kept | own | variables

    def play(
        self,
        tasks: list[Json],
        *options: str,
        connection: str = FORKSERVER,
        hosts: str = "localhost,",
        **environment: str,
    ) -> Ended:
        """Run tasks, whose failures are results too."""
        written = self.folder / "results.json"
        names = [f"result_{number}" for number in range(len(tasks))]
        steps = [task | {"register": name, "ignore_errors": True} for task, name in zip(tasks, names, strict=True)]
        content = "{{ [" + ", ".join(names) + "] | to_json }}"
        last = {"ansible.builtin.copy": {"content": content, "dest": str(written)}, "check_mode": False, "no_log": True}
        done = subprocess.run(
            [*self.command([*steps, last | {"run_once": True}], connection, hosts), *options],
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return Ended(json.loads(written.read_text()), done.stdout + done.stderr)


def probe(code: str = "", **more: t.Any) -> Json:
    return {"probe": {"code": code}, **more}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "library").mkdir()
    (tmp_path / "library/probe.py").write_text(PROBE)
    return Site(tmp_path)


def wait_until(condition: t.Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; in a container without init, one that has ended may stay as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# The same results

SURROUNDINGS = """
import gc, locale, resource, threading, warnings
main = sys.modules["__main__"]
descriptors = sorted(map(int, os.listdir("/proc/self/fd")))[:-1]
result = {
    "cwd": os.getcwd(), "environment": dict(os.environ), "argv": [os.path.basename(name) for name in sys.argv],
    "path": [name for name in sys.path if "_payload" not in name], "flags": str(sys.flags),
    "python": [sys.executable, sys.prefix, sys.dont_write_bytecode, sys.getrecursionlimit()],
    "umask": os.umask(0o22), "nice": os.nice(0), "limits": resource.getrlimit(resource.RLIMIT_NOFILE),
    "signals": [str(signal.getsignal(number)).split(" at ")[0] for number in sorted(signal.valid_signals())],
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "descriptors": [os.readlink(f"/proc/self/fd/{number}").split(":")[0] for number in descriptors],
    "stdin": [sys.stdin.read(), sys.stdin.isatty(), sys.stdin.encoding],
    "stdout": [sys.stdout.encoding, sys.stdout.errors, sys.stdout.line_buffering, sys.stdout.seekable()],
    "stderr": [sys.stderr.encoding, sys.stderr.errors, sys.stderr.line_buffering],
    "locale": locale.setlocale(locale.LC_ALL), "gc": [gc.isenabled(), gc.get_threshold()],
    "threads": [threading.active_count(), threading.current_thread().name],
    "main": [main.__name__, sorted(set(vars(main)) & {"__file__", "_module_fqn", "_modlib_path"})],
    "terminal": not os.system("exec 2> /dev/null; : < /dev/tty"),
    "module": [module.check_mode, module._diff, module._verbosity, module.no_log],
    "files": sorted({value.__file__.split("_payload.zip")[-1] for name, value in sys.modules.items()
                     if name.startswith("ansible") and value.__file__}),
}
"""
SAME = [
    probe(SURROUNDINGS, environment={"GREETING": 'it\'s $HOME "and" more', "EMPTY": ""}),
    probe("def end():\n    print('half of it', flush=True); print('why', file=sys.stderr); sys.exit(3)"),
    probe("def end():\n    sys.exit('a text')"),
    probe("def end():\n    print('not flushed', end=''); os._exit(4)"),
    probe("def end():\n    print('before', flush=True); os.kill(os.getpid(), signal.SIGSEGV)"),
    probe("def end():\n    os.kill(os.getpid(), signal.SIGKILL)"),
    probe("def end():\n    sys.stdout.buffer.write(bytes(range(256)) * 1000); sys.exit(1)"),
    probe("import atexit\ndef end():\n    atexit.register(print, 'at exit'); sys.exit(5)"),
    probe("raise ValueError('of the module')"),
    probe("result = {'after': 'all that'}"),
    {"ansible.builtin.command": {"argv": ["sh", "-c", "echo out; echo err >&2; exit 7"]}},
    {"ansible.builtin.command": {"argv": ["cat"], "stdin": "given"}},
    {"ansible.builtin.copy": {"content": "text\n", "dest": "{{ playbook_dir }}/copied-{{ ansible_connection }}"}},
    probe(),
]
# What differs from run to run.
VARIES = {"start", "end", "delta", "dest", "path", "src"}


def comparable(value: t.Any) -> t.Any:
    """A result without times and names of temporary files."""
    if isinstance(value, dict):
        return {key: comparable(part) for key, part in value.items() if key not in VARIES or part == []}
    if isinstance(value, list):
        return [comparable(part) for part in value]
    if isinstance(value, str):
        text = re.sub(r"(ansible_\w+_payload)_\w+", r"\1", value)
        return re.sub(r"(copied|source|ansible-tmp)-[\w.-]+", r"\1", text)
    return value


@pytest.mark.variants
@pytest.mark.parametrize(
    ("pipelining", "options"), [("true", ()), ("false", ("--check", "--diff"))], ids=["pipelined", "in-check-mode"]
)
def test_a_module_returns_the_same(site: Site, pipelining: str, options: tuple[str, ...]) -> None:
    usual, forked = (
        site.play(SAME, *options, connection=connection, ANSIBLE_PIPELINING=pipelining).results
        for connection in ("local", FORKSERVER)
    )
    assert (usual.pop()["forked"], forked.pop()["forked"]) == (False, True)
    for left, right in zip(usual, forked, strict=True):
        left.pop("forked", None)
        right.pop("forked", None)
        assert comparable(right) == comparable(left)


def test_what_is_secret_stays_secret(site: Site) -> None:
    """Neither in the output nor in an argument list or a file."""
    code = """
import subprocess
folder = os.environ["ANSIBLE_LOCAL_TEMP"]
files = subprocess.run(["grep", "-rlF", module.params["secret"], folder], capture_output=True, text=True).stdout
listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True).stdout.splitlines()
result = {"files": files, "servers": [line for line in listed if "slipway.aws.forkserver" in line],
          "secret": [line for line in listed if module.params["secret"] in line]}
"""
    ended = site.play([{"probe": {"code": code, "secret": SECRET}, "no_log": True}], "-vvv")
    [result] = ended.results
    assert result["forked"]
    assert len(result["servers"]) >= 3
    assert (result["files"], result["secret"]) == ("", [])
    assert "EXEC in a fork" in ended.printed
    assert "the output has been hidden" in ended.printed
    assert SECRET not in ended.printed
    assert "grep" not in ended.printed


# Nothing stays

CHANGE = """
import boto3, locale, random, threading, warnings
os.environ["LEFT"] = "here"
os.chdir("/tmp"); os.umask(0o077); sys.path.append("/left"); sys.modules["left"] = sys
signal.signal(signal.SIGTERM, signal.SIG_IGN); warnings.simplefilter("error")
locale.setlocale(locale.LC_ALL, "C"); random.seed(1); boto3.setup_default_session(region_name="eu-central-1")
os.open("/etc/passwd", os.O_RDONLY)
threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
"""
LEFT = """
import boto3, random, tempfile, uuid, warnings
result = {
    "left": "left" in sys.modules, "session": str(boto3.DEFAULT_SESSION), "warnings": str(warnings.filters[0]),
    "numbers": [random.random(), str(uuid.uuid4()), str(uuid.uuid1()), next(tempfile._get_candidate_names())],
}
"""


def test_a_module_leaves_nothing_to_the_next(site: Site) -> None:
    results = site.play([probe(SURROUNDINGS), probe(LEFT), probe(CHANGE), probe(SURROUNDINGS), probe(LEFT)]).results
    before, after = results[1].pop("numbers"), results[4].pop("numbers")
    assert results[2]["forked"]
    assert comparable(results[3:]) == comparable(results[:2])
    assert results[1]["session"] == "None"
    assert {*before} & {*after} == set()


def test_a_file_that_changes_during_a_run_is_what_runs(site: Site) -> None:
    """Even with the size and time that it had, by which Python's own cache knows a file."""
    helper = site.folder / "module_utils/helper.py"
    helper.parent.mkdir()
    helper.write_text("VERSION = 1\n")
    for name in ("first", "second"):
        source = PROBE.replace("VERSION = 0", "from ansible.module_utils.helper import VERSION")
        (site.folder / f"library/{name}.py").write_text(source)
    rewrite = f"""
path = {str(helper)!r}
state = os.stat(path)
with open(path, "w") as file:
    file.write("VERSION = 2\\n")
os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
"""
    code = "result = {'version': VERSION}"
    results = site.play([{"first": {"code": code}}, probe(rewrite), {"second": {"code": code}}]).results
    assert [(results[number]["version"], results[number]["forked"]) for number in (0, 2)] == [(1, True), (2, True)]


@pytest.mark.variants
def test_a_library_that_is_upgraded_during_a_run_is_what_runs(site: Site) -> None:
    library = site.folder / "libraries/distro.py"
    library.parent.mkdir()
    library.write_text("version = 1\n")
    upgrade = f"open({str(library)!r}, 'w').write('version = 20\\n')"
    code = "import distro\nresult = {'version': distro.version, 'server': server()}"
    results = site.play([probe(code), probe(upgrade), probe(code), probe(code)], PYTHONPATH=str(library.parent)).results
    assert [results[number]["version"] for number in (0, 2, 3)] == [1, 20, 20]
    assert results[3]["forked"]
    wait_until(lambda: not alive(results[0]["server"]))


CLIENT = """
import boto3, botocore.loaders
read = []
load = botocore.loaders.JSONFileLoader._load_file
def noted(loader, path, *arguments):
    read.append(os.path.basename(os.path.dirname(os.path.dirname(path))))
    return load(loader, path, *arguments)
botocore.loaders.JSONFileLoader._load_file = noted
models = []
for number in range(2):
    client = boto3.session.Session("key", "secret", region_name="eu-central-1").client("ecs")
    models.append(client.meta.service_model._service_description)
result = {"read": read.count("ecs"), "operations": len(models[0]["operations"]), "separate": models[0] is not models[1],
          "services": len(boto3.session.Session().get_available_services())}
models[0]["operations"].clear()
"""


@pytest.mark.variants
def test_a_model_that_a_module_reads_is_there_for_the_next(site: Site) -> None:
    """For its first client: a second one reads a model of its own, as it does otherwise."""
    first, second, third = site.play([probe(CLIENT)] * 3).results
    usual = site.play([probe(CLIENT)], connection="local").results[0]
    compared = ("operations", "separate", "services")
    assert [[result[name] for name in compared] for result in (first, second, third)] == [
        [usual[name] for name in compared]
    ] * 3
    assert 0 < third["read"] < usual["read"]
    assert (first["read"], second["read"]) == (usual["read"], third["read"])


# The usual way


def test_what_cannot_run_in_a_fork_runs_as_usual(site: Site) -> None:
    library = site.folder / "library"
    (library / "shell_module").write_text('#!/bin/sh\n# WANT_JSON\necho \'{"changed": false, "shell": true}\'\n')
    shutil.copy("/bin/cat", library / "binary_module")
    other = site.folder / "python"
    other.symlink_to(sys.executable)
    sudo = site.folder / "sudo"
    sudo.write_text('#!/bin/sh\nexport BECAME=1\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec "$@"\n')
    sudo.chmod(0o755)
    became = {"ansible_become_exe": str(sudo), "ansible_become_flags": ""}
    tasks = [
        {"shell_module": {}},
        {"binary_module": {"given": 1}},
        probe(vars={"ansible_python_interpreter": str(other)}),
        probe(environment={"PYTHONPATH": "/nonexistent"}),
        probe(environment={"LC_ALL": "C"}),
        probe("result = {'became': os.environ.get('BECAME')}", become=True, become_user="nobody", vars=became),
        probe(**{"async": 60, "poll": 1}),
        probe(vars={"slipway_forkserver": False}),
        probe(),
    ]
    results = site.play(tasks, ANSIBLE_ASYNC_DIR=str(site.folder / "async")).results
    assert (results[0]["shell"], results[1]["given"], results[5]["became"]) == (True, 1, "1")
    assert [result["forked"] for result in results[2:]] == [False] * 6 + [True]


@pytest.mark.variants
def test_a_server_that_cannot_start_is_reported_once(site: Site) -> None:
    damaged = site.folder / "libraries/boto3.py"
    damaged.parent.mkdir()
    damaged.write_text("raise RuntimeError('boto3 is damaged')\n")
    ended = site.play([probe(), probe()], hosts="one,two,three,", PYTHONPATH=str(damaged.parent))
    assert len(re.findall("cannot start", ended.printed)) == 1
    assert "boto3 is damaged" in " ".join(ended.printed.split())
    assert not ended.results[1]["forked"]


# One server, private, until the run ends


def test_all_workers_share_a_server(site: Site) -> None:
    seen = site.folder / "seen"
    seen.mkdir()
    code = f"open({str(seen)!r} + f'/{{os.getpid()}}', 'w').write(str(server()))"
    site.play([probe(code), probe(code)], "--forks", "8", hosts=",".join(f"host{number}" for number in range(8)))
    servers = [int(path.read_text()) for path in seen.iterdir()]
    assert (len(servers), len({*servers})) == (16, 1)
    wait_until(lambda: not alive(servers[0]))


def test_the_server_starts_before_a_module_needs_it(site: Site) -> None:
    listed = f"{{{{ lookup('ansible.builtin.pipe', 'ls {site.folder}/local/*') }}}}"
    tasks: list[Json] = [{"ansible.builtin.debug": {"msg": text}} for text in ("A task without a module", listed)]
    assert "forkserver.log" in site.play(tasks).results[1]["msg"].splitlines()


def test_a_server_that_is_killed_leaves_its_modules_and_another_follows(site: Site) -> None:
    kill = "result = {'server': server()}\nos.kill(server(), signal.SIGKILL); time.sleep(0.2)"
    killed, next_module = site.play([probe(kill), probe("result = {'server': server()}")]).results
    assert (killed["failed"], next_module["forked"]) == (False, True)
    assert killed["server"] != next_module["server"]


INTRUDE = """
import glob, socket
[path] = glob.glob(os.environ["ANSIBLE_LOCAL_TEMP"] + "/*/forkserver")
folder = os.path.dirname(path)
names = [name for name in os.listdir(folder) if name.startswith("forkserver.")]
modes = {name: oct(os.stat(os.path.join(folder, name)).st_mode & 0o777) for name in [".", *names]}
reading, writing = os.pipe()
os.chdir(folder)
# As if the folder were open to others.
os.chmod(folder, 0o755)
os.chmod(path, 0o777)
if not os.fork():
    try:
        os.setgid(65534)
        os.setuid(65534)
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.connect("forkserver")
        client.send(b"run")
        os.write(writing, client.recv(16) or b"refused")
    except OSError as error:
        os.write(writing, type(error).__name__.encode())
    os._exit(0)
os.close(writing)
result = {"modes": modes, "answer": os.read(reading, 100).decode()}
"""


def test_only_its_user_uses_the_server(site: Site) -> None:
    if os.geteuid():
        pytest.skip("only root can become another user")
    # A path that others can reach.
    for folder in (site.folder, *site.folder.parents[:2]):
        folder.chmod(0o755)
    ended = site.play([probe(INTRUDE), probe()])
    assert ended.results[0]["modes"] == {".": "0o700", "forkserver.lock": "0o600", "forkserver.log": "0o600"}
    assert ended.results[0]["answer"] in {"refused", "ConnectionResetError", "BrokenPipeError"}
    # Others could put a socket of theirs into the folder, which is open now.
    assert "only its owner" in " ".join(ended.printed.split())
    assert not ended.results[1]["forked"]


# Ansible may send a second signal before the module has seen the first.
WAIT = """
import pathlib, subprocess
folder, seen = pathlib.Path({folder!r}), []
def note(number, frame):
    (folder / signal.Signals(number).name).touch()
    seen.append(number)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, note)
child = subprocess.Popen(["sleep", "60"])
(folder / "pids.part").write_text(f"{{server()}} {{child.pid}}")
(folder / "pids.part").rename(folder / "pids")
while not seen and not (folder / "continue").exists():
    time.sleep(0.01)
if not seen:
    (folder / "finished").touch()
"""


@pytest.mark.parametrize(
    ("number", "ended"),
    [(signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM"), (signal.SIGKILL, "finished")],
    ids=["interrupt", "terminate", "kill"],
)
@pytest.mark.parametrize("connection", [pytest.param("local", marks=pytest.mark.variants), FORKSERVER])
def test_the_end_of_a_run_reaches_the_module(site: Site, connection: str, number: int, ended: str) -> None:
    """Ansible does not end the module of a run that is killed. The server ends with each."""
    command = site.command([probe(WAIT.format(folder=str(site.folder)))], connection, "localhost,")
    run = subprocess.Popen(
        command, cwd=site.folder, env=site.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_until((site.folder / "pids").exists)
    server, child = map(int, (site.folder / "pids").read_text().split())
    run.send_signal(number)
    wait_until(lambda: run.poll() is not None)
    if connection == FORKSERVER:
        wait_until(lambda: not alive(server))
    if number == signal.SIGKILL:
        assert alive(child)
        (site.folder / "continue").touch()
        os.kill(child, signal.SIGKILL)
    wait_until((site.folder / ended).exists)
    wait_until(lambda: not alive(child))


# Packed modules

ANSWER = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.slipway.aws.plugins.module_utils.answers import ANSWER

if __name__ == "__main__":
    AnsibleModule({}).exit_json(answer=ANSWER)
"""


def test_a_module_is_packed_again_only_when_a_file_that_it_imports_has_changed(site: Site) -> None:
    collection = site.folder / "ansible_collections/slipway/aws"
    for name in ("plugins/connection/forkserver.py", "plugins/plugin_utils", "meta"):
        (collection / name).parent.mkdir(parents=True, exist_ok=True)
        (collection / name).symlink_to(ROOT / name)
    for folder in ("modules", "module_utils"):
        (collection / "plugins" / folder).mkdir()
    (collection / "plugins/modules/answer.py").write_text(ANSWER)
    answers = collection / "plugins/module_utils/answers.py"
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(site.folder), "ANSIBLE_HOME": str(site.folder / "home")}

    def answer() -> tuple[str, bool]:
        ended = site.play([{"slipway.aws.answer": {}}], **environment, ANSIBLE_DEBUG="true")
        found = re.search(r"ANSIBALLZ: using cached module: \S+modules[.]answer-", ended.printed)
        return ended.results[0]["answer"], not found

    answers.write_text("ANSWER = 'first'\n")
    assert [answer(), answer()] == [("first", True), ("first", False)]
    answers.write_text("ANSWER = 'second'\n")
    assert answer() == ("second", True)
