# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of single functions of the emulator, for behaviour of AWS that it lacks and this workshop needs.

Each patch names that behaviour. Once the emulator has it, its patch is removed.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

Json = dict[str, Any]

# What an instance needs to boot systemd and to run an engine of its own. Named one by one, because
# --privileged fails on a machine whose bounding set lacks any capability.
INSTANCE_CAPABILITIES = [
    "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_TIME", "SYS_BOOT", "SYS_NICE",
    "IPC_LOCK", "DAC_READ_SEARCH", "SYSLOG", "LEASE", "SYS_RAWIO",
]  # fmt: skip
APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
INSPECTION_SECONDS = 0.5
UNHEALTHY = "Task failed container health checks"


def wrap(module: ModuleType, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Wrap the emulator's function of that name; the wrapper gets the original as its first argument."""

    def decorate(around: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(module, name)  # an AttributeError here means that the emulator has changed

        @functools.wraps(original)
        def replacement(*args: Any, **kwargs: Any) -> Any:
            return around(original, *args, **kwargs)

        setattr(module, name, replacement)
        actions = getattr(module, "_ACTION_MAP", {})
        actions.update({action: replacement for action, handler in actions.items() if handler is original})
        return replacement

    return decorate


def key_pairs(ec2: ModuleType) -> None:
    """ImportKeyPair keeps the public key and the tags, and the fingerprint follows from the key."""

    @wrap(ec2, "_import_key_pair")
    def import_key_pair(original: Callable[..., Any], params: Json) -> Any:
        response = original(params)
        pair = ec2._key_pairs.get(ec2._p(params, "KeyName"))
        if pair is None:
            return response
        pair["PublicKey"] = base64.b64decode(ec2._p(params, "PublicKeyMaterial"))
        body = base64.b64decode(pair["PublicKey"].split()[1])
        fingerprint = pair["KeyFingerprint"]
        pair["KeyFingerprint"] = base64.b64encode(hashlib.sha256(body).digest()).decode()
        ec2._parse_tag_specs(params, "key-pair", pair["KeyPairId"])
        status, headers, xml = response
        text = xml.decode() if isinstance(xml, bytes) else xml
        return status, headers, text.replace(fingerprint, pair["KeyFingerprint"])

    @wrap(ec2, "_describe_key_pairs")
    def describe(original: Callable[..., Any], params: Json) -> Any:
        """Filters count, and tags are returned."""
        response = original(params)
        filters = ec2._parse_filters(params)
        if response[0] != 200:
            return response
        names = set(ec2._parse_member_list(params, "KeyName"))
        returned = [
            f"<item><keyName>{pair['KeyName']}</keyName><keyFingerprint>{pair['KeyFingerprint']}</keyFingerprint>"
            f"<keyPairId>{pair['KeyPairId']}</keyPairId>{ec2._tag_set_xml(pair['KeyPairId'])}</item>"
            for pair in ec2._key_pairs.values()
            if (not names or pair["KeyName"] in names)
            and ec2._resource_matches_tag_filters(pair["KeyPairId"], filters)
            and any(ec2._glob_match(desired, pair["KeyName"]) for desired in filters.get("key-name", ["*"]))
        ]
        return ec2._xml(200, "DescribeKeyPairsResponse", f"<keySet>{''.join(returned)}</keySet>")

    @wrap(ec2, "_delete_key_pair")
    def delete(original: Callable[..., Any], params: Json) -> Any:
        """Tags are deleted with their resource."""
        pair = ec2._key_pairs.get(ec2._p(params, "KeyName")) or {}
        ec2._tags.pop(pair.get("KeyPairId"), None)
        return original(params)


def instance_flags(port: int) -> Json:
    """How Docker starts an instance: with what systemd and an inner engine need."""
    flags: Json = {"environment": {"LOCAL_CLOUD_PORT": str(port)}}
    if APPARMOR.exists() and APPARMOR.read_text().startswith("Y"):
        return flags | {"privileged": True}
    return flags | {"cap_add": INSTANCE_CAPABILITIES, "security_opt": ["seccomp=unconfined"]}


def instances(ec2: ModuleType, port: int) -> None:
    """An instance boots an init system, and carries its key pair's public key."""

    @wrap(ec2, "_parse_ec2_docker_flags")
    def flags(original: Callable[..., Json], text: str) -> Json:
        return original(text) | instance_flags(port)

    @wrap(ec2, "_vm_launch")
    def launch(original: Callable[..., Any], instance: Json, image: str) -> Any:
        container = original(instance, image)
        public_key = (ec2._key_pairs.get(instance.get("KeyName")) or {}).get("PublicKey")
        if public_key:
            container.exec_run(["install-public-key"], environment={"PUBLIC_KEY": public_key.decode()}, user="root")
        return container

    @wrap(ec2, "_vm_remove_container")
    def remove(original: Callable[..., None], instance: Json) -> None:
        """The root volume of an instance is deleted with it."""
        container = ec2._vm_get_container(instance)
        if container is not None:
            container.remove(force=True, v=True)
        original(instance)


def consoles(ec2: ModuleType) -> None:
    """GetConsoleOutput returns what the instance printed when it booted."""

    def get_console_output(params: Json) -> Any:
        instance_id = ec2._p(params, "InstanceId")
        instance = ec2._instances.get(instance_id)
        if instance is None:
            return ec2._error("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist", 400)
        container = ec2._vm_get_container(instance)
        status, printed = container.exec_run(["cat", "/var/log/console"]) if container is not None else (1, b"")
        output = base64.b64encode(printed).decode() if status == 0 else ""
        return ec2._xml(
            200,
            "GetConsoleOutputResponse",
            f"<instanceId>{instance_id}</instanceId><timestamp>{ec2._now_ts()}</timestamp><output>{output}</output>",
        )

    ec2._ACTION_MAP["GetConsoleOutput"] = get_console_output


def launches(ec2: ModuleType, ssm: ModuleType) -> None:
    """RunInstances accepts an image by SSM parameter, a network interface and metadata options, and returns them."""

    @wrap(ec2, "_run_instances")
    def run(original: Callable[..., Any], params: Json) -> Any:
        requested = dict(params)
        image = ec2._p(params, "ImageId")
        if image.startswith("resolve:ssm:"):
            parameter, _error = ssm._select_parameter(image.removeprefix("resolve:ssm:"))
            if not parameter:
                return ec2._error("InvalidParameterValue", f"The SSM parameter of {image} does not exist", 400)
            requested["ImageId"] = [parameter["Value"]]
        prefix = "NetworkInterface.1."
        requested.update({k.removeprefix(prefix): v for k, v in params.items() if k.startswith(prefix)})
        response = original(requested)
        for instance_id in re.findall("<instanceId>(.*?)</instanceId>", str(response[2])):
            ec2._instances[instance_id]["MetadataOptions"] = metadata_options(params)
        return response

    @wrap(ec2, "_instance_xml")
    def show(original: Callable[..., str], instance: Json) -> str:
        text = original(instance)
        if instance["State"]["Name"] == "terminated":
            return text
        options = "".join(f"<{k}>{v}</{k}>" for k, v in instance.get("MetadataOptions", metadata_options({})).items())
        more = f"<metadataOptions>{options}</metadataOptions>{network_interface(instance)}</item>"
        return text[: text.rindex("</item>")] + more

    @wrap(ec2, "_terminate_instances")
    def terminate(original: Callable[..., Any], params: Json) -> Any:
        """Tags are deleted with their resource."""
        response = original(params)
        if response[0] == 200:
            for instance_id in ec2._parse_member_list(params, "InstanceId"):
                ec2._tags.pop(instance_id, None)
        return response


def metadata_options(params: Json) -> Json:
    """The instance metadata settings of a launch, as DescribeInstances shows them."""
    prefix = "MetadataOptions."
    requested = {k.removeprefix(prefix): v[0] for k, v in params.items() if k.startswith(prefix)}
    defaults = {
        "HttpTokens": "optional",
        "HttpPutResponseHopLimit": 1,
        "HttpEndpoint": "enabled",
        "HttpProtocolIpv6": "disabled",
        "InstanceMetadataTags": "disabled",
    }
    return {"state": "applied"} | {k[0].lower() + k[1:]: v for k, v in (defaults | requested).items()}


def network_interface(instance: Json) -> str:
    """The first network interface of an instance as the API writes it."""
    groups = "".join(
        f"<item><groupId>{g['GroupId']}</groupId><groupName>{g['GroupName']}</groupName></item>"
        for g in instance.get("SecurityGroups", [])
    )
    return (
        f"<networkInterfaceSet><item><networkInterfaceId>eni-{instance['InstanceId'][2:]}</networkInterfaceId>"
        f"<subnetId>{instance['SubnetId']}</subnetId><vpcId>{instance['VpcId']}</vpcId><status>in-use</status>"
        f"<privateIpAddress>{instance['PrivateIpAddress']}</privateIpAddress><sourceDestCheck>true</sourceDestCheck>"
        f"<groupSet>{groups}</groupSet><attachment><deviceIndex>0</deviceIndex><status>attached</status>"
        "<deleteOnTermination>true</deleteOnTermination></attachment></item></networkInterfaceSet>"
    )


def addresses(ec2: ModuleType) -> None:
    """DescribeAddresses returns only what its filters match, by address, allocation, domain and tags."""

    @wrap(ec2, "_describe_addresses")
    def describe(original: Callable[..., Any], params: Json) -> Any:
        requested = set(ec2._parse_member_list(params, "PublicIp"))
        desired = set(ec2._parse_member_list(params, "AllocationId"))
        filters = ec2._parse_filters(params)
        found = [
            address["AllocationId"]
            for address in ec2._addresses.values()
            if (not requested or address["PublicIp"] in requested)
            and (not desired or address["AllocationId"] in desired)
            and address["Domain"] in filters.get("domain", [address["Domain"]])
            and ec2._resource_matches_tag_filters(address["AllocationId"], filters)
        ]
        return original({f"AllocationId.{n}": i for n, i in enumerate(found or ["none"], start=1)})


def container_options(container: Json) -> Json:
    """The members of a container definition that the emulator does not hand to Docker."""
    options: Json = {}
    for member, option in (
        ("entryPoint", "entrypoint"),
        ("user", "user"),
        ("workingDirectory", "working_dir"),
        ("readonlyRootFilesystem", "read_only"),
    ):
        if container.get(member):
            options[option] = container[member]
    mounts = (container.get("linuxParameters") or {}).get("tmpfs") or []
    if mounts:
        options["tmpfs"] = {m["containerPath"]: f"size={m['size']}m" for m in mounts}
    check = container.get("healthCheck")
    if check:
        second = 1_000_000_000
        options["healthcheck"] = {
            "test": check["command"],
            "interval": check.get("interval", 30) * second,
            "timeout": check.get("timeout", 5) * second,
            "retries": check.get("retries", 3),
            "start_period": check.get("startPeriod", 0) * second,
        }
    return options


def shared_volumes(definition: Json, container: Json, task_id: str) -> dict[str, str]:
    """Docker volume → bind for each of the container's mounts of a task volume without a source path."""
    own = {v["name"] for v in definition.get("volumes", []) if not (v.get("host") or {}).get("sourcePath")}
    return {
        f"task-{task_id}-{mount['sourceVolume']}": mount["containerPath"] + (":ro" if mount.get("readOnly") else "")
        for mount in container.get("mountPoints", [])
        if mount.get("sourceVolume") in own
    }


def tasks(ecs: ModuleType, instance_id: str) -> None:
    """Containers of one awsvpc task share a network; they share a task volume, which is deleted with the task."""

    @wrap(ecs, "_build_run_kwargs")
    def run_options(original: Callable[..., Json], container: Json, definition: Json, *args: Any) -> Json:
        options = original(container, definition, *args) | container_options(container)
        task_id, task_arn = args[4], args[5]
        volumes = shared_volumes(definition, container, task_id)
        for name in volumes:
            ecs._get_docker().volumes.create(name, labels={"ministack": "ecs", "ministack.instance": instance_id})
        binds = [f"{name}:{path}" for name, path in volumes.items()]
        if binds:
            options["volumes"] = options.get("volumes", []) + binds
        first = (ecs._tasks[task_arn].get("_docker_ids") or [None])[0]
        if definition.get("networkMode") == "awsvpc" and first:
            for refused in ("network", "extra_hosts", "ports"):
                options.pop(refused, None)
            options["network_mode"] = f"container:{first}"
        return options

    @wrap(ecs, "_cleanup_task_resources")
    def cleanup(original: Callable[..., None], task: Json, client: Any, *args: Any) -> None:
        """When an essential container exits, the task's others are stopped. Exited ones are kept for their logs."""
        ids = list(task.get("_docker_ids") or [])
        original(task, client, *args)
        engine = client or ecs._get_docker()
        if client is None:
            stop_containers(engine, ids)
        active = {arn.rsplit("/", 1)[-1] for arn, other in ecs._tasks.items() if other.get("lastStatus") != "STOPPED"}
        remove_volumes(engine, instance_id, active)


def namespaces(ecs: ModuleType, cloud_map: ModuleType, instance_id: str) -> None:
    """A private DNS namespace has a Docker network, for the tasks of its VPC; lists apply their filters."""

    @wrap(cloud_map, "_create_namespace_record")
    def create(original: Callable[..., Any], *args: Any) -> Any:
        namespace, error = original(*args)
        vpc, engine = args[5] if len(args) > 5 else None, ecs._get_docker()
        if namespace and vpc and engine and not engine.networks.list(names=[network_of(vpc, instance_id)]):
            labels = {"ministack": "ecs", "ministack.instance": instance_id, "namespace": namespace["Id"]}
            engine.networks.create(network_of(vpc, instance_id), labels=labels, internal=True)
        return namespace, error

    @wrap(cloud_map, "_delete_namespace")
    def delete(original: Callable[..., Any], data: Json) -> Any:
        import docker.errors

        response = original(data)
        engine = ecs._get_docker()
        if response[0] == 200 and engine:
            for network in engine.networks.list(filters={"label": f"namespace={data['Id']}"}):
                with contextlib.suppress(
                    docker.errors.APIError
                ):  # a task is still stopping; the network is deleted with the cloud
                    network.remove()
        return response

    for action in ("_list_namespaces", "_list_services"):
        filtered(cloud_map, action)


def service_discovery(ecs: ModuleType, cloud_map: ModuleType, ec2: ModuleType, instance_id: str) -> None:
    """In a VPC with a private DNS namespace, tasks are found by the names of the services that they are registered in.

    Docker's own DNS knows them from a container's start to its end, in the network of the VPC. Everybody else goes on
    reaching them over the default bridge.
    """

    @wrap(ecs, "_build_run_kwargs")
    def run_options(original: Callable[..., Json], container: Json, definition: Json, *args: Any) -> Json:
        options = original(container, definition, *args)
        task, engine = ecs._tasks[args[5]], ecs._get_docker()
        vpc = (ec2._subnets.get(task.get("_subnet") or "") or {}).get("VpcId", "")
        name = network_of(vpc, instance_id)
        if definition.get("networkMode") != "awsvpc" or "network_mode" in options:
            return options
        if engine.networks.list(names=[name]):
            aliases = names_of(task, ecs, cloud_map)
            options["network"] = name
            options["networking_config"] = {name: engine.api.create_endpoint_config(aliases=aliases)}
        return options

    @wrap(ecs, "_run_docker_container")
    def run(original: Callable[..., Any], client: Any, container: Json, options: Json, **more: Any) -> Any:
        started = original(client, container, options, **more)
        if "networking_config" in options:
            client.networks.get("bridge").connect(started)
        return started


def network_of(vpc: str, instance_id: str) -> str:
    """The Docker network of a VPC. It sorts after `bridge`, whose addresses the emulator reports."""
    return f"{vpc or 'vpc'}-{instance_id.replace(':', '-')}"


def names_of(task: Json, ecs: ModuleType, cloud_map: ModuleType) -> list[str]:
    """The names in DNS under which a task is registered: those of its service."""
    cluster = task["clusterArn"].rsplit("/", 1)[-1]
    service = ecs._services.get(f"{cluster}/{task.get('group', '').removeprefix('service:')}") or {}
    arns = {registry.get("registryArn") for registry in service.get("serviceRegistries") or ()}
    return [
        f"{found['Name']}.{cloud_map._namespaces[found['NamespaceId']]['Name']}"
        for found in cloud_map._services.values()
        if found["Arn"] in arns
    ]


def filtered(cloud_map: ModuleType, action: str) -> None:
    """A list returns only what its filters match."""
    members = {"TYPE": "Type", "NAME": "Name", "NAMESPACE_ID": "NamespaceId"}

    @wrap(cloud_map, action)
    def listed(original: Callable[..., Any], data: Json) -> Any:
        status, headers, body = original(data)
        answer = json.loads(body)
        desired = {members[f["Name"]]: f["Values"] for f in data.get("Filters") or () if f["Name"] in members}
        for kind, items in answer.items():
            answer[kind] = [i for i in items if all(i.get(member) in values for member, values in desired.items())]
        return status, headers, json.dumps(answer).encode()


def stop_containers(client: Any, ids: list[str]) -> None:
    """Stop those that still run."""
    import docker.errors

    for container_id in ids:
        try:
            client.containers.get(container_id).stop(timeout=5)
        except docker.errors.APIError:
            continue


def dependencies(ecs: ModuleType) -> None:
    """A container starts once those in its dependsOn meet their conditions; one that has exited is not waited for."""

    @wrap(ecs, "_run_docker_container")
    def run(original: Callable[..., Any], client: Any, container: Json, options: Json, **more: Any) -> Any:
        prefix = options["name"].removesuffix(container["name"])
        for dependency in container.get("dependsOn") or []:
            while not meets_condition(
                client, prefix + dependency["containerName"], dependency.get("condition", "START")
            ):
                time.sleep(0.2)
        if not network_lives(client, options.get("network_mode", "")):
            options["network_mode"] = "none"  # the task is about to stop, as its first container has exited
        return original(client, container, options, **more)


def secure_strings(ssm: ModuleType) -> None:
    """A container gets the value of a SecureString, not its encrypted form."""

    @wrap(ssm, "resolve_parameter_value")
    def resolve(original: Callable[..., Any], name: str, version: Any = None, decrypt: bool = True) -> Any:
        return original(name, version, decrypt)


def network_lives(client: Any, mode: str) -> bool:
    """Whether the container whose network is to be shared still runs; on AWS, the network outlives containers."""
    first = mode.removeprefix("container:") if mode.startswith("container:") else ""
    return not first or bool(client.containers.get(first).attrs["State"]["Running"])


def meets_condition(client: Any, name: str, condition: str) -> bool:
    """Whether a container meets a condition of dependsOn, or never will."""
    import docker.errors

    try:
        state = client.containers.get(name).attrs["State"]
    except docker.errors.NotFound:
        return True
    if not state["Running"]:
        return True
    return condition == "START" or (condition == "HEALTHY" and state.get("Health", {}).get("Status") == "healthy")


def remove_volumes(client: Any, instance_id: str, active: set[str]) -> None:
    """Delete the volumes of stopped tasks; one that a container still uses is deleted with those of a later task."""
    import docker.errors

    for volume in client.volumes.list(filters={"label": f"ministack.instance={instance_id}", "dangling": True}):
        if any(f"task-{task_id}-" in volume.name for task_id in active):
            continue
        try:
            volume.remove()
        except docker.errors.APIError:
            continue


def inspections(ecs: ModuleType) -> None:
    """The engine is asked about the containers of a task twice a second; the emulator does so ten times."""

    @wrap(ecs, "_maybe_mark_stopped")
    def inspect(original: Callable[..., None], task: Json, client: Any = None) -> None:
        # Only what watches the task has a client; a request that describes it has none, and is not delayed.
        if client is not None:
            if time.monotonic() < task.get("_inspection_due", 0):
                return
            task["_inspection_due"] = time.monotonic() + INSPECTION_SECONDS
        original(task, client)


def health_checks(ecs: ModuleType) -> None:
    """A container's health check is reported, and a task whose essential container is unhealthy is replaced."""

    @wrap(ecs, "_maybe_mark_stopped")
    def judge(original: Callable[..., None], task: Json, client: Any = None) -> None:
        original(task, client)
        definition = ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"])) or {}
        containers = definition.get("containerDefinitions", [])
        checked = [i for i, container in enumerate(containers) if container.get("healthCheck")]
        started = task.get("lastStatus") == "RUNNING" and ecs._task_is_active(task["taskArn"], task)
        if not checked or not started or time.time() < task.get("_health_due", 0):
            return
        task["_health_due"] = time.time() + 0.5
        states = [record_health(ecs, task, index, client or ecs._get_docker()) for index in checked]
        task["healthStatus"] = overall_health(states)
        essential = [s for i, s in zip(checked, states, strict=True) if containers[i].get("essential", True)]
        if "UNHEALTHY" in essential and not in_grace_period(task, service_of(ecs, task)[1]):
            replace_task(ecs, task, client, UNHEALTHY)


def service_of(ecs: ModuleType, task: Json) -> tuple[str, Json]:
    """The service that a task belongs to, with its key; empty for a task of none."""
    cluster, group = task["clusterArn"].rsplit("/", 1)[-1], str(task.get("group") or "")
    if not group.startswith("service:"):
        return "", {}
    key = f"{cluster}/{group.removeprefix('service:')}"
    return key, ecs._services.get(key) or {}


def groups_of_task(ecs: ModuleType, task: Json) -> list[tuple[str, int]]:
    """The target groups of a task, with its port: those that traffic_shift.py gave its deployment, or the service's."""
    service = service_of(ecs, task)[1]
    deployments = service.get("deployments") or ()
    own = next((one for one in deployments if one["id"] == task.get("_deployment_id")), {})
    if "_groups" in own:
        return list(own["_groups"])
    balancers = service.get("loadBalancers") or ()
    return [(one["targetGroupArn"], one.get("containerPort")) for one in balancers if one.get("targetGroupArn")]


def up_seconds(task: Json) -> float:
    """How long a task has been seen running."""
    now = time.monotonic()
    return now - float(task.setdefault("_up_since", now))


def in_grace_period(task: Json, service: Json) -> bool:
    """Whether ECS still ignores failing health checks of a task: for so long after its start as the service says."""
    return up_seconds(task) < int(service.get("healthCheckGracePeriodSeconds") or 0)


def replace_task(ecs: ModuleType, task: Json, client: Any, reason: str) -> None:
    """Stop a task that failed its health checks. The service starts another one."""
    if ecs._mark_task_stopped(task["taskArn"], task, reason, "ServiceSchedulerInitiated"):
        ecs._record_service_task_failure(task)
        ecs._cleanup_task_resources(task, client)


def record_health(ecs: ModuleType, task: Json, index: int, client: Any) -> str:
    """Write one container's health into the task and return it."""
    import docker.errors

    ids = task.get("_docker_ids") or []
    try:
        attributes = client.containers.get(ids[index]).attrs if index < len(ids) else {}
    except docker.errors.APIError:
        attributes = {}
    state = attributes.get("State", {})
    # Docker calls an exited container unhealthy; its exit code says more.
    status = state.get("Health", {}).get("Status", "") if state.get("Running") else ""
    health = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}.get(status, "UNKNOWN")
    task["containers"][index]["healthStatus"] = health
    return health


def overall_health(states: list[str]) -> str:
    """A task is unhealthy when one container is, healthy when all are."""
    if "UNHEALTHY" in states:
        return "UNHEALTHY"
    return "HEALTHY" if set(states) == {"HEALTHY"} else "UNKNOWN"


# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
LOAD_BALANCER_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
}


