# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enforces the emulated network: nftables rules in the network namespace of each task and instance.

Packets are filtered by the kernel. Connections to a load balancer or to a service of AWS, which all arrive at the
emulator's one port, are held by the emulator without an answer where AWS would drop their packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import network_patches
from emulator_patches import wrap
from network_rules import Network, Party, admits, reaches, ruleset
from network_startup import start_failure

Json = dict[str, Any]
Scope = tuple[str, str]

logger = logging.getLogger("local_cloud")
# As long as Linux tries to connect.
STALL_SECONDS = 130
# AWS waits minutes for the registry; nobody who reads the message has to.
STARTUP_SECONDS = 1.0
RESOLV_CONF = "/etc/resolv.conf"
# Requests that never leave a task or an instance on AWS: metadata and credentials.
LINK_LOCAL = ("/v2/credentials", "/v3/", "/v4/", "/latest/", "/_ministack", "/_ecs")


# What the kernel has to know for the rules of a container.
PROBE = """table inet local_cloud {
  chain peers { drop; }
  chain ingress {
    type filter hook prerouting priority -150; policy drop;
    ct state established,related accept
    ip saddr { 192.0.2.1, 192.0.2.2 } tcp dport 80-81 goto peers
  }
}
"""


def obstacle(engine: str) -> str:
    """Why the network of containers on the Docker Engine of a machine cannot be enforced here; empty if it can."""
    if engine != socket.gethostname():
        return f"a Docker Engine on another machine, {engine}"
    missing = [program for program in ("nft", "nsenter", "unshare") if not shutil.which(program)]
    if missing:
        return f"{' and '.join(missing)} not found"
    if os.geteuid() != 0:
        return "only root can enter the network namespaces of containers"
    probe = subprocess.run(
        ["unshare", "--net", "nft", "-f", "-"], input=PROBE, capture_output=True, text=True, check=False
    )
    return f"nftables failed: {' '.join(probe.stderr.split())}" if probe.returncode else ""


def resolvers() -> tuple[str, ...]:
    """The servers that Docker gives to containers: the host's, or Google's where the host has only itself."""
    try:
        with open(RESOLV_CONF, encoding="utf-8") as lines:
            words = [line.split() for line in lines]
    except OSError:
        words = []
    found = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver" and ":" not in word[1]]
    return tuple(server for server in found if not server.startswith("127.")) or ("8.8.8.8", "8.8.4.4")


@dataclass(frozen=True)
class Container:
    """What runs in a network namespace of its own: by its process, with its addresses on the bridges."""

    pid: int
    addresses: tuple[str, ...]

    @classmethod
    def of(cls, container: Any) -> Container:
        container.reload()
        networks = container.attrs["NetworkSettings"]["Networks"].values()
        return cls(container.attrs["State"]["Pid"], tuple(n["IPAddress"] for n in networks if n.get("IPAddress")))

    def has_its_own(self) -> bool:
        """Whether the process still has a network namespace of its own.

        The number of one that has ended may be that of a process of this machine, which the rules would cut off.
        """
        try:
            return os.readlink(f"/proc/{self.pid}/ns/net") != os.readlink("/proc/self/ns/net")
        except OSError:
            return False

    def apply(self, rules: str) -> None:
        if not self.has_its_own():
            return
        command = ["nsenter", f"--net=/proc/{self.pid}/ns/net", "nft", "-f", "-"]
        done = subprocess.run(command, input=rules, capture_output=True, text=True, check=False)
        if done.returncode and os.path.exists(f"/proc/{self.pid}"):
            logger.error("The network of process %s: expected rules to apply, got %s", self.pid, done.stderr)


