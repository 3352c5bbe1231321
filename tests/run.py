"""Runs the project's tests and prints how many of each kind passed.

Without arguments it runs the daily kinds, in three parallel lanes, and continues after a failure. `slow` and its parts
`lint-slow`, `variants`, `hard`, `ansible-units`, `races`, `artifact` and `upgrade` run on request.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

import ansible_collections.amazon
import emulators

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "tests"
HOME = CACHE / "home"
COLLECTION = "ansible_collections/slipway/aws"
# ansible-test downloads this script to install pip in its virtual environments; Python's own pip does the same.
PIP_BOOTSTRAP = "import ensurepip\n\nensurepip.bootstrap()\n"
PIP_BOOTSTRAP_NAMES = ("get_pip_24_2.py", "get_pip_25_2.py")

# SlipCover writes it: see pyproject.toml.
COVERAGE = CACHE / "coverage.json"
# The minimum branch coverage of plugins/, in percent.
COVERED = 90
# Runs in processes of ansible-playbook alone, where nothing measures it: its tests are those of whole plays.
UNMEASURED = (
    "plugins/callback/",
    "plugins/connection/",
    "plugins/plugin_utils/forkserver",
    "plugins/plugin_utils/preload.py",
)

CORES = os.cpu_count() or 1
# Options of pytest: files in parallel, in the order in which they were collected.
BY_FILE = (f"--numprocesses={CORES}", "--dist=loadfile", "--no-loadscope-reorder")

# Folders of tests/unit that run whole playbooks: they require the checkout, not the copy for ansible-test.
PLAYS = {"playbooks", "roles"}
# Variables of tests/integration/targets.
ACCOUNT = {
    "aws_access_key": "key",
    # Not a word: Ansible masks the secret wherever it occurs in a result.
    "aws_secret_key": "b2f0c1d4e7a9",
    "aws_region": "eu-central-1",
    # Targets share an account.
    "resource_prefix": "slipway-{{ role_name | replace('_', '-') }}",
    # As in the inventory of the workshop.
    "ansible_connection": "slipway.aws.forkserver",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
}
# What a command of ansible-test does not read: its sanity tests are for what is shipped, `lint` is for the rest.
NOT_READ = {"sanity": ("tests/", "benchmarks/", "molecule/")}
# Tests of ansible-test sanity that take longest. Every day, ruff, mypy and yamllint find most of that, and the
# unit tests import every file.
SLOW_RULES = ("import", "pep8", "pylint", "yamllint")
# Molecule's daily scenarios, step by step; those of one step run in parallel. All others are for `make test-slow`.
# `default` owns the local cloud; `plan` runs alone, as it must change nothing; the last use clusters of their own.
DAILY = (("default",), ("plan",), ("site", "modules"))

# How much of a failure's text the summary repeats at each end, in characters.
SAID = 300

S = TypeVar("S")
T = TypeVar("T")

# Whether commands run in parallel: then each prints its output when it ends.
PARALLEL: ContextVar[bool] = ContextVar("PARALLEL", default=False)
# How many commands of a kind run in parallel.
WIDTH: ContextVar[int] = ContextVar("WIDTH", default=CORES)
# The niceness of commands.
NICENESS: ContextVar[int] = ContextVar("NICENESS", default=0)
# That of the lanes that yield to the first one.
YIELDS = 10
# The processor time of each command of a kind, in seconds.
PROCESSOR: ContextVar[list[float]] = ContextVar("PROCESSOR")


@dataclass(frozen=True)
class Tally:
    """How many tests passed, failed and were skipped, and what the failures say."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.failures + other.failures,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def environment() -> dict[str, str]:
    """The caller's environment without settings that could direct a test to a real account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "MOLECULE_"))}
    tools = str(Path(sys.executable).parent)
    kept["PATH"] = os.pathsep.join([tools, *(part for part in kept["PATH"].split(os.pathsep) if part != tools)])
    plain = {} if sys.stdout.isatty() else {"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1"}
    own = {
        # Neither the home directory's collections nor Molecule's state of another clone.
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        # The path of a socket must be short.
        "ANSIBLE_SSH_CONTROL_PATH_DIR": "~/.ansible/cp",
        "MOLECULE_COMMAND_BORDERS": "false",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return kept | plain | own


@functools.cache
def yielding() -> tuple[str, ...]:
    """What starts a command that yields to all others, as root on Linux with control groups of version 1.

    Linux shares its processors among sessions, whatever the niceness of their processes, and each run of Ansible starts
    sessions of its own.
    """
    group = Path("/sys/fs/cgroup/cpu/slipway-tests")
    try:
        group.mkdir(exist_ok=True)
        (group / "cpu.shares").write_text("300")
    except OSError:
        return ()
    return ("sh", "-c", 'echo $$ >"$0" && exec "$@"', str(group / "cgroup.procs"))


def run(title: str, *command: str, cwd: Path = ROOT, **variables: str) -> bool:
    """Runs a command, and prints its output and how it ended."""
    print(f"--> {title}", flush=True)
    start = time.monotonic()
    polite = ("nice", "-n", str(NICENESS.get()), *command)
    if NICENESS.get() >= YIELDS:
        polite = (*yielding(), *polite)
    with tempfile.TemporaryFile("w+", errors="replace") as kept:
        output, to_output = (kept, subprocess.STDOUT) if PARALLEL.get() else (None, None)
        started = subprocess.Popen(polite, cwd=cwd, env=environment() | variables, stdout=output, stderr=to_output)
        # As wait(), which does not say what the command and its own commands used.
        _pid, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        kept.seek(0)
        printed = kept.read()
    processor = used.ru_utime + used.ru_stime
    PROCESSOR.get().append(processor)
    ended = "ok" if started.returncode == 0 else f"failed ({started.returncode})"
    seconds = f"{time.monotonic() - start:.0f} s, {processor:.0f} s of a processor"
    print(f"{printed}--- {title}: {ended}, {seconds}", flush=True)
    return started.returncode == 0


def together(task: Callable[[S], T], parts: Iterable[S]) -> list[T]:
    """Runs a task for each part, as many in parallel as the kind may."""
    parts = list(parts)

    def parallel(part: S) -> T:
        PARALLEL.set(PARALLEL.get() or len(parts) > 1)
        return task(part)

    with ThreadPoolExecutor(WIDTH.get()) as pool:
        running = [pool.submit(copy_context().run, parallel, part) for part in parts]
        return [one.result() for one in running]


def outcome(title: str, succeeded: bool) -> Tally:
    """One test: whether a command succeeded."""
    return Tally(passed=1) if succeeded else Tally(failed=1, failures=(title,))


def reported(title: str, reports: Iterable[Path], succeeded: bool) -> Tally:
    """Counts the cases of JUnit reports; a run that fails without a failed test counts as one failure."""
    total = Tally()
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):
            failed = [child for child in case if child.tag in {"failure", "error"}]
            skipped = not failed and any(child.tag == "skipped" for child in case)
            total += Tally(int(not failed and not skipped), int(bool(failed)), int(skipped), failures(case, failed))
    return total if succeeded or total.failed else total + outcome(title, succeeded)


def failures(case: ElementTree.Element, failed: Sequence[ElementTree.Element]) -> tuple[str, ...]:
    """The name of a failed case, and what it says."""
    name = "::".join(part for part in (case.get("classname"), case.get("name")) if part)
    return tuple(f"{name}: {said(part)}" for part in failed[:1])


def said(failure: ElementTree.Element) -> str:
    """The beginning and the end: the message, and where it comes from."""
    text = " ".join(f"{failure.get('message', '')} {failure.text or ''}".split())
    return text if len(text) <= 2 * SAID else f"{text[:SAID]} … {text[-SAID:]}"


def lint() -> Tally:
    """Style and types, one test a tool."""
    typed = [
        str(path) for folder in (".", "benchmarks", "docs", "tests") for path in sorted((ROOT / folder).glob("*.py"))
    ]
    tools = {
        "ansible-lint, what is shipped": ("ansible-lint", "--exclude", "molecule/", "tests/"),
        "yamllint": ("yamllint", "--strict", "."),
        "ruff check": ("ruff", "check"),
        "ruff format": ("ruff", "format", "--check"),
        "mypy, plugins": ("mypy",),
        "mypy, tools": ("mypy", *typed),
    }
    # The first takes longer than all others together, two of which share a cache.
    first, *others = tools

    def checked(titles: Sequence[str]) -> Tally:
        return sum((outcome(title, run(title, *tools[title])) for title in titles), Tally())

    return sum(together(checked, [[first], others]), Tally())


def unit() -> Tally:
    """The collection's tests with their coverage, and those of the workshop's application."""
    # pytest warns that it cannot rewrite SlipCover's assertions; it has none.
    quiet = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    measured = (sys.executable, "-m", "slipcover", "-m", "pytest", "-W", quiet)
    suites = {
        # The tests of a file share fixtures that are slow to set up; tests/unit/conftest.py puts long files first.
        "pytest, collection": (*measured, "--durations=15", *BY_FILE),
        "pytest, application": ("pytest", "apps/workshop/django/tests.py", "--ds=workshop.settings"),
    }
    COVERAGE.unlink(missing_ok=True)
    return sum((cases(title, *command) for title, command in suites.items()), start=Tally()) + coverage()


def cases(title: str, *command: str, **variables: str) -> Tally:
    """The cases of one run of pytest."""
    report = CACHE / f"{title.replace(', ', '_')}.xml"
    report.unlink(missing_ok=True)
    ok = run(title, *command, "--quiet", f"--junit-xml={report}", cwd=ROOT, DEBUG="1", **variables)
    return reported(title, [report] if report.exists() else [], ok)


def coverage() -> Tally:
    """One test: whether the unit tests cover enough branches of plugins/."""
    if not COVERAGE.exists():
        return outcome(f"no {COVERAGE}", False)
    files = json.loads(COVERAGE.read_text())["files"]
    measured = {name: file for name, file in sorted(files.items()) if not name.startswith(UNMEASURED)}
    for name, file in measured.items():
        if (share := covered(file["summary"])) < COVERED:
            missed = sorted({str(line) for line, _to in file["missing_branches"]}, key=int)
            print(f"{share:7.1f} %  {name}, branches missed from line {', '.join(missed)}")
    share = covered(
        {
            count: sum(file["summary"][count] for file in measured.values())
            for count in ("covered_branches", "missing_branches")
        }
    )
    print(f"--- branch coverage of plugins/: {share:.1f} %, minimum {COVERED}", flush=True)
    return outcome(f"branch coverage: {share:.1f} %, minimum {COVERED}", share >= COVERED)


def covered(summary: dict[str, float]) -> float:
    """The branch coverage, in percent."""
    branches = summary["covered_branches"] + summary["missing_branches"]
    return 100 * summary["covered_branches"] / branches if branches else 100


@functools.cache
def installed(command: str, number: int = 0) -> Path:
    """A copy in a folder …/ansible_collections/slipway/aws, which ansible-test requires, and the dependencies.

    Each run of ansible-test has its own: it writes files there, and several may run in parallel.
    """
    folder = CACHE / f"{command}-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    copy = folder / COLLECTION
    for name in (name for name in tracked_files() if not name.startswith(NOT_READ.get(command, ()))):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    # Otherwise ansible-test would list the files of our own repository, which ignores the copy.
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    for namespace in ansible_collections_folders("amazon", "community"):
        (folder / "ansible_collections" / namespace.name).symlink_to(namespace)
    prepare_home()
    return copy


def ansible_test(
    command: str, *arguments: str, reports: Iterable[str] = ("*.xml",), about: str = "", number: int = 0
) -> Tally:
    copy = installed(command, number)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    options = ("--local", "--python", version, "--color", "no", *arguments)
    title = f"ansible-test {command}{about}"
    ok = run(title, "ansible-test", command, *options, cwd=copy, HOME=str(HOME))
    return reported(title, (path for names in reports for path in (copy / "tests/output/junit").glob(names)), ok)


def sanity() -> Tally:
    """Ansible's own rules for collections, without those that take more time than all others together."""
    return ansible_test("sanity", "--junit", *(part for name in SLOW_RULES for part in ("--skip-test", name)))