def places_of_load_balancers(alb: ModuleType, ec2: ModuleType) -> None:
    """A load balancer is in the VPC of its subnets."""

    @wrap(alb, "_create_lb")
    def create(original: Callable[..., Any], params: Json) -> Any:
        known = [ec2._subnets[one] for one in alb._parse_member_list(params, "Subnets") if one in ec2._subnets]
        return original({**params, "VpcId": [known[0]["VpcId"]]} if known else params)


def load_balancers(alb: ModuleType) -> None:
    """A load balancer has all attributes, and is deleted with its listeners unless protected. Orders are optional.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html
    """

    @wrap(alb, "_describe_lb_attrs")
    def describe(original: Callable[..., Any], params: Json) -> Any:
        arn = alb._p(params, "LoadBalancerArn")
        if arn in alb._lbs:
            returned = LOAD_BALANCER_ATTRIBUTES | {item["Key"]: item["Value"] for item in alb._lb_attrs.get(arn, [])}
            alb._lb_attrs[arn] = [{"Key": key, "Value": value} for key, value in returned.items()]
        return original(params)

    @wrap(alb, "_delete_lb")
    def delete(original: Callable[..., Any], params: Json) -> Any:
        arn = alb._p(params, "LoadBalancerArn")
        if {"Key": "deletion_protection.enabled", "Value": "true"} in alb._lb_attrs.get(arn, []):
            return alb._error("OperationNotPermitted", f"Load balancer '{arn}' cannot be deleted: it is protected", 400)
        for listener in [name for name, one in alb._listeners.items() if one["LoadBalancerArn"] == arn]:
            alb._delete_listener({"ListenerArn": [listener]})
        return original(params)

    # AWS returns the order of an action only if it was set. With another, amazon.aws 11 reports a change every time.
    @wrap(alb, "_parse_actions")
    def parse(original: Callable[..., Any], params: Json, prefix: str = "DefaultActions") -> Any:
        actions = original(params, prefix)
        for number, action in enumerate(actions, 1):
            if not alb._p(params, f"{prefix}.member.{number}.Order"):
                del action["Order"]
        return actions

    @wrap(alb, "_action_xml")
    def describe_action(original: Callable[..., Any], action: Json) -> Any:
        text = original(action)
        return text if "Order" in action else text.replace("<Order>1</Order>", "", 1)