class Enforcer:
    """Keeps the rules of all containers up to date."""

    def __init__(self, ec2: ModuleType, ecs: ModuleType, alb: ModuleType, host: str, port: int) -> None:
        self.ec2, self.ecs, self.alb = ec2, ecs, alb
        self.host, self.port = host, port
        self.resolvers = resolvers()
        self._lock = threading.Lock()
        self._members = threading.Lock()
        self._changed = threading.Event()
        # By the ARN of a task or the ID of an instance.
        self._containers: dict[str, Container] = {}
        self._scopes: dict[str, Scope] = {}
        self._applied: dict[str, tuple[Container, str]] = {}

    def run(self) -> None:
        """Apply what has changed, for ever."""
        while True:
            self._changed.wait()
            self._changed.clear()
            try:
                self.sync()
            except Exception:
                logger.exception("The network could not be updated")

    def notice(self) -> None:
        self._changed.set()

    def started(self, name: str, container: Any) -> None:
        """Enforce the rules of a new container, and let others know its addresses."""
        from ministack.core.responses import get_account_id, get_region

        own = Container.of(container)
        with self._members:
            self._scopes[name] = (get_account_id(), get_region())
            # Docker gives the address of a container that has ended to the next one. The end of a task that stops while
            # it starts may be noticed before its start.
            others = {n: c for n, c in self._containers.items() if not set(c.addresses) & set(own.addresses)}
            self._containers = {**others, name: own}
        self.sync(name)

    def stopped(self, name: str) -> None:
        with self._members:
            known = self._containers
            self._containers = {n: c for n, c in known.items() if n != name}
        if name in known:
            self.notice()

    def sync(self, first: str = "") -> None:
        """Apply the rules of each container that differ from those it has; those of the first before all others."""
        from ministack.core.responses import request_scope

        with self._lock:
            self._applied = {name: one for name, one in self._applied.items() if name in self._containers}
            for account, region in set(self._scopes.values()):
                with request_scope(account, region):
                    network = self.network()
                for party in sorted(network.parties, key=lambda party: party.name != first):
                    container = self._containers.get(party.name)
                    if container is None:
                        continue
                    desired = container, ruleset(network, party)
                    if self._applied.get(party.name) != desired:
                        container.apply(desired[1])
                        self._applied[party.name] = desired

    # The snapshot: everything below runs in the scope of an account and a region.

    def network(self) -> Network:
        ec2 = self.ec2
        return Network(
            groups=dict(ec2._security_groups.items()),
            subnets=dict(ec2._subnets.items()),
            route_tables=list(ec2._route_tables.values()),
            internet_gateways=dict(ec2._internet_gateways.items()),
            nat_gateways=dict(ec2._nat_gateways.items()),
            endpoints=list(ec2._vpc_endpoints.values()),
            parties=[*self.tasks(), *self.instances()],
            balancers={arn: self.balancer(balancer) for arn, balancer in self.alb._lbs.items()},
            host=self.host,
            port=self.port,
            resolvers=self.resolvers,
        )

    def tasks(self) -> Iterator[Party]:
        for arn, task in list(self.ecs._tasks.items()):
            stopped = task.get("lastStatus") == "STOPPED"
            if arn in self._containers and not stopped and (party := self.task(task)):
                yield party

    def task(self, task: Json) -> Party | None:
        """The party of a task with a network interface of its own."""
        subnet, arn = task.get("_subnet"), task["taskArn"]
        if task.get("_network_mode") != "awsvpc" or subnet not in self.ec2._subnets:
            return None
        configuration = getattr(subnet, "configuration", {})
        container = self._containers.get(arn)
        return Party(
            arn,
            (str(subnet),),
            frozenset(configuration.get("securityGroups") or self.default_group(subnet)),
            container.addresses if container else (),
            configuration.get("assignPublicIp") == "ENABLED",
            self.in_front({balancer.get("targetGroupArn") for balancer in self.service_of(task)}),
        )

    def service_of(self, task: Json) -> list[Json]:
        """The load balancers of a task's service, and target groups in which its address was registered by hand."""
        cluster, group = task["clusterArn"].rsplit("/", 1)[-1], str(task.get("group") or "")
        service = self.ecs._services.get(f"{cluster}/{group.removeprefix('service:')}") or {}
        return [*(service.get("loadBalancers") or ()), *self.registered(self.ecs._task_ip(task))]

    def registered(self, *ids: str | None) -> list[Json]:
        found = [arn for arn, targets in self.alb._targets.items() if any(one.get("Id") in ids for one in targets)]
        return [{"targetGroupArn": arn} for arn in found]

    def default_group(self, subnet: Any) -> list[str]:
        vpc = self.ec2._vpcs.get(self.ec2._subnets[subnet]["VpcId"]) or {}
        return [vpc["DefaultSecurityGroupId"]] if vpc.get("DefaultSecurityGroupId") else []

    def instances(self) -> Iterator[Party]:
        addressed = {address.get("InstanceId") for address in self.ec2._addresses.values()}
        for name, instance in list(self.ec2._instances.items()):
            container, subnet = self._containers.get(name), instance.get("SubnetId")
            if container is None or subnet not in self.ec2._subnets:
                continue
            on_launch = self.ec2._subnets[subnet].get("MapPublicIpOnLaunch", False)
            groups = self.registered(name, *container.addresses)
            yield Party(
                name,
                (subnet,),
                frozenset(group["GroupId"] for group in instance.get("SecurityGroups") or ()),
                container.addresses,
                name in addressed or bool(instance.get("_public", on_launch)),
                self.in_front({group["targetGroupArn"] for group in groups}),
            )

    def balancer(self, balancer: Json) -> Party:
        subnets = tuple(subnet for subnet in balancer.get("Subnets") or () if subnet in self.ec2._subnets)
        return Party(
            balancer["LoadBalancerArn"],
            subnets,
            frozenset(balancer.get("SecurityGroups") or (self.default_group(subnets[0]) if subnets else ())),
            public=balancer.get("Scheme") != "internal",
        )

    def in_front(self, groups: set[Any]) -> tuple[str, ...]:
        """The load balancers that forward to one of the target groups."""
        found = set()
        for listener in self.alb._listeners.values():
            rules = [one for one in self.alb._rules.values() if one.get("ListenerArn") == listener["ListenerArn"]]
            actions = [action for one in (listener, *rules) for key in ACTIONS for action in one.get(key) or ()]
            if groups & {group for action in actions for group in forwarded(action)}:
                found.add(listener["LoadBalancerArn"])
        return tuple(sorted(found))

    def client(self, address: str) -> Party | None:
        """The task or instance that has an address."""
        return next((party for party in self.network().parties if address in party.addresses), None)

    def reaches(self, name: str, service: str) -> bool:
        """Whether a task or an instance reaches a service of AWS."""
        network = self.network()
        party = next((one for one in network.parties if one.name == name), None)
        return party is not None and reaches(network, party, service)


