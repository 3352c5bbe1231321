# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, stop and serve the local cloud: MiniStack with emulator_patches.py, on loopback and Docker's bridge only.

The settings come as one JSON file. ``start`` and ``stop`` print one JSON object with ``changed``.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import importlib.metadata
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parent
# The keys of the account's root, where policies are checked; inventory/local has them.
ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "the-local-cloud-takes-any-key"}


@dataclass
class Settings:
    """One local cloud: where it listens, what it boots, where its files are."""

    directory: str
    port: int
    region: str
    instance_image: str
    base_image: str
    auth: bool = False
    network: bool = False
    lag_seconds: float = 0.0
    throttling: float = 0.0
    transition_seconds: float = 0.0
    session_seconds: float = 0.0
    capacity_seconds: float = 0.0
    minute_seconds: float = 60.0

    @property
    def state_file(self) -> Path:
        return Path(self.directory) / "state.json"

    @property
    def log_file(self) -> Path:
        return Path(self.directory) / "local_cloud.log"

    @property
    def authorization_file(self) -> Path:
        return Path(self.directory) / "authorization.jsonl"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @functools.cached_property
    def bridge(self) -> tuple[str, str]:
        """The host's address on Docker's default bridge, and its name; as the engine has it configured."""
        import docker

        attributes = docker.from_env().networks.get("bridge").attrs
        config = attributes["IPAM"]["Config"][0]
        first = next(ipaddress.ip_network(config["Subnet"]).hosts())
        name = (attributes.get("Options") or {}).get("com.docker.network.bridge.name", "docker0")
        return str(config.get("Gateway") or first), name

    @property
    def identity(self) -> str:
        """What the emulator labels every container and volume with."""
        return f"{socket.gethostname()}:{self.port}"

    def fingerprint(self) -> str:
        """Differs where the settings, the emulator's version or the patches of a running cloud are out of date."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode())
        digest.update(importlib.metadata.version("ministack").encode())
        for source in sorted(HERE.glob("*.py")):
            digest.update(source.read_bytes())
        return digest.hexdigest()


def fail(message: str) -> NoReturn:
    """Fail with one sentence for the person at the terminal."""
    print(message, file=sys.stderr)
    raise SystemExit(1)


def load(path: str) -> Settings:
    return Settings(**json.loads(Path(path).read_text()))


def running(settings: Settings) -> dict[str, Any] | None:
    """The state of the process that the state file names, when that process lives and is ours."""
    try:
        state: dict[str, Any] = json.loads(settings.state_file.read_text())
        command = Path(f"/proc/{state['pid']}/cmdline").read_bytes()
    except (OSError, ValueError, KeyError):
        return None
    return state if b"local_cloud.py" in command else None


def answers(settings: Settings) -> bool:
    try:
        with urllib.request.urlopen(f"{settings.endpoint}/_ministack/health", timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def port_is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def start(settings: Settings, arguments: list[str]) -> dict[str, Any]:
    """Start the cloud in the background unless the same one is running; return once it answers."""
    state = running(settings)
    if state and state["fingerprint"] == settings.fingerprint() and answers(settings):
        return {"changed": False, "pid": state["pid"], "network": network_obstacle(settings)}
    if state:
        stop(settings)
    for address in ("127.0.0.1", settings.bridge[0]):
        if not port_is_free(address, settings.port):
            fail(
                f"local_cloud_port: expected a free port, got {settings.port}, which a program uses at {address}. "
                "Stop that program, or choose another port with -e local_cloud_port=…, here and for site.yml."
            )
    with settings.log_file.open("ab") as log:
        process = subprocess.Popen(
            # -B: nothing is written beside this file, which may belong to an installed collection.
            [sys.executable, "-B", __file__, "serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    wait_until_it_answers(settings, process)
    push_base_image(settings)
    settings.state_file.write_text(json.dumps({"pid": process.pid, "fingerprint": settings.fingerprint()}))
    return {"changed": True, "pid": process.pid, "network": network_obstacle(settings)}


def network_obstacle(settings: Settings) -> str:
    """Why the network is not enforced although it should be; empty if it is."""
    if not settings.network:
        return ""
    sys.path.insert(0, str(HERE))
    import docker
    import network

    return network.obstacle(docker.from_env().info()["Name"])


def wait_until_it_answers(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not answers(settings):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            last = "\n".join(settings.log_file.read_text(errors="replace").splitlines()[-15:])
            fail(f"The local cloud: expected an answer within 60 s, got none. The end of {settings.log_file}:\n{last}")
        time.sleep(0.1)


def push_base_image(settings: Settings) -> None:
    """Put the base image into the cloud's own registry, where builds find it."""
    import boto3
    import docker

    repository, tag = "base/debian", settings.base_image.rsplit(":", 1)[1]
    ecr = boto3.client(
        "ecr",
        region_name=settings.region,
        endpoint_url=settings.endpoint,
        aws_access_key_id=ROOT_KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ROOT_KEYS["AWS_SECRET_ACCESS_KEY"],
    )
    ecr.create_repository(repositoryName=repository)
    engine = docker.from_env(timeout=300)
    target = f"localhost:{settings.port}/{repository}"
    engine.images.get(settings.base_image).tag(target, tag=tag)
    for line in engine.images.push(target, tag=tag, stream=True, decode=True):
        if "error" in line:
            fail(
                f"The base image: expected a push to the local registry, got {line['error']}. Read {settings.log_file}."
            )


