# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: for a moment after a change, IAM, ECS and EC2 answer what was true before it.

AWS's reads come from copies that a change reaches later; the emulator's show each change at once. A resource that has
just been created is not found yet, a read that was made before is answered as then, and a role cannot be assumed yet.
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable, Iterator
from types import ModuleType
from typing import Any

from emulator_patches import service_of, wrap

Json = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Any]]

SERVICES = ("ec2", "ecs", "iam")
READS = ("Batch", "Describe", "Get", "List", "Search")
CREATES = ("Allocate", "Create", "Import", "Register", "Run")
DELETES = ("Delete", "Deregister", "Release", "Terminate")
ARN = r"arn:aws:(?:ecs|iam):[\w-]*:\d+:[\w-]+/[\w+=,.@/:-]+"
EC2_ID = r"\b[a-z]{1,10}-(?:[0-9a-f]{17}|[0-9a-f]{8})\b"
# Where an answer of ECS names what does not exist.
NOT_FOUND = re.compile(rb'"failures": ?\[.*?\]', re.DOTALL)
# The lists of resources in answers of ECS, and what identifies their members.
IDENTITIES = {
    "capacityProviders": "capacityProviderArn",
    "clusters": "clusterArn",
    "services": "serviceArn",
    "tasks": "taskArn",
}
# Public record: service events and errors of RunTask in many projects; Terraform's AWS provider and Cromwell retry it.
NOT_ASSUMABLE = (
    "ECS was unable to assume the role '{}' that was provided for this task. Please verify that the role being passed "
    "has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
)
# Public record: Terraform's AWS provider retries it. The first cluster of an account creates the role.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
NO_LINKED_ROLE = "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
LINKED_ROLE = "arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
# Public record: Terraform's AWS provider retries it, as do Packer and many others, and amazon.aws that of an ARN.
NO_PROFILE = "Value ({}) for parameter iamInstanceProfile.{} is invalid. Invalid IAM Instance Profile {}"


class Visibility:
    """What reads do not show yet, for as many seconds after a change."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self._now = seconds, now
        self._born: dict[str, float] = {}
        self._changed: dict[str, list[float]] = {}
        self._past: dict[tuple[str, str, bytes], tuple[float, Answer]] = {}

    def reset(self) -> None:
        for kept in (self._born, self._changed, self._past):
            kept.clear()

    def hidden(self, service: str) -> set[str]:
        """The ARNs or IDs of a service's resources that were created a moment ago."""
        latest = self._now() - self.seconds
        return {name for name, born in self._born.items() if born > latest and belongs(name, service)}

    def is_hidden(self, name: str) -> bool:
        """Whether a role or an instance profile, by its ARN or its name, was created a moment ago."""
        return bool(name) and any(name in (known, last(known)) for known in self.hidden("iam"))

    def create(self, name: str) -> None:
        """Note what AWS creates itself, unless it exists."""
        self._born.setdefault(name, self._now())

    def past(self, service: str, operation: str, body: bytes) -> Answer | None:
        """What the same read answered before a change of a moment ago, unless it lacks an older one."""
        changed, latest = self._changed.get(service, []), self._now() - self.seconds
        read, answer = self._past.get((service, operation, body), (0.0, None))
        visible = any(read - self.seconds < change <= latest for change in changed)
        return None if visible or not any(change > latest for change in changed) else answer

    def has_read(self, service: str, operation: str, body: bytes, answer: Answer) -> None:
        self._past[service, operation, body] = self._now(), answer
        for name in names_in(service, NOT_FOUND.sub(b"", answer[2])) if answer[0] < 400 else ():
            self._born.setdefault(name, -self.seconds)

    def has_changed(self, service: str, operation: str, body: bytes, answer: Answer) -> None:
        if answer[0] >= 400:
            return
        changed, latest = self._changed.get(service, []), self._now() - self.seconds
        visible = [change for change in changed if change <= latest]
        self._changed[service] = [*visible[-1:], *changed[len(visible) :], self._now()]
        if operation.startswith(DELETES):
            deleted = set(re.findall(r"[\w+=,.@:/-]+", urllib.parse.unquote(body.decode(errors="replace"))))
            self._born = {name: born for name, born in self._born.items() if not {name, last(name)} & deleted}
        for name in names_in(service, answer[2]):
            self._born.setdefault(name, self._now() if creates(operation, name, body) else -self.seconds)