ACTIONS = ("DefaultActions", "Actions")


def forwarded(action: Json) -> set[str]:
    """The target groups of an action."""
    weighted = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
    return {action.get("TargetGroupArn", ""), *(group.get("TargetGroupArn", "") for group in weighted)} - {""}


def enforce(enforcer: Enforcer, registry: str) -> None:
    """Patch the emulator so that its network counts."""
    network_patches.patch(enforcer.ec2, enforcer.ecs)
    containers(enforcer)
    startup(enforcer, registry)
    listeners(enforcer)
    for module in (enforcer.ec2, enforcer.alb):
        changes(module, enforcer.notice)
    threading.Thread(target=enforcer.run, daemon=True, name="network").start()


def changes(module: ModuleType, notice: Callable[[], None]) -> None:
    """Each request that changes something may change the rules."""

    def noticed(handler: Callable[..., Any]) -> Callable[..., Any]:
        def handle(*args: Any) -> Any:
            try:
                return handler(*args)
            finally:
                notice()

        return handle

    for action, handler in list(module._ACTION_MAP.items()):
        if not action.startswith(("Describe", "Get")):
            module._ACTION_MAP[action] = noticed(handler)


def containers(enforcer: Enforcer) -> None:
    """Follow the containers of tasks and instances. A task's first one has the network of all."""
    ec2, ecs = enforcer.ec2, enforcer.ecs

    @wrap(ecs, "_run_docker_container")
    def run(original: Callable[..., Any], client: Any, container: Json, options: Json, **more: Any) -> Any:
        started = original(client, container, options, **more)
        arn = options["labels"]["com.amazonaws.ecs.task-arn"]
        if "network_mode" not in options and (ecs._tasks.get(arn) or {}).get("_network_mode") == "awsvpc":
            enforcer.started(arn, started)
        return started

    @wrap(ecs, "_mark_task_stopped")
    def stop(original: Callable[..., bool], arn: str, *args: Any, **more: Any) -> bool:
        stopped = original(arn, *args, **more)
        if stopped:
            enforcer.stopped(arn)
        return stopped

    @wrap(ec2, "_vm_apply_container_ip")
    def run_instance(original: Callable[..., None], instance: Json, container: Any, bridge: Any) -> None:
        """At its launch, and at each reboot, which gives it another network namespace."""
        original(instance, container, bridge)
        enforcer.started(instance["InstanceId"], container)

    @wrap(ec2, "_vm_remove_container")
    def remove(original: Callable[..., None], instance: Json) -> None:
        original(instance)
        enforcer.stopped(instance["InstanceId"])


