"""Runs the project's checks and ends with how many of each kind passed.

Without arguments the kinds for every day run, also when an earlier one fails, in two lanes beside each other; `long`
when it is asked for, and `variants`, `units`, `races` and `artifact`, which are parts of it.
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
# ansible-test fetches this script to bring pip into its virtual environments; Python has a pip of its own for that.
PIP_BOOTSTRAP = "import ensurepip\n\nensurepip.bootstrap()\n"
PIP_BOOTSTRAP_NAMES = ("get_pip_24_2.py", "get_pip_25_2.py")

# Written by SlipCover, as pyproject.toml says.
COVERAGE = CACHE / "coverage.json"
# The share of the branches of plugins/ that unit tests must take, in percent.
COVERED = 90

# What runs whole playbooks, in folders of tests/unit: it needs the checkout, which the copy for ansible-test is not.
PLAYS = {"playbooks", "roles"}
# An engine that never answers: tasks of the emulator are no containers.
NO_DOCKER = "unix:///nonexistent/docker.sock"
# Variables of tests/integration/targets.
ACCOUNT = {
    "aws_access_key": "key",
    # No word: Ansible hides the secret wherever it turns up in a result.
    "aws_secret_key": "b2f0c1d4e7a9",
    "aws_region": "eu-central-1",
    # Targets share an account.
    "resource_prefix": "slipway-{{ role_name | replace('_', '-') }}",
}
# Molecule's scenarios for every day, step by step, those of one step beside each other; all others are for `make long`.
# The first owns the local cloud; the plan has it alone, as it must touch nothing; the last have clusters of their own.
EVERY_DAY = (("default",), ("plan",), ("site", "modules"))

T = TypeVar("T")

# Whether commands run beside others: each prints all that it has to say at its end.
BESIDE_OTHERS: ContextVar[bool] = ContextVar("BESIDE_OTHERS", default=False)
# How much commands give way to others.
NICENESS: ContextVar[int] = ContextVar("NICENESS", default=0)


@dataclass(frozen=True)
class Tally:
    """How many tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def environment() -> dict[str, str]:
    """The caller's environment without what could lead a test to a real account or to other settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "MOLECULE_"))}
    tools = str(Path(sys.executable).parent)
    kept["PATH"] = os.pathsep.join([tools, *(part for part in kept["PATH"].split(os.pathsep) if part != tools)])
    plain = {} if sys.stdout.isatty() else {"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1"}
    own = {
        # Neither collections in the home directory nor what Molecule noted there for another clone.
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        # The path of a socket must be short.
        "ANSIBLE_SSH_CONTROL_PATH_DIR": "~/.ansible/cp",
        "MOLECULE_COMMAND_BORDERS": "false",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return kept | plain | own


def run(title: str, *command: str, cwd: Path = ROOT, **variables: str) -> bool:
    """Runs a command, its output visible, and says how it ended."""
    print(f"--> {title}", flush=True)
    start = time.monotonic()
    pipe, to_pipe = (subprocess.PIPE, subprocess.STDOUT) if BESIDE_OTHERS.get() else (None, None)
    polite = ("nice", "-n", str(NICENESS.get()), *command)
    done = subprocess.run(
        polite, cwd=cwd, env=environment() | variables, check=False, stdout=pipe, stderr=to_pipe, text=True
    )
    ended = "ok" if done.returncode == 0 else f"failed ({done.returncode})"
    print(f"{done.stdout or ''}--- {title}: {ended}, {time.monotonic() - start:.0f} s", flush=True)
    return done.returncode == 0


def together(task: Callable[[str], T], names: Iterable[str]) -> list[T]:
    """Runs a task for each name, as many at a time as there are cores."""
    names = list(names)

    def beside_others(name: str) -> T:
        BESIDE_OTHERS.set(BESIDE_OTHERS.get() or len(names) > 1)
        return task(name)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = [pool.submit(copy_context().run, beside_others, name) for name in names]
        return [one.result() for one in running]


def reported(reports: Iterable[Path], succeeded: bool) -> Tally:
    """Counts the cases of JUnit reports; a run that fails without naming a test counts as one failure."""
    total = Tally()
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):
            outcomes = {child.tag for child in case}
            failed = bool(outcomes & {"failure", "error"})
            skipped = not failed and "skipped" in outcomes
            total += Tally(int(not failed and not skipped), int(failed), int(skipped))
    return total if succeeded or total.failed else total + Tally(failed=1)


def lint() -> Tally:
    """Style and types, one test a tool."""
    typed = [
        str(path) for folder in (".", "benchmarks", "docs", "tests") for path in sorted((ROOT / folder).glob("*.py"))
    ]
    ok = [
        run("ansible-lint", "ansible-lint"),
        run("yamllint", "yamllint", "--strict", "."),
        run("ruff check", "ruff", "check"),
        run("ruff format", "ruff", "format", "--check"),
        run("mypy, plugins", "mypy"),
        run("mypy, tools", "mypy", *typed),
    ]
    return Tally(passed=ok.count(True), failed=ok.count(False))


def unit() -> Tally:
    """The collection's tests with their coverage, and those of the workshop's application."""
    # SlipCover has no assertions that pytest could rewrite.
    quiet = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    measured = (sys.executable, "-m", "slipcover", "-m", "pytest", "-W", quiet)
    suites = {
        # A file's tests share what is slow to set up.
        "pytest, collection": (*measured, "--durations=5", "--numprocesses=auto", "--dist=loadfile"),
        "pytest, application": ("pytest", "apps/workshop/django/tests.py", "--ds=workshop.settings"),
    }
    COVERAGE.unlink(missing_ok=True)
    return sum((cases(title, *command) for title, command in suites.items()), start=Tally()) + coverage()


def cases(title: str, *command: str) -> Tally:
    """Those of one run of pytest."""
    report = CACHE / "pytest.xml"
    report.unlink(missing_ok=True)
    ok = run(title, *command, "--quiet", f"--junit-xml={report}", DEBUG="1")
    return reported([report] if report.exists() else [], ok)


def coverage() -> Tally:
    """One test: whether the collection's tests take enough of the branches of plugins/."""
    if not COVERAGE.exists():
        return Tally(failed=1)
    measured = json.loads(COVERAGE.read_text())
    for name, file in sorted(measured["files"].items()):
        if (share := taken(file["summary"])) < COVERED:
            missed = sorted({str(line) for line, _to in file["missing_branches"]}, key=int)
            print(f"{share:7.1f} %  {name}, not all ways from line {', '.join(missed)}")
    share = taken(measured["summary"])
    print(f"--- branches of plugins/ taken: {share:.1f} %, at least {COVERED} wanted", flush=True)
    return Tally(passed=1) if share >= COVERED else Tally(failed=1)