def missing(alb: ModuleType, ecs: ModuleType) -> None:
    """A requested name that does not exist is reported as missing: silence is not absence."""

    @wrap(alb, "_describe_tgs")
    def target_groups(original: Callable[..., Any], params: Json) -> Any:
        names = set(alb._parse_member_list(params, "Names"))
        if names - {group["TargetGroupName"] for group in alb._tgs.values()}:
            return alb._error("TargetGroupNotFound", "One or more target groups not found", 400)
        return original(params)

    @wrap(ecs, "_describe_capacity_providers")
    def capacity_providers(original: Callable[..., Any], data: Json) -> Any:
        status, headers, body = original(data)
        answer = json.loads(body)
        found = {one[member] for one in answer["capacityProviders"] for member in ("name", "capacityProviderArn")}
        silent = [name for name in data.get("capacityProviders") or () if name not in found]
        answer["failures"] = [{"arn": name, "reason": "MISSING"} for name in silent]
        return status, headers, json.dumps(answer).encode()


def families(ecs: ModuleType) -> None:
    """The name of a family stands for its newest active revision.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html
    """

    @wrap(ecs, "_resolve_td_key")
    def resolve(original: Callable[..., Any], ref: str) -> Any:
        key, family = original(ref), str(ref or "").rpartition("/")[2]
        if not key or ":" in family:
            return key
        active = [one for one in ecs._task_defs.values() if one["family"] == family and one["status"] == "ACTIVE"]
        newest = max((int(one["revision"]) for one in active), default=0)
        return f"{family}:{newest}" if newest else family