def stop(settings: Settings) -> dict[str, Any]:
    """Stop the cloud and delete what it created in Docker."""
    import docker
    import docker.errors

    state = running(settings)
    if state:
        os.kill(state["pid"], signal.SIGTERM)
        deadline = time.monotonic() + 60
        while running(settings):
            if time.monotonic() > deadline:
                os.kill(state["pid"], signal.SIGKILL)
            time.sleep(0.1)
    settings.state_file.unlink(missing_ok=True)
    engine = docker.from_env(timeout=120)
    ours = {"label": f"ministack.instance={settings.identity}"}
    containers = engine.containers.list(all=True, filters=ours)
    for container in containers:
        container.remove(force=True, v=True)
    volumes = engine.volumes.list(filters=ours)
    for volume in volumes:
        volume.remove(force=True)
    networks = engine.networks.list(filters=ours)
    for network in networks:
        network.remove()
    images = [tag for image in engine.images.list() for tag in names(image, settings.port)]
    for name in images:
        with contextlib.suppress(docker.errors.ImageNotFound):  # deleted with its last tag
            engine.images.remove(name, force=True)
    return {"changed": bool(state or containers or volumes or networks or images)}


def names(image: Any, port: int) -> list[str]:
    """The names and digests by which the engine keeps an image of this cloud's registry."""
    known = image.tags + (image.attrs.get("RepoDigests") or [])
    return [name for name in known if name.startswith(f"localhost:{port}/")]


def bridge_socket(settings: Settings) -> socket.socket:
    """Accepts only what arrives over the bridge: neighbours in the host's network can reach the address itself."""
    address, name = settings.bridge
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with contextlib.suppress(PermissionError):  # before Linux 5.7, only root may
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
    listener.bind((address, settings.port))
    return listener