def lint_slow() -> Tally:
    """What `lint` and `sanity` leave out."""
    tests = outcome("ansible-lint, all", run("ansible-lint, all", "ansible-lint"))
    return tests + ansible_test("sanity", "--junit", *(part for name in SLOW_RULES for part in ("--test", name)))


def ansible_units() -> Tally:
    """ansible-test units: the unit tests that need no emulator, see tests/unit/conftest.py."""
    folders = {path.name for path in (ROOT / "tests/unit").iterdir() if path.is_dir()} - {*PLAYS, "__pycache__"}
    return ansible_test("units", *(f"tests/unit/{name}/" for name in sorted(folders)))


def integration() -> Tally:
    """ansible-test integration: each module in a playbook, on emulators."""
    copies = [installed("integration", core) / "tests/integration" for core in range(WIDTH.get())]
    first, *names = sorted((path.name for path in (copies[0] / "targets").iterdir()), reverse=True)
    shares = {core: " ".join(names[core :: len(copies)]) for core in range(len(copies))}

    def targets(core: int, share: str) -> Tally:
        reports = [f"{name}-*.xml" for name in share.split()]
        options = ("--continue-on-error", *share.split())
        return ansible_test("integration", *options, reports=reports, about=f" {share}", number=core)

    with (
        tempfile.TemporaryDirectory() as logs,
        emulators.running(emulators.MINISTACK, Path(logs)) as ministack,
        emulators.running(emulators.MOTO, Path(logs)) as moto,
    ):
        variables = {**ACCOUNT, "aws_endpoint_url": ministack, "moto_endpoint_url": moto}
        for copy in copies:
            (copy / "integration_config.yml").write_text(json.dumps(variables))
        # The first one alone: ansible-test creates a key, which fails when two do so at the same time.
        return targets(0, first) + sum(together(lambda core: targets(core, shares[core]), shares), Tally())