def creates(operation: str, name: str, request: bytes) -> bool:
    """Whether an operation creates what its answer names, which may also name what exists already."""
    if not operation.startswith(CREATES):
        return False
    noun = re.sub("[A-Z][a-z]+", "", operation, count=1)
    if name.startswith("arn:"):
        return f":{re.sub('(?<!^)(?=[A-Z])', '-', noun).lower()}/" in name
    return name.encode() not in request and (noun == "Vpc" or not name.startswith("vpc-"))


def belongs(name: str, service: str) -> bool:
    return name.startswith(f"arn:aws:{service}:") if service != "ec2" else not name.startswith("arn:")


def last(arn: str) -> str:
    """The name in an ARN, else the ID as it is."""
    return arn.rpartition("/")[2]


def names_in(service: str, body: bytes) -> list[str]:
    """The ARNs of ECS and IAM and the IDs of EC2 in an answer."""
    return re.findall(EC2_ID if service == "ec2" else ARN, body.decode(errors="replace"))


class Renaming:
    """Replaces, in a request, the names of what is not visible, so that the emulator answers that it does not exist."""

    def __init__(self, hidden: set[str]) -> None:
        # A cluster and a service in it may have one name.
        clusters = {name for name in hidden if ":cluster/" in name}
        self._clusters = hidden | {last(name) for name in clusters}
        self._names = hidden | {last(name) for name in hidden - clusters}
        self._renamed: dict[str, str] = {}

    def name(self, value: str, member: str = "") -> str:
        if value not in (self._clusters if member.startswith("cluster") else self._names):
            return value
        start, separator, end = value.rpartition("/") if "/" in value else value.rpartition("-")
        number = len(self._renamed) + 1
        is_id = re.fullmatch(EC2_ID, value)
        unknown = f"{start}{separator}" + (f"{number:0{len(end)}x}" if is_id else f"not-visible-yet-{number}")
        self._renamed[unknown] = value
        return unknown

    def value(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self.value(member, key) for key, member in value.items()}
        if isinstance(value, list):
            return [self.value(member, name) for member in value]
        return self.name(value, name) if isinstance(value, str) else value

    def request(self, body: bytes, is_json: bool) -> bytes:
        if is_json:
            renamed = self.value(json.loads(body or b"{}"))
            return json.dumps(renamed).encode() if self._renamed else body
        form = [(key, self.name(text)) for key, text in urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)]
        return urllib.parse.urlencode(form).encode() if self._renamed else body

    def answer(self, body: bytes) -> bytes:
        """The emulator's answer, with the names of the request."""
        for unknown, value in self._renamed.items():
            body = body.replace(unknown.encode(), value.encode())
        return body


def without(hidden: set[str], body: bytes, is_json: bool) -> bytes:
    """An answer without the resources that are not visible yet."""
    if not hidden or not any(name.encode() in body for name in hidden):
        return body
    if not is_json:
        root = ET.fromstring(body)
        for parent in root.iter():
            for child in [child for child in parent if child.tag.endswith(("item", "member"))]:
                if any(part.text in hidden for part in [child, *child]):
                    parent.remove(child)
        return ET.tostring(root)
    answer = json.loads(body)
    for name, members in answer.items():
        if isinstance(members, list):
            identity = IDENTITIES.get(name, "")
            answer[name] = [one for one in members if identified(one, identity) not in hidden]
    return json.dumps(answer).encode()


def identified(member: Any, identity: str) -> str:
    return str(member.get(identity, "") if isinstance(member, dict) else member)


def operation_of(headers: dict[str, str], body: bytes) -> str:
    target = headers.get("x-amz-target", "").rpartition(".")[2]
    return target or urllib.parse.parse_qs(body.decode(errors="replace")).get("Action", [""])[0]