def startup(enforcer: Enforcer, registry: str) -> None:
    """A task on Fargate starts only if its network interface reaches what Fargate's agent needs."""
    ecs = enforcer.ecs

    @wrap(ecs, "_start_task_worker")
    def start(original: Callable[..., None], task: Json, definition: Json, overrides: Any, client: Any) -> None:
        from ministack.core.responses import get_region

        party = enforcer.task(task) if on_fargate(task) else None
        reason = party and start_failure(enforcer.network(), party, definition, get_region(), registry)
        if not reason:
            original(task, definition, overrides, client)
            return
        if ecs._mark_task_pending(task["taskArn"], task):
            threading.Event().wait(STARTUP_SECONDS)
            ecs._fail_task_start(task, client, reason)


def on_fargate(task: Json) -> bool:
    return task.get("launchType") == "FARGATE" or str(task.get("capacityProviderName")).startswith("FARGATE")


def listeners(enforcer: Enforcer) -> None:
    """A load balancer answers only clients that its security groups and its subnets' routes let in."""
    from ministack.core.responses import get_request_client_ip

    alb = enforcer.alb

    @wrap(alb, "dispatch_request")
    async def dispatch(original: Callable[..., Any], balancer: Json, *args: Any, **more: Any) -> Any:
        requested = more.get("port") or (args[5] if len(args) > 5 else 80)
        arn = balancer["LoadBalancerArn"]
        ports = [int(one["Port"]) for one in alb._listeners.values() if one["LoadBalancerArn"] == arn]
        port = requested if requested in ports else next(iter(ports), 0)
        client = enforcer.client(get_request_client_ip())
        if port and not admits(enforcer.network(), enforcer.balancer(balancer), port, client, enforcer.host):
            await asyncio.sleep(STALL_SECONDS)
            return 504, {}, b""
        return await original(balancer, *args, **more)


App = Callable[[Json, Any, Any], Awaitable[None]]


def gate(enforcer: Enforcer, app: App) -> App:
    """The emulator, which does not answer a task or an instance that cannot reach the service it calls."""
    from ministack.core.responses import request_scope
    from ministack.core.router import detect_service

    async def gated(scope: Json, receive: Any, send: Any) -> None:
        client = (scope.get("client") or ("",))[0]
        name = next((n for n, c in list(enforcer._containers.items()) if client in c.addresses), "")
        path = scope.get("path", "")
        if not name or scope["type"] != "http" or path.startswith(LINK_LOCAL):
            await app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        if not headers.get("authorization", "").startswith("AWS4") and not path.startswith("/v2/"):
            await app(scope, receive, send)  # for a load balancer
            return
        service = "ecr.dkr" if path.startswith("/v2/") else detect_service(scope["method"], path, headers, {})
        with request_scope(*enforcer._scopes[name]):
            network = enforcer.network()
        party = next((one for one in network.parties if one.name == name), None)
        if party and not reaches(network, party, SERVICES.get(service, service)):
            await until_disconnected(receive)
            return
        await app(scope, receive, send)

    return gated


async def until_disconnected(receive: Any) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STALL_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass


# Endpoints whose names differ from those in signatures.
SERVICES = {"ecr": "ecr.api"}
