# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long preflight takes with 1, 10 and 50 services on an emulator: `python tests/preflight_times.py`.

Each service has roles, an image, a log group, a parameter and a secret of its own. All are behind one load balancer.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".ansible/collections"))

from ansible_collections.slipway.aws.tests import emulators  # noqa: E402
from ansible_collections.slipway.aws.tests.unit.ecs.preflights import REGION, Shop, build, changed  # noqa: E402

Json = dict[str, t.Any]
KEYS = {"access_key": "key", "secret_key": "b2f0c1d4e7a9"}
RUNS = 3


def services(shop: Shop, number: int) -> list[Json]:
    return [_service(shop, f"web{at}") for at in range(number)]


def _service(shop: Shop, name: str) -> Json:
    iam, manager = shop.client("iam"), shop.client("secretsmanager")
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    allowed = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    roles = [f"{name}-execution", f"{name}-task"]
    for role in roles:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
        iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=allowed)
    shop.client("logs").create_log_group(logGroupName=f"/{name}")
    shop.client("ssm").put_parameter(Name=f"/{name}/key", Value="k", Type="SecureString")
    secret = manager.create_secret(Name=f"{name}/database", SecretString="{}")["ARN"]
    ecr = shop.client("ecr")
    found = ecr.batch_get_image(repositoryName="shop/web", imageIds=[{"imageTag": "1"}])["images"][0]
    ecr.create_repository(repositoryName=name)
    kind = found["imageManifestMediaType"]
    ecr.put_image(repositoryName=name, imageTag="1", imageManifest=found["imageManifest"], imageManifestMediaType=kind)
    own = {
        "definition.executionRoleArn": roles[0],
        "definition.taskRoleArn": roles[1],
        "container.image": shop.image(f"{name}:1"),
        "container.secrets": [{"name": "A", "valueFrom": f"/{name}/key"}, {"name": "B", "valueFrom": secret}],
        "log.awslogs-group": f"/{name}",
    }
    return changed(shop.service(name), own)


class Run(t.NamedTuple):
    """Seconds on the clock, and of the processor without the emulator's."""

    clock: float
    processor: float
    counts: Json


def run(address: str, given: list[Json], folder: Path) -> Run:
    """Ansible with this module alone, its start included."""
    place = {"region": REGION, "endpoint_url": address, **KEYS}
    task = {"slipway.aws.ecs_preflight": {"cluster": "shop", "services": given, "format": "none", **place}}
    counts = "{{ found.preflight.counts | to_json }}"
    shown = {"ansible.builtin.copy": {"dest": str(folder / "found"), "content": counts}}
    playbook = folder / "play.yml"
    hosts = {"hosts": "localhost", "gather_facts": False, "connection": "slipway.aws.forkserver"}
    playbook.write_text(json.dumps([{**hosts, "tasks": [{**task, "register": "found"}, shown]}]))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", str(playbook)]
    command += ["-e", json.dumps({"ansible_python_interpreter": sys.executable})]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    begin, before = time.monotonic(), _processor()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return Run(time.monotonic() - begin, _processor() - before, json.loads((folder / "found").read_text()))


def _processor() -> float:
    """Of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    for number in (1, 10, 50):
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            started = emulators.running(emulators.MINISTACK, folder, MINISTACK_REGION=REGION)
            address = stack.enter_context(started)
            given = services(build(Shop(address)), number)
            best = min(run(address, given, folder) for _run in range(RUNS))
        said = f"{sum(best.counts.values())} checks, {best.counts['FAIL']} failed"
        print(f"{number} services: {best.clock:.1f} s, of them {best.processor:.1f} s of the processor, {said}")


if __name__ == "__main__":
    main()