def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def ansible_collections_folders(*namespaces: str) -> list[Path]:
    parent = Path(ansible_collections.amazon.__path__[0]).parent
    return [parent / namespace for namespace in namespaces]


def prepare_home() -> None:
    """A home directory for ansible-test's virtual environments, with the caller's pip settings and cache."""
    cache = HOME / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in PIP_BOOTSTRAP_NAMES:
        (cache / name).write_text(PIP_BOOTSTRAP)
    for name in (".cache", ".config", ".pip"):
        link = HOME / name
        if not link.is_symlink() and (Path.home() / name).exists():
            link.symlink_to(Path.home() / name)


def molecule() -> Tally:
    """The daily scenarios."""
    return scenarios(*DAILY)


def slow() -> Tally:
    """The other scenarios, and the kinds that take long."""
    daily = {name for step in DAILY for name in step}
    paths = [path for path in sorted(ROOT.glob("molecule/*/molecule.yml")) if path.parent.name not in daily]
    # The scenarios of single roles link to one file, have projects of their own, and so run in parallel.
    roles = [path.parent.name for path in paths if path.is_symlink()]
    others = ((path.parent.name,) for path in paths if not path.is_symlink())
    # The first owns the local cloud: two that create it at the same time are in each other's way.
    emulated = lint_slow() + variants() + hard() + ansible_units()
    return scenarios(("default",), roles, *others) + emulated + races() + artifact() + upgrade()


