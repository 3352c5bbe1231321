# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workshop, for who has the archive and nothing else: its playbooks by name, on a local cloud of its own."""

from __future__ import annotations

import re
import socket
import subprocess
import typing as t
import urllib.request

import pytest

from ansible_collections.slipway.aws.tests.artifact.installed import Installed

# Beside the local cloud that other tests share.
PORT = 4592


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Installed]:
    made = Installed(tmp_path_factory.mktemp("artifact"))
    yield made
    made.play("slipway.aws.local_cloud", f"-elocal_cloud_port={PORT}", "-elocal_cloud_state=absent")
    assert left(made) == []
    assert not (made.here / ".slipway/local-cloud").exists()


def left(installed: Installed) -> list[str]:
    """What exists of this local cloud: containers, volumes, networks, images, and the port.

    Where it started the engine itself, that has ended with it, and so has all that ran there.
    """
    engine = subprocess.run(["docker", "version"], check=False, capture_output=True).returncode == 0
    label = f"--filter=label=ministack.instance={socket.gethostname()}:{PORT}"
    found = [
        f"docker {command}: {name}"
        for command in ("container ls --all", "volume ls", "network ls")
        if engine
        for name in installed.run("docker", *command.split(), "--quiet", label).split()
    ]
    images = installed.run("docker", "image", "ls", "--format={{.Repository}}").split() if engine else []
    found += [f"image {name}" for name in images if name.startswith((f"localhost:{PORT}/", f"local-cloud-{PORT}/"))]
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            found.append(f"a listener on port {PORT}")
    return found


def changes(recap: str) -> int:
    """The tasks that changed something, on all hosts."""
    return sum(int(number) for number in re.findall(r"changed=(\d+)", recap))


def page(port: int = PORT) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": "ecs-workshop.alb.localhost"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read().decode())


def test_the_workshop_runs_from_the_archive(installed: Installed) -> None:
    delivered, port = installed.contents, f"-elocal_cloud_port={PORT}"
    installed.play("slipway.aws.local_cloud", port)
    plan = installed.play("slipway.aws.site", port, "--check", ANSIBLE_CALLBACKS_ENABLED="slipway.aws.plan")
    assert re.search(r"\d+ to create, .*\n", plan), plan

    assert changes(installed.play("slipway.aws.site", port)) > 0
    assert "Django" in page()
    again = installed.play("slipway.aws.site", port)
    assert changes(again) == 0, again

    assert (installed.here / ".slipway/ecs/ssh_config").is_file()
    installed.run("ssh", "-F", ".slipway/ecs/ssh_config", "docker-EC2", "docker", "version")
    destroyed = installed.play("slipway.aws.destroy", port, "-edestroy_confirm=ecs")
    assert "Verify that everything else was deleted" in destroyed, destroyed
    assert installed.contents == delivered