def serve(settings: Settings) -> None:
    """Run the emulator in this process until it is stopped."""
    os.environ.update(
        GATEWAY_PORT=str(settings.port),
        MINISTACK_REGION=settings.region,
        MINISTACK_DOCKER_TIMEOUT="120",
        # Listeners of services that nobody uses, on all interfaces.
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        AUTH=str(settings.auth).lower(),
        TMPDIR=settings.directory,
    )
    os.environ.pop("AWS_PROFILE", None)
    if settings.auth:
        os.environ.update(ROOT_KEYS)
    import asyncio

    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack.app import app

    patch_emulator(settings)
    patch_requests(settings)
    if settings.auth:
        check_policies(settings)
    agents = managed_agents()
    served = sessions(settings, app, agents)
    if settings.network and not network_obstacle(settings):
        served = enforced(settings, served, agents)

    config = Config()
    # An API that starts containers, without a password: nobody else may reach it.
    config.bind = [f"127.0.0.1:{settings.port}", f"fd://{bridge_socket(settings).detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 5
    asyncio.run(hypercorn_serve(served, config))  # type: ignore[arg-type]


def patch_emulator(settings: Settings) -> None:
    """Patch the emulator so that it does what AWS does."""
    from ministack.services import alb, autoscaling, cloudwatch, ec2, ecs, eventbridge, scheduler, servicediscovery, ssm

    sys.path.insert(0, str(HERE))
    import capacity
    import client_tokens
    import emulator_patches
    import flow_logs
    import load_balancer_members
    import scheduled_tasks
    import service_deployments
    import target_health
    import task_limits
    import traffic_shift
    import transitions
    import weighted_forward

    emulator_patches.key_pairs(ec2)
    emulator_patches.instances(ec2, settings.port)
    emulator_patches.consoles(ec2)
    emulator_patches.launches(ec2, ssm)
    emulator_patches.addresses(ec2)
    emulator_patches.tasks(ecs, settings.identity)
    task_limits.task_limits(ecs)
    emulator_patches.dependencies(ecs)
    emulator_patches.secure_strings(ssm)
    emulator_patches.namespaces(ecs, servicediscovery, settings.identity)
    emulator_patches.service_discovery(ecs, servicediscovery, ec2, settings.identity)
    emulator_patches.inspections(ecs)
    emulator_patches.health_checks(ecs)
    emulator_patches.families(ecs)
    emulator_patches.hosts(autoscaling, ecs)
    emulator_patches.load_balancers(alb)
    emulator_patches.places_of_load_balancers(alb, ec2)
    emulator_patches.missing(alb, ecs)
    weighted_forward.weighted_forward(alb)
    load_balancer_members.load_balancer_members(alb)
    service_deployments.service_deployments(ecs)
    traffic_shift.traffic_shift(ecs, alb, cloudwatch, settings.minute_seconds)
    target_health.replace_unhealthy(ecs, target_health.health_checks(alb))
    scale_services(settings)
    emulator_patches.machine_image(ec2, ssm, settings.region, settings.instance_image)
    capacity.capacity(ecs, settings.capacity_seconds)
    client_tokens.client_tokens(ecs)
    flow_logs.flow_logs(ec2)
    patch_registry()
    scheduled_tasks.scheduled_tasks(scheduler, eventbridge, ecs)
    transitions.transitions(alb, ec2, ecs, settings.transition_seconds)


def patch_registry() -> None:
    """Patch the registry of the emulator."""
    import image_tags
    from ministack.services import ecr

    image_tags.image_tags(ecr)


def patch_requests(settings: Settings) -> None:
    """Patch how the emulator answers all services."""
    import eventual_consistency
    import expiring_credentials
    import request_checks
    import throttling
    from ministack import app
    from ministack.services import ecs

    eventual_consistency.eventual_consistency(app, ecs, settings.lag_seconds)
    request_checks.check_requests(app)
    throttling.throttling(app, settings.throttling)
    expiring_credentials.expiring_credentials(app, settings.session_seconds)


def managed_agents() -> Any:
    """The agents of instances, for Session Manager."""
    import managed_instances
    from ministack.core import iam_evaluator, responses
    from ministack.services import ec2, iam, ssm

    allows = managed_instances.allows(iam, iam_evaluator, responses.get_account_id)
    agents = managed_instances.Agents(ec2, allows)
    managed_instances.managed_instances(ssm, agents)
    return agents


def sessions(settings: Settings, app: Any, agents: Any) -> Any:
    """The emulator with the streams of sessions in containers and instances."""
    import execute_command
    from ministack.services import cloudwatch_logs, ecs, kms, ssm

    services = execute_command.Services(ecs, kms, cloudwatch_logs, ssm, agents)
    return execute_command.execute_command(services, app, settings.port)


def scale_services(settings: Settings) -> None:
    """Serve Application Auto Scaling, which the emulator lacks."""
    import application_autoscaling
    from ministack import app
    from ministack.core import router
    from ministack.services import cloudwatch, ecs, sqs

    application_autoscaling.application_autoscaling(app, router, settings.minute_seconds, ecs, cloudwatch, sqs)


def enforced(settings: Settings, app: Any, agents: Any) -> Any:
    """The emulator with a network that lets only those packets pass that AWS would."""
    import network
    from ministack.services import alb, ec2, ecs

    enforcer = network.Enforcer(ec2, ecs, alb, settings.bridge[0], settings.port)
    network.enforce(enforcer, f"localhost:{settings.port}")
    agents.reaches = enforcer.reaches
    return network.gate(enforcer, app)


def check_policies(settings: Settings) -> None:
    """Evaluate what AWS evaluates, and record each decision."""
    import authorization
    from ministack.core import iam_actions, iam_evaluator
    from ministack.services import tagging

    settings.authorization_file.unlink(missing_ok=True)
    authorization.authorization(iam_actions, iam_evaluator, tagging, authorization.Record(settings.authorization_file))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["start", "stop", "serve"])
    parser.add_argument("settings", help="JSON file with the settings")
    arguments = parser.parse_args()
    settings = load(arguments.settings)
    if arguments.verb == "serve":
        serve(settings)
        return
    print(json.dumps(start(settings, [arguments.settings]) if arguments.verb == "start" else stop(settings)))


if __name__ == "__main__":
    main()
