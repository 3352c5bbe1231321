# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What task definitions and services name elsewhere: secrets, log groups, files, file systems, alarms. Pure."""

from __future__ import annotations

from ..._core.names import home_of
from ..._core.plan import UNKNOWN as NOT_KNOWN
from ..._core.types import Json
from .checklist import Checklist, Reference, Service, Unread, listed
from .network import configuration_of, mode_of
from .permissions import Secret, creates_group, is_bare, logs_of, secret_of, secrets_of

STAGE = "AWSCURRENT"


def check(checklist: Checklist, service: Service) -> None:
    for place, value in secrets_of(service):
        _check_secret(checklist, place, value)
    for place, options in logs_of(service):
        _check_logs(checklist, service, place, options)
    for place, container in service.containers:
        for number, one in enumerate(container.get("environmentFiles") or ()):
            remedy = "Upload the file, or correct its ARN."
            at = f"{place}, environmentFiles[{number}].value"
            found = Reference("environment file", at, "S3 object", str(one.get("value") or ""), remedy)
            if checklist.find(found):
                checklist.ok("environment file", at, f"{one.get('value')} exists")
    for volume in service.definition.get("volumes") or ():
        if isinstance(volume.get("efsVolumeConfiguration"), dict):
            _check_storage(checklist, service, str(volume.get("name")), volume["efsVolumeConfiguration"])
    _check_names(checklist, service)


def _check_secret(checklist: Checklist, place: str, value: str) -> None:
    secret = secret_of(value, checklist.account.home)
    home = home_of(value)
    if home and home.account != checklist.account.home.account:
        text = f"whether {secret.store} {secret.name} exists"
        checklist.unread("secret", place, text, Unread("", f"it is in account {home.account}"))
        return
    if is_bare(value) and not _is_known(checklist, place, value):
        return
    name = secret.arn if home and home.region != checklist.account.home.region else secret.name
    remedy = "Create it, or correct valueFrom."
    found = checklist.find(Reference("secret", place, secret.store, name, remedy))
    if found and secret.store == "secret" and not _is_usable(checklist, place, secret, found):
        return
    if found:
        checklist.ok("secret", place, f"{secret.store} {name} exists")
    if secret.json_key and (found or checklist.desired.manages("secret", name)):
        _check_member(checklist, place, secret)


def _is_known(checklist: Checklist, place: str, name: str) -> bool:
    """Whether a parameter has this name. If not, it may be the secret itself, and is not shown."""
    if name == NOT_KNOWN or checklist.desired.manages("parameter", name):
        return True
    answer = checklist.account.read("parameter", name)
    if isinstance(answer, Unread):
        checklist.unread("secret", place, "whether the parameter that valueFrom names exists", answer)
    elif answer is None and name:
        text = (
            "expected the path or ARN of an existing secret, got something else, which is not shown because it may"
            " be the"
        )
        checklist.fail("secret", place, f"{text} secret itself. Create the parameter, or correct valueFrom.")
    return answer is not None and not isinstance(answer, Unread)


def _check_member(checklist: Checklist, place: str, secret: Secret) -> None:
    """Of a value that the run sets, the names of its members are known. Of others, only the value itself has them."""
    name, wanted = secret.name.rpartition(":secret:")[2], secret.json_key
    members = (checklist.desired.site.get("secret_members") or {}).get(secret.arn)
    if members is None:
        reason = Unread("", "preflight does not read the value of the secret")
        checklist.unread("secret", place, f"whether secret {name} has the member {wanted}", reason)
    elif wanted not in members:
        text = f"expected a member of secret {name} ({listed(members)}), got {wanted}."
        checklist.fail("secret", place, f"{text} Correct valueFrom, or add the member to its value.")
    else:
        checklist.ok("secret", place, f"secret {name} has the member {wanted}")


def _is_usable(checklist: Checklist, place: str, secret: Secret, found: Json) -> bool:
    name = found.get("Name") or secret.name
    if found.get("DeletedDate"):
        text = f"expected a readable secret, got {name}, which is scheduled for deletion."
        checklist.fail("secret", place, f"{text} Restore it, or use another one.")
        return False
    versions = found.get("VersionIdsToStages") or {}
    stages = {stage for some in versions.values() for stage in some}
    if secret.version and versions and secret.version not in versions:
        text = f"expected an existing version of secret {name}, got {secret.version}."
        checklist.fail("secret", place, f"{text} Omit the version to read the current one.")
        return False
    wanted = secret.stage or STAGE
    if not secret.version and not stages:
        checklist.unread(
            "secret", place, f"whether secret {name} has a value", Unread("", "it does not specify a version")
        )
        return False
    if not secret.version and wanted not in stages:
        text = f"expected a secret with a value for stage {wanted}, got {name} with {listed(sorted(stages))}."
        checklist.fail("secret", place, f"{text} Store a value, or correct the stage.")
        return False
    return True