def delayed(handler: Handler, service: str, visibility: Visibility) -> Handler:
    """A handler whose reads lag behind its changes."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        operation, is_json = operation_of(headers, body), "x-amz-target" in headers
        if not operation.startswith(READS):
            answer = refused(service, operation, body, visibility)
            answer = answer or in_bytes(*await handler(method, path, headers, body, query))
            visibility.has_changed(service, operation, body, answer)
            return answer
        past = visibility.past(service, operation, body)
        if past:
            return past[0], dict(past[1]), past[2]
        hidden = visibility.hidden(service)
        renaming = Renaming(hidden)
        request = renaming.request(body, is_json)
        status, answered, content = in_bytes(*await handler(method, path, headers, request, query))
        content = without(hidden, renaming.answer(content), is_json)
        visibility.has_read(service, operation, body, (status, dict(answered), content))
        return status, answered, content

    return handle


def in_bytes(status: int, headers: dict[str, str], body: str | bytes) -> Answer:
    """An answer of the emulator, which has some as text."""
    return status, headers, body if isinstance(body, bytes) else body.encode()


def refused(service: str, operation: str, body: bytes, visibility: Visibility) -> Answer | None:
    """EC2 does not know an instance profile yet that IAM has just created."""
    form = urllib.parse.parse_qs(body.decode(errors="replace")) if service == "ec2" else {}
    arn, name = (form.get(f"IamInstanceProfile.{member}", [""])[0] for member in ("Arn", "Name"))
    if operation != "RunInstances" or not visibility.is_hidden(arn or name):
        return None
    said = NO_PROFILE.format(arn, "arn", "ARN") if arn else NO_PROFILE.format(name, "name", "name")
    error = f"<Error><Code>InvalidParameterValue</Code><Message>{said}</Message></Error>"
    text = f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
    return 400, {"Content-Type": "text/xml"}, text.encode()


def roles(ecs: ModuleType, visibility: Visibility) -> None:
    """ECS cannot assume a new role yet: RunTask is refused, and a service tries again."""

    def new_roles(data: Json) -> Iterator[str]:
        definition = ecs._task_defs.get(ecs._resolve_td_key(data.get("taskDefinition", ""))) or {}
        for member in ("executionRoleArn", "taskRoleArn"):
            if visibility.is_hidden(str(definition.get(member) or "")):
                yield str(definition[member])

    @wrap(ecs, "_run_task")
    def run(original: Callable[..., Any], data: Json) -> Any:
        role = next(new_roles(data), "")
        if not role:
            return original(data)
        message = NOT_ASSUMABLE.format(role)
        if not str(data.get("group") or "").startswith("service:"):
            return ecs.error_response_json("ClientException", message, 400)
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        key, service = service_of(ecs, {"clusterArn": f"/{cluster}", "group": data["group"]})
        said = f"(service {service['serviceName']}) failed to launch a task with (error {message})."
        service["events"].insert(0, {"id": ecs.new_uuid(), "createdAt": ecs._iso(), "message": said})
        retry(ecs, cluster, key, lambda: visibility.is_hidden(role))
        return ecs.json_response({"tasks": [], "failures": []})


def linked_role(ecs: ModuleType, visibility: Visibility) -> None:
    """ECS cannot assume its service-linked role yet, right after the account's first cluster."""

    @wrap(ecs, "_create_cluster")
    def create_cluster(original: Callable[..., Any], data: Json) -> Any:
        visibility.create(LINKED_ROLE.format(ecs.get_account_id()))
        return original(data)

    @wrap(ecs, "_create_service")
    def create_service(original: Callable[..., Any], data: Json) -> Any:
        if visibility.is_hidden(LINKED_ROLE.format(ecs.get_account_id())):
            return ecs.error_response_json("InvalidParameterException", NO_LINKED_ROLE, 400)
        return original(data)


# Services that try again once they may, so that each does so once.
WAITING: set[str] = set()


def retry(ecs: ModuleType, cluster: str, key: str, is_refused: Callable[[], bool]) -> None:
    """Let a service start its tasks as soon as nothing refuses them any more."""
    scope = ecs.get_account_id(), ecs.get_region()
    if key in WAITING:
        return
    WAITING.add(key)

    def wait() -> None:
        while is_refused():
            time.sleep(0.1)
        WAITING.discard(key)
        with ecs.request_scope(*scope):
            ecs._reconcile_service_tasks(cluster, key)

    ecs.spawn_background(wait, thread_name=f"ministack-ecs-retry-{key[-8:]}")


def eventual_consistency(app: ModuleType, ecs: ModuleType, seconds: float) -> Visibility | None:
    """Let reads lag behind changes by as many seconds; with 0, nothing is patched."""
    if seconds <= 0:
        return None
    visibility = Visibility(seconds)
    for service in SERVICES:
        app.SERVICE_HANDLERS[service] = delayed(app.SERVICE_HANDLERS[service], service, visibility)
    roles(ecs, visibility)
    linked_role(ecs, visibility)

    @wrap(app, "_reset_all_state")
    def reset(original: Callable[[], None]) -> None:
        visibility.reset()
        original()

    return visibility