def variants() -> Tally:
    """Non-default role configurations, created and deleted on emulators."""
    return cases("pytest, variants", "pytest", "-m", "variants", *BY_FILE)


def hard() -> Tally:
    """The tests of modules, roles and playbooks that use MiniStack, where it is as hard as AWS."""
    kinds = {"SLIPWAY_CLOUD": os.environ.get("SLIPWAY_CLOUD", "rewriting,lagging,throttling,changing")}
    return cases("pytest, hard", "pytest", "-m", "not slow", *BY_FILE, **kinds)


def races() -> Tally:
    """Random releases that are killed, interrupted or concurrent, by seed."""
    return cases("pytest, races", "pytest", "tests/races", "--numprocesses=auto")


def artifact() -> Tally:
    """The archive that users install: its content, and the workshop from it."""
    return cases("pytest, artifact", "pytest", "tests/unit/test_artifact.py", "tests/artifact")


def upgrade() -> Tally:
    """A site of the previous release, converged by this version."""
    return cases("pytest, upgrade", "pytest", "tests/upgrade")


def scenarios(*steps: Sequence[str]) -> Tally:
    """One test per scenario, and the cases of those that run pytest.

    All share the local cloud that `default` owns, which is deleted once, at the end.
    """

    def scenario(name: str, niceness: int) -> Tally:
        NICENESS.set(niceness)
        title = f"molecule {name}"
        return outcome(title, run(title, "molecule", "test", "--scenario-name", name, "--destroy", "never"))

    def in_parallel(step: Sequence[str]) -> list[Tally]:
        # The others yield to the first, which takes longest.
        niceness = {name: NICENESS.get() + (0 if name == step[0] else 2) for name in step}
        return together(lambda name: scenario(name, niceness[name]), step)

    reports = [CACHE / "integration.xml", CACHE / "integration_slow.xml", CACHE / "interruptions.xml"]
    for report in reports:
        report.unlink(missing_ok=True)
    delete = ("molecule", "destroy", "--scenario-name", "default")
    run("molecule, delete what an earlier run left", *delete)
    ended = [tally for step in steps for tally in in_parallel(step)]
    ended.append(outcome("molecule, delete", run("molecule, delete the local cloud", *delete)))
    return sum(ended, reported("molecule", [report for report in reports if report.exists()], succeeded=True))


