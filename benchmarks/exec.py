"""Measures copying files by the connection slipway.aws.ecs_exec beside `docker cp`: `make benchmark-exec`.

Both copy to and from the same container, which a task with ECS Exec runs on a local cloud of its own. Case by case they
run one after the other, so that the machine's moods meet both.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import exec_report, results
from benchmarks.cloud import ROOT, Cloud
from benchmarks.exec_report import MB, Case, ExecBenchmark, ExecResult
from benchmarks.measure import Misdone

CACHE = ROOT / ".cache" / "benchmark-exec"
PORT = 4603
PROGRAMS = Path(sys.executable).parent
CLUSTER = "bench"
START_SECONDS = 60
# A file of one byte shows what starting the tool, finding out whether there is something to copy, and ending take.
CASES = {
    Case("fetch", 1): 3,
    Case("fetch", 10 * MB): 3,
    Case("fetch", 100 * MB): 1,
    Case("copy", 1): 3,
    Case("copy", 10 * MB): 3,
}
QUICK_CASES = {Case("fetch", MB): 1, Case("copy", MB): 1}
FROM, TO = "/tmp/from", "/tmp/to"


@dataclass(frozen=True)
class Place:
    """A container, the folder of files to copy, and an inventory with the container as a host."""

    container: str
    folder: Path

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory.json"

    def inside(self, *words: str) -> str:
        command = ["docker", "exec", self.container, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


Command = Callable[[Place, str], list[str]]


def by_ansible(place: Place, verb: str) -> list[str]:
    arguments = {
        "fetch": f"src={FROM} dest={place.folder}/to flat=true",
        "copy": f"src={place.folder}/from dest={TO} mode=0600",
    }
    words = ["all", "-i", str(place.inventory), "-m", f"ansible.builtin.{verb}", "-a", arguments[verb]]
    return [str(PROGRAMS / "ansible"), *words]


def by_docker(place: Place, verb: str) -> list[str]:
    paths = {
        "fetch": [f"{place.container}:{FROM}", f"{place.folder}/to"],
        "copy": [f"{place.folder}/from", f"{place.container}:{TO}"],
    }
    return ["docker", "cp", *paths[verb]]


TOOLS: dict[str, Command] = {"slipway.aws.ecs_exec": by_ansible, "docker cp": by_docker}


def measure(command: Command, case: Case, place: Place) -> float:
    """Seconds of one copy of a file that its target does not have."""
    content = random.Random(case.size).randbytes(case.size)
    (place.folder / "from").write_bytes(content)
    (place.folder / "to").unlink(missing_ok=True)
    place.inside("rm", "-f", TO)
    subprocess.run(["docker", "cp", f"{place.folder}/from", f"{place.container}:{FROM}"], check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "PYTHON"))}
    log = place.folder / "output.log"
    with log.open("wb") as output:
        begin = time.monotonic()
        status = subprocess.run(
            command(place, case.verb), cwd=ROOT, env=kept, check=False, stdout=output, stderr=output
        ).returncode
        seconds = time.monotonic() - begin
    if status or copied(case, place) != hashlib.sha256(content).hexdigest():
        raise Misdone(f"{case.name}: expected a copy of the file, got status {status}: see {log}")
    return seconds


def copied(case: Case, place: Place) -> str:
    """The digest of what was copied."""
    if case.verb == "copy":
        return place.inside("sha256sum", TO).split()[0]
    target = place.folder / "to"
    return hashlib.sha256(target.read_bytes()).hexdigest() if target.exists() else ""


def play(port: int, *arguments: str) -> None:
    """Starts or deletes the local cloud."""
    settings = [f"-elocal_cloud_port={port}", f"-eslipway_directory={CACHE}"]
    command = [str(PROGRAMS / "ansible-playbook"), "playbooks/local_cloud.yml", *settings, *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


@contextmanager
def prepared(port: int) -> Iterator[Place]:
    """A container on a new local cloud, which is deleted at the end."""
    CACHE.mkdir(parents=True, exist_ok=True)
    play(port)
    try:
        yield started(Cloud(port, CACHE / "completions"))
    finally:
        play(port, "-elocal_cloud_state=absent")


def started(cloud: Cloud) -> Place:
    """A running container with Python, from the image of the local cloud's instance."""
    image = json.loads((CACHE / "local-cloud/settings.json").read_text())["instance_image"]
    definition = {"name": "app", "image": image, "memory": 512, "entryPoint": ["sleep"], "command": ["infinity"]}
    cloud.call("CreateCluster", clusterName=CLUSTER)
    cloud.call("RegisterTaskDefinition", family="app", containerDefinitions=[definition])
    task = cloud.call("RunTask", cluster=CLUSTER, taskDefinition="app", enableExecuteCommand=True)["tasks"][0]
    end = time.monotonic() + START_SECONDS
    while task["lastStatus"] != "RUNNING" or not task["containers"][0].get("runtimeId"):
        if time.monotonic() > end:
            raise Misdone(f"expected a running task, got one that is {task['lastStatus']}")
        time.sleep(0.5)
        task = cloud.call("DescribeTasks", cluster=CLUSTER, tasks=[task["taskArn"]])["tasks"][0]
    place = Place(task["containers"][0]["runtimeId"], CACHE)
    place.inventory.write_text(json.dumps({"all": {"hosts": {"app": host(cloud, task["taskArn"])}}}))
    return place


def host(cloud: Cloud, task: str) -> dict[str, str]:
    """The variables of the container as a host."""
    return {
        "ansible_connection": "slipway.aws.ecs_exec",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ecs_exec_endpoint_url": f"http://127.0.0.1:{cloud.port}",
        "ansible_ecs_exec_access_key": "local",
        "ansible_ecs_exec_secret_key": "the-local-cloud-takes-any-key",
        "ecs_cluster": CLUSTER,
        "ecs_region": task.split(":")[3],
        "ecs_task_arn": task,
    }


def benchmark(cases: dict[Case, int], place: Place) -> list[ExecResult]:
    found: list[ExecResult] = []
    for case, repeats in cases.items():
        seconds: dict[str, list[float]] = {tool: [] for tool in TOOLS}
        for _turn in range(repeats):
            for tool, command in TOOLS.items():
                seconds[tool].append(measure(command, case, place))
                print(f"{case.name:<16}{tool:<24}{seconds[tool][-1]:>7.2f} s", flush=True)
        found += [ExecResult(tool, case, runs) for tool, runs in seconds.items()]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small files, once each; nothing is published")
    parser.add_argument("--again", action="store_true", help="measure nothing, publish benchmarks/exec.json again")
    parser.add_argument("--port", type=int, default=PORT, help="of the local cloud (default: %(default)s)")
    chosen = parser.parse_args()
    if not chosen.again:
        about = results.about("benchmarks.exec")
        with prepared(chosen.port) as place:
            found = ExecBenchmark(about, benchmark(QUICK_CASES if chosen.quick else CASES, place))
        if chosen.quick:
            return
        found.save(ROOT / "benchmarks/exec.json")
    exec_report.publish(ROOT)


if __name__ == "__main__":
    main()
