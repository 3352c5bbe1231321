# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of the emulator: rollouts go through their states, and are listed as service deployments and revisions.

The emulator completes the first deployment of a service before a task runs, and lists no service deployments. Here, one
is kept for each of its deployments, and follows that deployment's state.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-revision.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html says which settings start a deployment.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from emulator_patches import wrap

Json = dict[str, Any]

# How long ECS takes to start a deployment that it has created; AWS documents the state, not its length.
PENDING_SECONDS = 1.0
# How long a task has to run before it counts as stable. With the emulator's one second, a program that ends while it
# starts would be a success.
STABLE_SECONDS = 3.0
ENDED = frozenset({"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})
# Of the settings that start a deployment when they change, those that the emulator keeps without starting one.
STARTING = ("loadBalancers", "networkConfiguration", "platformVersion")
# Where AWS answers what a deployment runs; service revisions have the same members as services.
REVISED = ("launchType", "capacityProviderStrategy", "platformVersion", "platformFamily", "loadBalancers")
REVISED += ("serviceRegistries", "networkConfiguration", "serviceConnectConfiguration", "volumeConfigurations")
BRIEF = ("serviceDeploymentArn", "serviceArn", "clusterArn", "createdAt", "startedAt", "finishedAt", "status")
PAGE = 20

# As ECS words the failure of a deployment, and the rollback that follows it.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
TASKS_FAILED = "ECS deployment circuit breaker: tasks failed to start."
ROLLING_BACK = "ECS deployment circuit breaker: rolling back to deploymentId {}."
# Public record: terraform-provider-aws, internal/service/ecs/service_test.go.
ROLLED_BACK = "Service deployment rolled back because the circuit breaker threshold was exceeded."
# Public reports of first deployments. How AWS words one that it stops without a rollback is in no public record that
# was found, so such a deployment has no reason here.
NO_CANDIDATE = "No rollback candidate was found to run the rollback."


def arn_of(service: Json, kind: str, deployment: Json) -> str:
    """The ARN of a deployment's service deployment or service revision."""
    digest = hashlib.sha256(str(deployment["id"]).encode()).digest()
    revision = str(int.from_bytes(digest[:8], "big") % 10**19).zfill(19)
    own = revision if kind == "service-revision" else base64.urlsafe_b64encode(digest)[:21].decode()
    return f"{service['serviceArn'].replace(':service/', f':{kind}/')}/{own}"


def counts(service: Json, deployment: Json) -> Json:
    """A deployment's service revision in brief."""
    return {
        "arn": arn_of(service, "service-revision", deployment),
        "requestedTaskCount": int(deployment.get("desiredCount") or 0),
        "runningTaskCount": int(deployment.get("runningCount") or 0),
        "pendingTaskCount": int(deployment.get("pendingCount") or 0),
        **weights(service, deployment),
    }


def weights(service: Json, deployment: Json) -> Json:
    """The share of the traffic that a revision gets, while and after traffic_shift.py shifts it."""
    shifting = next(
        (one["_stages"] for one in service["deployments"] if "_stages" in one and not one["_stages"].ended), None
    )
    own = deployment.get("_stages")
    if shifting is None or own is shifting:
        shares = (own.production, own.test) if own else ()
    else:
        shares = (100.0 - shifting.production, 100.0 - shifting.test)
    return dict(zip(("requestedProductionTrafficWeight", "requestedTestTrafficWeight"), shares, strict=False))


def primary(service: Json) -> Json:
    return next((one for one in service["deployments"] if one["status"] == "PRIMARY"), {})


def created(service: Json, deployment: Json, threshold: int, now: float) -> Json:
    """The service deployment of a deployment that has just been created."""
    configuration = service.get("deploymentConfiguration") or {}
    breaker = (configuration.get("deploymentCircuitBreaker") or {}).get("enable")
    names = (configuration.get("alarms") or {}).get("alarmNames")
    watching = (configuration.get("alarms") or {}).get("enable")
    return {
        "_deployment": deployment["id"],
        "serviceDeploymentArn": arn_of(service, "service-deployment", deployment),
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "createdAt": now,
        "updatedAt": now,
        # What still runs when the deployment starts.
        "sourceServiceRevisions": [counts(service, one) for one in service["deployments"] if one is not deployment],
        "targetServiceRevision": counts(service, deployment),
        "status": "PENDING",
        "deploymentConfiguration": configuration,
        "deploymentCircuitBreaker": {
            "status": "MONITORING" if breaker else "DISABLED",
            "failureCount": 0,
            "threshold": threshold,
        },
    } | ({"alarms": {"status": "MONITORING" if watching else "DISABLED", "alarmNames": names}} if names else {})


def status_after(known: Json, service: Json, now: float) -> str:
    """The status of a service deployment that has not ended, by the deployments of its service."""
    own = next((one for one in service["deployments"] if one["id"] == known["_deployment"]), {})
    first = primary(service)
    state = first.get("rolloutState", "COMPLETED")
    if state == "COMPLETED" and any(
        one["runningCount"] or one["pendingCount"] for one in service["deployments"] if one is not first
    ):
        # The emulator completes a deployment, and then stops the tasks that it replaces.
        state = "IN_PROGRESS"
    if own.get("_aborted"):
        return "STOPPED"
    if known["status"] == "ROLLBACK_IN_PROGRESS":
        if first.get("id") != known["_rollback"]:
            return "STOPPED"
        ends = {"COMPLETED": "ROLLBACK_SUCCESSFUL", "FAILED": "ROLLBACK_FAILED"}
        return ends.get(state, "ROLLBACK_IN_PROGRESS")
    if own.get("rolloutState") == "FAILED":
        if first is not own:
            return "ROLLBACK_IN_PROGRESS" if first.get("id") in known["_before"] else "STOPPED"
        breaker = (known["deploymentConfiguration"] or {}).get("deploymentCircuitBreaker") or {}
        return "ROLLBACK_FAILED" if breaker.get("rollback") or own.get("_rollback_reason") else "STOPPED"
    if not own or own is not first:
        return "STOPPED"
    if state == "COMPLETED":
        return "SUCCESSFUL"
    if "_requested" in own:
        return "ROLLBACK_REQUESTED"
    waiting = now - known["createdAt"] < PENDING_SECONDS and not (own.get("runningCount") or own.get("pendingCount"))
    return "PENDING" if waiting else "IN_PROGRESS"


def advance(known: Json, service: Json, now: float) -> Json:
    """A service deployment after a look at its service; one that has ended stays as it is."""
    if known["status"] in ENDED:
        return known
    own = next((one for one in service["deployments"] if one["id"] == known["_deployment"]), {})
    status = status_after(known, service, now)
    known = {**known, **({"targetServiceRevision": counts(service, own)} if own else {})}
    failures = int(own.get("failedTasks") or 0)
    breaker = known["deploymentCircuitBreaker"]
    breaker = {**breaker, "failureCount": max(failures, breaker["failureCount"])}
    if own.get("rolloutState") == "FAILED" and "_rollback_reason" not in own:
        breaker["status"] = "TRIGGERED"
    known |= {**staged(own), "sourceServiceRevisions": [still(service, one) for one in known["sourceServiceRevisions"]]}
    known |= {"alarms": alarms_after(known, own, status)} if "alarms" in known else {}
    if status == known["status"]:
        return {**known, "deploymentCircuitBreaker": breaker}
    if status in ENDED and breaker["status"] == "MONITORING":
        breaker["status"] = "MONITORING_COMPLETE"
    return {
        **known,
        "status": status,
        "updatedAt": now,
        **({} if status == "PENDING" else {"startedAt": known.get("startedAt", now)}),
        **({"finishedAt": now} if status in ENDED else {}),
        **({"stoppedAt": now} if status == "STOPPED" else {}),
        **why(status, known, service, now),
        "deploymentCircuitBreaker": breaker,
    }


def staged(deployment: Json) -> Json:
    """Lifecycle stage and hooks of a deployment that shifts traffic."""
    stages = deployment.get("_stages")
    if stages is None:
        return {}
    return {"lifecycleStage": stages.stage, **({"lifecycleHookDetails": stages.hooks} if stages.hooks else {})}


def still(service: Json, revision: Json) -> Json:
    """A revision that is replaced, as it is now; one without tasks is no longer there."""
    found = (one for one in service["deployments"] if arn_of(service, "service-revision", one) == revision["arn"])
    ended = {**revision, "requestedTaskCount": 0, "runningTaskCount": 0, "pendingTaskCount": 0}
    if "requestedProductionTrafficWeight" in revision:
        ended |= {"requestedProductionTrafficWeight": 0.0, "requestedTestTrafficWeight": 0.0}
    return next((counts(service, one) for one in found), ended)


def alarms_after(known: Json, deployment: Json, status: str) -> Json:
    """What the alarms of a deployment say."""
    if deployment.get("_alarms"):
        return {**known["alarms"], "status": "TRIGGERED", "triggeredAlarmNames": deployment["_alarms"]}
    ended = status in ENDED and known["alarms"]["status"] == "MONITORING"
    return {**known["alarms"], **({"status": "MONITORING_COMPLETE"} if ended else {})}


def why(status: str, known: Json, service: Json, now: float) -> Json:
    """The members that say why a service deployment has this status."""
    own = next((one for one in service["deployments"] if one["id"] == known["_deployment"]), {})
    if status == "ROLLBACK_IN_PROGRESS":
        back, reason = primary(service), str(own.get("_rollback_reason") or ROLLED_BACK)
        revision = arn_of(service, "service-revision", back)
        rollback = {"reason": reason, "startedAt": now, "serviceRevisionArn": revision}
        return {"_rollback": back["id"], "rollback": rollback, "statusReason": reason}
    return {"statusReason": NO_CANDIDATE} if status == "ROLLBACK_FAILED" and "rollback" not in known else {}


def revision_of(service: Json, deployment: Json, definition: Json, now: float) -> Json:
    """What a deployment runs, as DescribeServiceRevisions answers it."""
    return {
        "_deployment": deployment["id"],
        "serviceRevisionArn": arn_of(service, "service-revision", deployment),
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "taskDefinition": deployment["taskDefinition"],
        **{member: service[member] for member in REVISED if service.get(member)},
        "containerImages": [
            {"containerName": one["name"], "image": one["image"]} for one in definition.get("containerDefinitions", ())
        ],
        "guardDutyEnabled": False,
        "createdAt": now,
        **resolved(deployment),
    }


def resolved(deployment: Json) -> Json:
    """The target groups of a revision whose traffic ECS shifts, which are not always those that the service names."""
    if "_stages" not in deployment:
        return {}
    rules = [(one.get("advancedConfiguration") or {}).get("productionListenerRule") for one in deployment["_balancers"]]
    pairs = zip(deployment["_groups"], rules, strict=True)
    found = [{"targetGroupArn": arn, "productionListenerRule": rule} for (arn, _port), rule in pairs]
    return {"resolvedConfiguration": {"loadBalancers": found}}


def follow(service: Json, definition_of: Callable[[str], Json], threshold: int, now: float) -> None:
    """Create, advance and announce the service deployments of a service. The emulator keeps them with it."""
    known: list[Json] = service.setdefault("_service_deployments", [])
    revisions: list[Json] = service.setdefault("_service_revisions", [])
    for deployment in reversed(service["deployments"]):
        before = [one["_deployment"] for one in known]
        if deployment["id"] not in before:
            known.insert(0, created(service, deployment, threshold, now) | {"_before": before})
            definition = definition_of(deployment["taskDefinition"])
            revisions.insert(0, revision_of(service, deployment, definition, now))
    known[:] = [advance(one, service, now) for one in known]
    for revision in revisions:
        add_digests(revision, service["deployments"])
    if known:
        service["currentServiceDeployment"] = known[0]["serviceDeploymentArn"]
    service["currentServiceRevisions"] = [counts(service, one) for one in service["deployments"]]


def add_digests(revision: Json, deployments: Sequence[Json]) -> None:
    """The digests that ECS has resolved the images of a deployment to."""
    own = next((one for one in deployments if one["id"] == revision["_deployment"]), {})
    for image in revision["containerImages"]:
        digest = (own.get("_image_digests") or {}).get(image["containerName"])
        image.update({"imageDigest": digest} if digest else {})


def reworded(service: Json) -> None:
    """The states of deployments in the words of AWS."""
    for deployment in service["deployments"]:
        state, reason = deployment.get("rolloutState"), str(deployment.get("rolloutStateReason") or "")
        if state == "COMPLETED":
            deployment["rolloutStateReason"] = f"ECS deployment {deployment['id']} completed."
        elif state == "FAILED" and deployment.get("_rollback_reason"):
            deployment["rolloutStateReason"] = deployment["_rollback_reason"]
        elif state == "FAILED" and "digest" not in reason:
            deployment["rolloutStateReason"] = TASKS_FAILED
        elif state == "IN_PROGRESS":
            rolls_back = "roll" in reason
            in_progress = f"ECS deployment {deployment['id']} in progress."
            deployment["rolloutStateReason"] = ROLLING_BACK.format(deployment["id"]) if rolls_back else in_progress


def brief(known: Json) -> Json:
    """A service deployment as ListServiceDeployments answers it."""
    listed = {member: known[member] for member in (*BRIEF, "statusReason") if member in known}
    return {**listed, "targetServiceRevisionArn": known["targetServiceRevision"]["arn"]}


def selected(known: Sequence[Json], data: Json) -> list[Json]:
    """Those that a ListServiceDeployments request filters for, the latest first."""
    states, times = data.get("status") or (), data.get("createdAt") or {}
    return [
        one
        for one in known
        if (not states or one["status"] in states)
        and float(times.get("after") or 0) <= one["createdAt"] <= float(times.get("before") or one["createdAt"])
    ]


def page_of(found: Sequence[Json], data: Json) -> Json:
    """One page of ListServiceDeployments."""
    start, size = int(data.get("nextToken") or 0), int(data.get("maxResults") or PAGE)
    more = {"nextToken": str(start + size)} if start + size < len(found) else {}
    return {"serviceDeployments": [brief(one) for one in found[start : start + size]], **more}


def service_deployments(ecs: ModuleType) -> None:
    """Each deployment is IN_PROGRESS until its tasks are stable, and is listed as a service deployment."""
    ecs._ECS_DEPLOYMENT_STEADY_DELAY = STABLE_SECONDS

    def follow_now(service: Json) -> None:
        def definition_of(arn: str) -> Json:
            return dict(ecs._task_defs.get(ecs._resolve_td_key(arn)) or {})

        with ecs.resource_lock("service-deployments", service["serviceArn"]):
            reworded(service)
            follow(service, definition_of, ecs._circuit_breaker_threshold(service), time.time())

    @wrap(ecs, "_make_deployment")
    def make(original: Callable[..., Json], *args: Any, **kwargs: Any) -> Json:
        return original(*args, **kwargs) | {"rolloutState": "IN_PROGRESS", "rolloutStateReason": ""}

    @wrap(ecs, "_run_task")
    def run(original: Callable[..., Any], data: Json) -> Any:
        """A task of a service names the deployment that has started it, and has the tags that are propagated."""
        deployment = data.get("_deploymentId")
        if not deployment:
            return original(data)
        return original({**data, "startedBy": deployment, "tags": propagated(ecs, data)})

    followed(ecs, follow_now)
    current(ecs, follow_now)
    listed(ecs, follow_now)


def propagated(ecs: ModuleType, data: Json) -> list[Json]:
    """The tags of a task that a service starts.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html
    """
    service = ecs._services.get(f"{data['cluster']}/{data['group'].removeprefix('service:')}") or {}
    source = {"SERVICE": service.get("serviceArn"), "TASK_DEFINITION": data["taskDefinition"]}
    return list(ecs._tags.get(source.get(service.get("propagateTags", "NONE"))) or ())


def followed(ecs: ModuleType, follow_now: Callable[[Json], None]) -> None:
    """Follow each change of a deployment, as a later one may hide it."""

    def named(data: Json) -> Json:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        name = data.get("serviceName") or (ecs._resolve_service_ref(data.get("service", "")) or ("",))[0]
        return ecs._services.get(f"{cluster}/{name}") or {}

    @wrap(ecs, "_create_service")
    def create(original: Callable[..., Any], data: Json) -> Any:
        return answered(original(data), named(data))

    @wrap(ecs, "_update_service")
    def update(original: Callable[..., Any], data: Json) -> Any:
        service = named(data)
        starts = any(member in data and data[member] != service.get(member) for member in STARTING)
        return answered(original({**data, "forceNewDeployment": True} if starts and service else data), service)

    def answered(response: Any, service: Json) -> Any:
        """The service deployment that a request has started is in its answer."""
        if response[0] != 200 or not service:
            return response
        follow_now(service)
        return ecs.json_response({"service": ecs._sanitize(service)})

    @wrap(ecs, "_complete_service_deployment")
    def complete(original: Callable[..., None], cluster: str, key: str, *args: Any, **kwargs: Any) -> None:
        before = primary(ecs._services.get(key) or {"deployments": []}).get("rolloutState")
        original(cluster, key, *args, **kwargs)
        service = ecs._services.get(key)
        if service and before == "IN_PROGRESS" and primary(service).get("rolloutState") == "COMPLETED":
            announce(ecs, service)
            follow_now(service)

    @wrap(ecs, "_record_service_task_failure")
    def fail(original: Callable[..., None], task: Json, *args: Any, **kwargs: Any) -> None:
        cluster, group = task["clusterArn"].rsplit("/", 1)[-1], str(task.get("group") or "")
        service = ecs._services.get(f"{cluster}/{group.removeprefix('service:')}")
        if service and group.startswith("service:"):
            count_failure(service, task)
            original(task, *args, **kwargs)
            follow_now(service)


def count_failure(service: Json, task: Json) -> None:
    """ECS counts tasks that fail to start also without a circuit breaker; the emulator counts those with one."""
    breaker = (service.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker") or {}
    deployment = next((one for one in service["deployments"] if one["id"] == task.get("_deployment_id")), None)
    if deployment and deployment["rolloutState"] == "IN_PROGRESS" and not breaker.get("enable"):
        deployment["failedTasks"] = int(deployment.get("failedTasks") or 0) + (not task.get("startedAt"))


def current(ecs: ModuleType, follow_now: Callable[[Json], None]) -> None:
    """A service names its service deployment and revisions as they are when it is read."""

    @wrap(ecs, "_describe_services")
    def describe_services(original: Callable[..., Any], data: Json) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        for ref in data.get("services") or ():
            name = (ecs._resolve_service_ref(ref) or ("",))[0]
            service = ecs._services.get(f"{cluster}/{name}")
            if service and service["status"] == "ACTIVE":
                follow_now(service)
        return original(data)


def announce(ecs: ModuleType, service: Json) -> None:
    """The events of a completed deployment.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
    """
    name, deployment = service["serviceName"], primary(service)["id"]
    for said in (f"(deployment {deployment}) deployment completed.", "has reached a steady state."):
        event = {"id": ecs.new_uuid(), "createdAt": ecs._iso(), "message": f"(service {name}) {said}"}
        service["events"].insert(0, event)


def listed(ecs: ModuleType, follow_now: Callable[[Json], None]) -> None:
    """The calls that read service deployments and revisions."""

    def described(member: str, identity: str, requested: Sequence[str]) -> tuple[list[Json], list[Json]]:
        services = [one for one in ecs._services.values() if one["status"] == "ACTIVE"]
        for service in services:
            follow_now(service)
        found = {one[identity]: ecs._sanitize(one) for service in services for one in service[member]}
        failures = [{"arn": arn, "reason": "MISSING"} for arn in requested if arn not in found]
        return [found[arn] for arn in requested if arn in found], failures

    @wrap(ecs, "_list_service_deployments")
    def list_deployments(_original: Callable[..., Any], data: Json) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster") or cluster_of(str(data.get("service", ""))))
        if cluster not in ecs._clusters:
            return ecs.error_response_json("ClusterNotFoundException", "Cluster not found.", 400)
        name = (ecs._resolve_service_ref(data.get("service", "")) or ("",))[0]
        service = ecs._services.get(f"{cluster}/{name}")
        if not service or service["status"] != "ACTIVE":
            return ecs.error_response_json("ServiceNotFoundException", "Service not found.", 400)
        follow_now(service)
        return ecs.json_response(page_of(selected(service["_service_deployments"], data), data))

    @wrap(ecs, "_describe_service_deployments")
    def describe_deployments(_original: Callable[..., Any], data: Json) -> Any:
        requested = data.get("serviceDeploymentArns") or ()
        found, failures = described("_service_deployments", "serviceDeploymentArn", requested)
        return ecs.json_response({"serviceDeployments": found, "failures": failures})

    @wrap(ecs, "_describe_service_revisions")
    def describe_revisions(_original: Callable[..., Any], data: Json) -> Any:
        requested = data.get("serviceRevisionArns") or ()
        found, failures = described("_service_revisions", "serviceRevisionArn", requested)
        return ecs.json_response({"serviceRevisions": found, "failures": failures})


def cluster_of(service: str) -> str:
    """The cluster in the ARN of a service, else the default one."""
    parts = service.split("/")
    return parts[1] if service.startswith("arn:") and len(parts) > 2 else "default"