def hosts(autoscaling: ModuleType, ecs: ModuleType) -> None:
    """An Auto Scaling group accepts another launch template, a capacity provider returns managedDraining."""

    @wrap(autoscaling, "_update_asg")
    def update(original: Callable[..., Any], params: Json) -> Any:
        response = original(params)
        group = autoscaling._asgs.get(autoscaling._p(params, "AutoScalingGroupName"))
        template = autoscaling._p(params, "LaunchTemplate.LaunchTemplateId")
        if group and template:
            version = autoscaling._p(params, "LaunchTemplate.Version")
            group["LaunchTemplate"] = {**group["LaunchTemplate"], "LaunchTemplateId": template, "Version": version}
        return response

    @wrap(ecs, "_create_capacity_provider")
    def create(original: Callable[..., Any], data: Json) -> Any:
        response = original(data)
        draining = (data.get("autoScalingGroupProvider") or {}).get("managedDraining", "ENABLED")
        if response[0] == 200:
            ecs._capacity_providers[data["name"]]["autoScalingGroupProvider"].setdefault("managedDraining", draining)
        return response


def machine_image(ec2: ModuleType, ssm: ModuleType, region: str, image: str) -> None:
    """The newest Amazon Linux of the public SSM parameter is the local machine image."""
    from ministack.core.responses import request_scope

    with request_scope(os.environ.get("MINISTACK_ACCOUNT_ID", "000000000000"), region):
        name = "local-cloud/instance"
        response = ec2._register_image(
            {
                "Name": [name],
                "ImageLocation": [image],
                "Architecture": ["x86_64"],
                "VirtualizationType": ["hvm"],
                "RootDeviceName": ["/dev/xvda"],
            }
        )
        image_id = next((i["ImageId"] for i in ec2._images.values() if i["Name"] == name), None)
        if image_id is None:
            raise RuntimeError(f"the machine image was not registered: {json.dumps(str(response))}")
    for parameter in ssm._PUBLIC_AMI_PARAMETERS:
        ssm._PUBLIC_AMI_PARAMETERS[parameter] = image_id