def _check_logs(checklist: Checklist, service: Service, place: str, options: Json) -> None:
    group, home = str(options.get("awslogs-group") or ""), checklist.account.home
    region = str(options.get("awslogs-region") or "")
    missing = [name for name in ("awslogs-group", "awslogs-region") if not options.get(name)]
    if "FARGATE" in (service.definition.get("requires_compatibilities") or ()):
        missing += [name for name in ("awslogs-stream-prefix",) if not options.get(name)]
    if missing:
        checklist.fail("log group", place, f"expected the options {listed(missing)} of awslogs, got none. Set them.")
        return
    if creates_group(options):
        checklist.ok("log group", place, f"log group {group}: the task creates it")
        return
    remedy = "Create it, or set awslogs-create-group to true and allow the execution role logs:CreateLogGroup."
    name = group if region == home.region else f"{region}:{group}"
    if checklist.find(Reference("log group", place, "log group", name, remedy)):
        checklist.ok("log group", place, f"log group {group} exists")


def _check_storage(checklist: Checklist, service: Service, name: str, efs: Json) -> None:
    place, system = service.at(f"volume {name}"), str(efs.get("fileSystemId") or "")
    authorization = efs.get("authorizationConfig") or {}
    point = str(authorization.get("accessPointId") or "")
    if (point or authorization.get("iam") == "ENABLED") and efs.get("transitEncryption") != "ENABLED":
        text = "expected transitEncryption ENABLED with an access point or IAM authorization"
        checklist.fail("storage", place, f"{text}, got {efs.get('transitEncryption') or 'none'}. Enable it.")
    found = checklist.find(Reference("storage", place, "EFS file system", system, "Correct fileSystemId."))
    if not found:
        return
    if found.get("LifeCycleState") not in ("available", "updating"):
        text = f"expected an available file system, got {system} with state {found.get('LifeCycleState')}."
        checklist.fail("storage", place, f"{text} Wait for it, or use another one.")
    _check_mount_targets(checklist, service, place, system)
    if point:
        owner = checklist.find(Reference("storage", place, "EFS access point", point, "Correct accessPointId."))
        if owner and owner.get("FileSystemId") != system:
            text = f"expected an access point of {system}, got {point} of {owner.get('FileSystemId')}."
            checklist.fail("storage", place, f"{text} Correct accessPointId.")


def _check_mount_targets(checklist: Checklist, service: Service, place: str, system: str) -> None:
    targets = checklist.account.read("mount targets", system)
    if isinstance(targets, Unread):
        checklist.unread("storage", place, f"the mount targets of {system}", targets)
        return
    names = [str(name) for name in configuration_of(service).get("subnets") or ()]
    if any(checklist.desired.manages("subnet", name) for name in names):
        return
    subnets = [checklist.account.known("subnet", name) for name in names]
    zones = {str(one.get("AvailabilityZone")) for one in subnets if one}
    covered = {str(one.get("AvailabilityZoneName")) for one in targets or ()}
    missing = sorted(zones - covered)
    if missing:
        checklist.fail(
            "storage",
            place,
            f"expected a mount target of {system} in each zone of the tasks, got none in {listed(missing)}. Create"
            " mount targets there, or remove these subnets.",
        )
    elif zones:
        checklist.ok("storage", place, f"{system} has mount targets in {listed(sorted(zones))}")


def _check_names(checklist: Checklist, service: Service) -> None:
    """Alarms and Cloud Map services."""
    alarms = (service.options.get("deployment_configuration") or {}).get("alarms") or {}
    place = service.at("deployment_configuration.alarms.alarmNames")
    for name in alarms.get("alarmNames") or ():
        if checklist.find(Reference("alarm", place, "alarm", str(name), "Create the alarm, or correct its name.")):
            checklist.ok("alarm", place, f"alarm {name} exists")
    for number, item in enumerate(service.options.get("service_registries") or ()):
        _check_registry(checklist, service, service.at(f"service_registries[{number}]"), item)


def _check_registry(checklist: Checklist, service: Service, place: str, item: Json) -> None:
    arn = str(item.get("registryArn") or "")
    remedy = "Create the service in AWS Cloud Map, or correct registryArn."
    found = checklist.find(Reference("discovery", f"{place}.registryArn", "discovery service", arn, remedy))
    if not found:
        return
    types = {str(one.get("Type")) for one in (found.get("DnsConfig") or {}).get("DnsRecords") or ()}
    has_port = item.get("port") or item.get("containerPort")
    if types & {"A", "AAAA"} and mode_of(service) != "awsvpc":
        text = f"expected a discovery service with SRV records in network mode {mode_of(service)}, got {found['Name']}"
        text += f" with {listed(sorted(types))}."
        checklist.fail("discovery", place, f"{text} Use network mode awsvpc, or SRV records.")
    elif "SRV" in types and not has_port:
        text = f"expected port or containerPort, because {found['Name']} has SRV records, got neither."
        checklist.fail("discovery", place, f"{text} Set one of them.")
    else:
        checklist.ok("discovery", place, f"discovery service {found['Name']} exists")
