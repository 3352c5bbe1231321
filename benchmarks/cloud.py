"""An emulated account of one's own: started, asked and stopped."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = "AmazonEC2ContainerServiceV20141113"
REGION = "eu-central-1"
START_SECONDS = 60


@dataclass(frozen=True)
class Cloud:
    """Asked by itself, past the proxy, so that preparing and checking do not count."""

    port: int
    completions: Path

    def call(self, operation: str, **body: Any) -> Any:
        """One call of the ECS API. No SDK: what it takes of memory would be counted for the tools that we start."""
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{TARGET}.{operation}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def completed(self) -> dict[str, float]:
        """When the last deployment of each service was complete, by the clock that time.time() reads."""
        lines = self.completions.read_text().splitlines() if self.completions.exists() else []
        return {entry["service"]: entry["at"] for entry in map(json.loads, lines)}


@contextmanager
def started(folder: Path, rollout_seconds: float) -> Iterator[Cloud]:
    """An empty account whose deployments take that long."""
    cloud = Cloud(_free_port(), folder / "completions.jsonl")
    cloud.completions.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.emulator", str(cloud.port), REGION, str(rollout_seconds)]
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen([*command, str(cloud.completions)], cwd=ROOT, stdout=log, stderr=log)
    try:
        _wait_until_it_answers(process, cloud)
        yield cloud
    finally:
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_until_it_answers(process: subprocess.Popen[bytes], cloud: Cloud) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            cloud.call("ListClusters")
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the emulator does not answer: see {cloud.completions.with_name('emulator.log')}")