KINDS: dict[str, Callable[[], Tally]] = {
    "lint": lint,
    "unit": unit,
    "sanity": sanity,
    "lint-slow": lint_slow,
    "integration": integration,
    "molecule": molecule,
    "slow": slow,
    "variants": variants,
    "hard": hard,
    "ansible-units": ansible_units,
    "races": races,
    "artifact": artifact,
    "upgrade": upgrade,
}
# What runs without arguments: lanes in parallel. The first takes longest, because it waits for containers; meanwhile
# the others compute, with a lower priority, and the last runs one command at a time, so that each ends about when the
# first does.
LANES = (("molecule",), ("unit",), ("lint", "sanity", "integration"))
# The share of each kind, in seconds of a processor, and of the whole, in seconds on two cores. The table marks what
# takes more.
SHARES = {"lint": 90, "unit": 600, "sanity": 80, "integration": 80, "molecule": 200}
WHOLE = 12 * 60


@dataclass(frozen=True)
class Ended:
    """How a kind ended, how long it took, and what it used of the processors, both in seconds."""

    tally: Tally
    seconds: float
    processor: float


def lane(kinds: Iterable[str], number: int | None = None) -> dict[str, Ended]:
    """Runs kinds one after the other, alone or as one of several lanes."""
    PARALLEL.set(number is not None)
    WIDTH.set(1 if number == len(LANES) - 1 else CORES)
    NICENESS.set(YIELDS if number else 0)
    ended = {}
    for kind in kinds:
        print(f"==> {kind}", flush=True)
        PROCESSOR.set([])
        start = time.monotonic()
        tally = KINDS[kind]()
        ended[kind] = Ended(tally, time.monotonic() - start, sum(PROCESSOR.get()))
    return ended


def lanes() -> dict[str, Ended]:
    """Runs all lanes in parallel, those after the first with a lower priority."""
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(lane, kinds, number) for number, kinds in enumerate(LANES)]
        return {kind: ended for one in running for kind, ended in one.result().items()}


def table(ended: dict[str, Ended], seconds: float) -> str:
    """Each kind's tests and time; `over` marks one that exceeds its share."""
    total = sum((one.tally for one in ended.values()), Tally())
    rows = {**ended, "total": Ended(total, seconds, sum(one.processor for one in ended.values()))}
    lines = [f"{'kind':<14}{'tests':>7}{'failed':>8}{'skipped':>9}{'seconds':>9}{'processor':>11}{'share':>7}"]
    for kind, one in rows.items():
        tally = one.tally
        tests = tally.passed + tally.failed + tally.skipped
        used, share = (seconds, WHOLE) if kind == "total" else (one.processor, SHARES.get(kind, 0))
        limit = f"{share:>7}{'  over' if used > share else ''}" if share else ""
        counts = f"{kind:<14}{tests:>7}{tally.failed:>8}{tally.skipped:>9}"
        lines.append(f"{counts}{one.seconds:>9.0f}{one.processor:>11.0f}{limit}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(KINDS))
    chosen = parser.parse_args().kinds
    if unknown := set(chosen) - set(KINDS):
        parser.error(f"unknown kind: {', '.join(sorted(unknown))}")
    CACHE.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    ended = lane(chosen) if chosen else lanes()
    total = sum((one.tally for one in ended.values()), Tally())
    failed = "".join(f"FAILED {failure}\n" for failure in total.failures)
    print(f"\n{table(ended, time.monotonic() - start)}\n\n{failed}{total}", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