def taken(summary: dict[str, float]) -> float:
    """Branches taken, in percent."""
    branches = summary["covered_branches"] + summary["missing_branches"]
    return 100 * summary["covered_branches"] / branches if branches else 100


@functools.cache
def installed() -> Path:
    """ansible-test wants its own folder …/ansible_collections/slipway/aws, with the collections that ours uses."""
    shutil.rmtree(CACHE / "ansible_collections", ignore_errors=True)
    copy = CACHE / COLLECTION
    for name in tracked_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    # Otherwise ansible-test would ask our own repository, where the copy is ignored.
    subprocess.run(["git", "init", "--quiet"], cwd=copy, check=True)
    for namespace in ansible_collections_folders("amazon", "community"):
        (CACHE / "ansible_collections" / namespace.name).symlink_to(namespace)
    prepare_home()
    return copy


def ansible_test(command: str, reports: str, *arguments: str, about: str = "") -> Tally:
    copy = installed()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    options = ("--local", "--python", version, "--color", "no", *arguments)
    ok = run(f"ansible-test {command}{about}", "ansible-test", command, *options, cwd=copy, HOME=str(HOME))
    return reported((copy / "tests/output/junit").glob(reports), ok)


def sanity() -> Tally:
    """Ansible's own rules for collections."""
    return ansible_test("sanity", "ansible-test-sanity-*.xml", "--junit")


def units() -> Tally:
    """The plugins' unit tests as ansible-test runs them: those that need no account, see tests/unit/conftest.py."""
    folders = {path.name for path in (ROOT / "tests/unit").iterdir() if path.is_dir()} - {*PLAYS, "__pycache__"}
    return ansible_test("units", "*-units.xml", *(f"tests/unit/{name}/" for name in sorted(folders)))


def targets() -> Tally:
    """The modules in playbooks, as many at a time as there are cores, against accounts on this machine."""
    folder = installed() / "tests/integration"
    names = sorted(path.name for path in (folder / "targets").iterdir())

    def target(name: str) -> Tally:
        return ansible_test("integration", f"{name}-*.xml", name, about=f" {name}")

    with (
        tempfile.TemporaryDirectory() as logs,
        emulators.running(emulators.MINISTACK, Path(logs), DOCKER_HOST=NO_DOCKER) as ministack,
        emulators.running(emulators.MOTO, Path(logs)) as moto,
    ):
        variables = {**ACCOUNT, "aws_endpoint_url": ministack, "moto_endpoint_url": moto}
        (folder / "integration_config.yml").write_text(json.dumps(variables))
        # The first one alone: ansible-test makes itself a key, and two at a time would be in each other's way.
        return target(names[0]) + sum(together(target, names[1:]), Tally())


