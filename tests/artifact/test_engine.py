# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Docker Engine that a local cloud has started stays while containers of others run in it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.tests.artifact.installed import Installed

PORT = 4595
ON_PORT = f"-elocal_cloud_port={PORT}"


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def test_containers_of_others_outlive_the_local_cloud(tmp_path: Path) -> None:
    if subprocess.run(["docker", "version"], check=False, capture_output=True).returncode == 0:
        pytest.skip("an engine runs that the local cloud does not start")
    installed = Installed(tmp_path)
    installed.play("slipway.aws.local_cloud", ON_PORT)
    process = int((installed.here / ".slipway/local-cloud/dockerd.pid").read_text())
    try:
        # The local cloud deletes its own name of the image.
        docker("tag", f"localhost:{PORT}/base/debian:trixie", "others:1")
        docker("run", "--detach", "--rm", "--name", "somebodys", "others:1", "sleep", "600")
        output = installed.play("slipway.aws.local_cloud", ON_PORT, "-elocal_cloud_state=absent")
        assert docker("inspect", "somebodys", "--format", "{{.State.Running}}") == "true"
        said = " ".join(output.split())
        assert re.search(r"because other containers run in it \([^)]*\bsomebodys\b", said), output
        assert f"`kill {process}`" in said
        assert not (installed.here / ".slipway/local-cloud").exists()
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            docker("rm", "--force", "somebodys")
            docker("image", "rm", "others:1")
        os.kill(process, signal.SIGTERM)