def tracked_files() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def ansible_collections_folders(*namespaces: str) -> list[Path]:
    parent = Path(ansible_collections.amazon.__path__[0]).parent
    return [parent / namespace for namespace in namespaces]


def prepare_home() -> None:
    """A home folder for ansible-test's virtual environments, with the caller's pip settings and cache."""
    cache = HOME / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in PIP_BOOTSTRAP_NAMES:
        (cache / name).write_text(PIP_BOOTSTRAP)
    for name in (".cache", ".config", ".pip"):
        link = HOME / name
        if not link.is_symlink() and (Path.home() / name).exists():
            link.symlink_to(Path.home() / name)


def molecule() -> Tally:
    """The scenarios that are quick enough for every day."""
    return scenarios(*EVERY_DAY)


def long() -> Tally:
    """The other scenarios, variants of roles, unit tests in another way, and the workshop from the archive."""
    every_day = {name for step in EVERY_DAY for name in step}
    paths = [path for path in sorted(ROOT.glob("molecule/*/molecule.yml")) if path.parent.name not in every_day]
    # One file is linked for roles whose scenarios have projects of their own, and so get along.
    roles = [path.parent.name for path in paths if path.is_symlink()]
    others = ((path.parent.name,) for path in paths if not path.is_symlink())
    return scenarios(roles, *others) + variants() + units() + races() + artifact()


def variants() -> Tally:
    """What a role can be told to make besides the workshop's, from nothing to nothing, on emulators."""
    return cases("pytest, variants", "pytest", "-m", "variants", "--numprocesses=auto", "--dist=loadfile")


def races() -> Tally:
    """Releases that are killed, interrupted, or meet others, drawn by seeds."""
    return cases("pytest, races", "pytest", "tests/races", "--numprocesses=auto")


def artifact() -> Tally:
    """The archive that users get, and the workshop from where it is installed."""
    return cases("pytest, artifact", "pytest", "tests/unit/test_artifact.py", "tests/artifact")


def scenarios(*steps: Sequence[str]) -> Tally:
    """One test a scenario, and the cases of those that run pytest. All share the local cloud that `default` owns: it is
    taken down once, at the end."""

    def scenario(name: str) -> bool:
        return run(f"molecule {name}", "molecule", "test", "--scenario-name", name, "--destroy", "never")

    reports = [CACHE / "integration.xml", CACHE / "integration_slow.xml", CACHE / "interruptions.xml"]
    for report in reports:
        report.unlink(missing_ok=True)
    take_down = ("molecule", "destroy", "--scenario-name", "default")
    run("molecule, what an earlier run left is gone", *take_down)
    ok = [ended for step in steps for ended in together(scenario, step)]
    ok.append(run("molecule, nothing stays behind", *take_down))
    cases = reported([report for report in reports if report.exists()], succeeded=True)
    return cases + Tally(passed=ok.count(True), failed=ok.count(False))


KINDS: dict[str, Callable[[], Tally]] = {
    "lint": lint,
    "unit": unit,
    "sanity": sanity,
    "targets": targets,
    "molecule": molecule,
    "long": long,
    "variants": variants,
    "units": units,
    "races": races,
    "artifact": artifact,
}
# What runs without arguments. Containers wait much of their time; meanwhile the others compute, and give way to them.
LANES = (("molecule",), ("lint", "unit", "sanity", "targets"))

Timed = dict[str, tuple[Tally, float]]


def lane(kinds: Iterable[str], beside_others: bool, niceness: int) -> Timed:
    """Runs kinds one after the other."""
    BESIDE_OTHERS.set(beside_others)
    NICENESS.set(niceness)
    ended = {}
    for kind in kinds:
        print(f"==> {kind}", flush=True)
        start = time.monotonic()
        tally = KINDS[kind]()
        ended[kind] = (tally, time.monotonic() - start)
    return ended


def lanes() -> Timed:
    """Runs all lanes beside each other, each nicer than the one before."""
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(lane, kinds, True, 10 * number) for number, kinds in enumerate(LANES)]
        return {kind: ended for one in running for kind, ended in one.result().items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(KINDS))
    chosen = parser.parse_args().kinds
    if unknown := set(chosen) - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    CACHE.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    ended = lane(chosen, False, 0) if chosen else lanes()
    total = sum((tally for tally, _seconds in ended.values()), Tally())
    print(f"\n{'kind':<10}{'tests':>7}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for kind, (tally, seconds) in {**ended, "together": (total, time.monotonic() - start)}.items():
        tests = tally.passed + tally.failed + tally.skipped
        print(f"{kind:<10}{tests:>7}{tally.failed:>8}{tally.skipped:>9}{seconds:>9.0f}")
    print(f"\n{total}", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
