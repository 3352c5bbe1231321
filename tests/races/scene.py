# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One case of the matrix: a project with a cluster of its own, what disturbs its run, and what stands after it."""

from __future__ import annotations

import contextlib
import datetime
import functools
import signal
import threading
import time
import typing as t
from pathlib import Path

import boto3

from ansible_collections.slipway.aws.plugins.module_utils._core.history import EXPIRED
from ansible_collections.slipway.aws.plugins.module_utils._core.history_api import read_history
from ansible_collections.slipway.aws.plugins.module_utils._ecs.history.result import result_of
from ansible_collections.slipway.aws.tests import emulators
from ansible_collections.slipway.aws.tests.proxies import base
from ansible_collections.slipway.aws.tests.races.account import CREDENTIALS, REGION, Json, Project, Run, start
from ansible_collections.slipway.aws.tests.races.disturber import DENIED, PAGE, SECOND, THROTTLED, TOKEN_EXPIRED

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.races.disturber import Disturber
    from ansible_collections.slipway.aws.tests.races.matrix import Case

_SECOND_RUNS = ("same release", "lock broken", "other project")
SIGNALS = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"], "timeoutConfiguration": {"timeoutInMinutes": 5}}
PATIENCE = 60.0
# A run whose calls fail for good says so soon.
FEW_ATTEMPTS = {"AWS_MAX_ATTEMPTS": "2"}
EMULATOR, ROLLOUT_SECONDS = str(Path(__file__).with_name("emulator.py")), "0.3"
NAMES = ("api", "web")
NEW = "worker"
BYSTANDER = "bystander"


def wait_for(condition: t.Callable[[], t.Any], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"timed out waiting for {what}"
        time.sleep(0.05)


@contextlib.contextmanager
def account(folder: Path) -> t.Iterator[str]:
    """An account whose tasks are no containers, and end as their commands and images say."""
    with emulators.running((EMULATOR, ROLLOUT_SECONDS), folder) as address:
        yield address


class Scene:
    """A project and what is beside it."""

    broken = False

    def __init__(self, case: Case, emulator: str, proxy: Disturber) -> None:
        self.case, self.proxy, self.emulator = case, proxy, emulator
        self.project = Project(emulator, f"matrix-{case.seed}")
        self.name = self.project.cluster
        self.others: list[Run] = []
        self.approving = threading.Event()
        self.repository = "registry.example"
        self.ecs.create_cluster(clusterName=self.name)
        self.project.create_by_hand(BYSTANDER)
        definition = self.project.described()[BYSTANDER]["taskDefinition"]
        self.task = self.ecs.run_task(cluster=self.name, taskDefinition=definition)["tasks"][0]["taskArn"]
        self.parameters = [f"/slipway/{self.name}/other", f"/slipway/{self.name}-2/release/1"]
        for name in self.parameters:
            self.client("ssm").put_parameter(Name=name, Value="somebody's", Type="String")
        if case.fault == "image gone":
            found = self.client("ecr").create_repository(repositoryName=self.name)
            self.repository = found["repository"]["repositoryUri"]

    @functools.cached_property
    def ecs(self) -> t.Any:
        return self.project.ecs

    def client(self, service: str) -> t.Any:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
        return boto3.client(service, endpoint_url=self.emulator, region_name=REGION, **keys)

    @property
    def rolls_back(self) -> bool:
        """Whether the disturbed run is a rollback to an earlier release."""
        return self.case.action == "rollback" or self.case.fault in ("revision gone", "image gone")

    def spoil(self) -> None:
        """What is wrong before the run begins."""
        if self.case.fault == "revision gone":
            self.ecs.deregister_task_definition(taskDefinition=f"{self.name}-web:1")
        if self.case.fault == "alarm":
            alarm = {"MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": 1, "Statistic": "Sum"}
            self.client("cloudwatch").put_metric_alarm(
                AlarmName=self.name, Threshold=1, ComparisonOperator="GreaterThanThreshold", **alarm
            )

    def resolve(self) -> None:
        """What was wrong is repaired before the rerun."""
        self.approving.set()
        if self.case.fault == "alarm":
            self._set_alarm("OK")

    def _set_alarm(self, state: str) -> None:
        self.client("cloudwatch").set_alarm_state(AlarmName=self.name, StateValue=state, StateReason="test")

    # Releases

    def options(self, version: str, *, steps: bool = True, **others: t.Any) -> Json:
        """A release of this version, with its tasks and checks."""
        names = [*NAMES, *([NEW] if self.case.creates and version != "v1" else [])]
        services = [self._service(name, version) for name in names]
        options = {**self.project.options(services), "project": self.name, "lock_timeout": 60, "wait_timeout": 20}
        if not steps:
            return options | others
        how = {"migration fails": "3", "migration hangs": "hang", "migration killed": "hang"}.get(self.case.fault, "0")
        broken = self.broken
        migrate = {"name": "migrate", "service": "api", "command": ["migrate", how if broken else "0"]}
        code = "1" if broken and self.case.fault == "smoke test fails" else "0"
        smoke = {"name": "smoke", "service": "web", "command": ["smoke", code]}
        return {
            **options,
            "pre_deploy_tasks": [{**migrate, "wait_timeout": 3 if how == "hang" and broken else 20}],
            "post_deploy_tasks": [{**smoke, "wait_timeout": 20}],
            "verify": [{"name": "page", "type": "http", "url": f"{self.proxy.address}{PAGE}"}],
            "verify_timeout": 1 if self.case.page_fails and broken else 30,
            **others,
        }

    def _service(self, name: str, version: str) -> Json:
        case = self.case
        missing = {"image of a service missing": "web", "image of the migration missing": "api"}
        own = "missing" if self.broken and missing.get(case.fault) == name else version
        service = self.project.service(name, own, ["api"] if name != "api" else ())
        service["task_definition"]["container_definitions"][0]["image"] = f"{self.repository}/{name}:{own}".replace(
            f"{self.name}/{name}", self.name
        )
        if name == "web" and case.strategy != "ROLLING":
            service["deployment_configuration"] = self._deployment()
        return service

    def _deployment(self) -> Json:
        case = self.case
        details: Json = {"strategy": case.strategy, "bakeTimeInMinutes": 1}
        if case.strategy == "CANARY":
            details["canaryConfiguration"] = {"canaryPercent": 10, "canaryBakeTimeInMinutes": 1}
        if case.strategy == "LINEAR":
            details["linearConfiguration"] = {"stepPercent": 50, "stepBakeTimeInMinutes": 1}
        if case.pauses:
            details["lifecycleHooks"] = [PAUSE]
        if case.fault == "alarm":
            details["alarms"] = {"alarmNames": [self.name], "enable": True, "rollback": True}
        return details

    def run(self, options: Json, name: str = "later", **variables: str) -> tuple[Json, str]:
        run = start(self.proxy.address, options, name=name, **variables)
        return run.end(), run.output

    # Faults

    def disturb(self, run: Run, request: base.Request) -> None:
        """What the case wants to happen."""
        case, proxy = self.case, self.proxy
        if case.fault in SIGNALS:
            run.signal(SIGNALS[case.fault])
            if case.fault == "kill" and not case.late:
                raise base.LostError
        elif case.fault == "expired credentials":
            proxy.fault, proxy.faulty = TOKEN_EXPIRED, lambda one: bool(one.service)
        elif case.fault == "permission denied":
            name = operation_of(request)
            proxy.fault, proxy.faulty = DENIED, lambda one: one.operation == name
        elif case.fault in ("connection cut", "throttled"):
            self._fail_for_a_while(request, None if case.fault == "connection cut" else THROTTLED)
        elif case.fault in _SECOND_RUNS:
            self._start_second()
        else:
            self._disturb_account()
        if case.pauses and case.fault != "approval never comes":
            self.approving.set()

    def _disturb_account(self) -> None:
        """What others do in the account."""
        if self.case.fault == "service deleted":
            self.ecs.delete_service(cluster=self.name, service="web", force=True)
        elif self.case.fault == "migration killed":
            self.ecs.stop_task(cluster=self.name, task=self.migrations("v2")[-1]["taskArn"])
        elif self.case.fault == "alarm":
            self._set_alarm("ALARM")

    def _fail_for_a_while(self, request: base.Request, answer: base.Answer | None) -> None:
        left = [1] if self.case.brief else [10**6]
        name = operation_of(request) if answer else ""

        def faulty(one: base.Request) -> bool:
            if not one.service or (name and one.operation != name):
                return False
            left[0] -= 1
            return left[0] >= 0

        self.proxy.fault, self.proxy.faulty = answer, faulty

    def _start_second(self) -> None:
        """The first run waits until the second one has read the history, or has ended."""
        case = self.case
        options = self.options("v2")
        if case.fault == "lock broken":
            options["force"] = True
        if case.fault == "other project":
            other = f"{self.name}-other"
            services = [{**one, "after": []} for one in options["services"][:1]]
            services[0]["task_definition"] = {**services[0]["task_definition"], "family": other}
            options = {"cluster": other, "services": services, "project": other, "wait_timeout": 20}
            self.ecs.create_cluster(clusterName=other)
        run = start(self.proxy.address, options, name=SECOND)
        self.others.append(run)
        if case.fault == "other project":
            run.process.join(PATIENCE)
            return
        read = ("GetParametersByPath",)
        wait_for(
            lambda: run.process.exitcode is not None or any(one.operation in read for one in self.proxy.of(SECOND)),
            "the second run",
        )

    @contextlib.contextmanager
    def approved(self) -> t.Iterator[None]:
        """Whoever approves continues what is paused, once `approving` is set."""
        ended = threading.Event()

        def approve() -> None:
            while not ended.wait(0.1):
                if self.approving.is_set():
                    self.approve()

        thread = threading.Thread(target=approve, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def approve(self) -> None:
        with contextlib.suppress(self.ecs.exceptions.ClientError):
            listed = self.ecs.list_service_deployments(cluster=self.name, service="web")["serviceDeployments"]
            arns = [one["serviceDeploymentArn"] for one in listed]
            found = self.ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
            for one in found if arns else ():
                for hook in one.get("lifecycleHookDetails") or ():
                    if hook["status"] == "AWAITING_ACTION":
                        arn = one["serviceDeploymentArn"]
                        self.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook["hookId"])

    # What stands now

    def history(self, *, later: bool = True) -> list[Json]:
        """The releases, newest first, as project_history returns them now, or when locks have expired."""
        found = read_history(self.client("ssm"), self.name)
        now = found.now + datetime.timedelta(seconds=EXPIRED + 1 if later else 0)
        return list(result_of(self.name, found.entries, found.problems, now)["releases"])

    def of_others(self) -> list[Json]:
        """What is not the project's: a service, a task and parameters that somebody else has created."""
        service = self.project.described()[BYSTANDER]
        kept = ("serviceArn", "createdAt", "taskDefinition", "desiredCount", "tags", "runningCount")
        task = self.ecs.describe_tasks(cluster=self.name, tasks=[self.task])["tasks"][0]
        found = self.client("ssm").get_parameters(Names=self.parameters)["Parameters"]
        return [
            {name: service[name] for name in kept},
            {"task": task["lastStatus"], "parameters": sorted(one["Value"] for one in found)},
        ]

    def tasks(self, status: str) -> list[Json]:
        arns = self.ecs.list_tasks(cluster=self.name, desiredStatus=status)["taskArns"]
        found = self.ecs.describe_tasks(cluster=self.name, tasks=arns)["tasks"] if arns else []
        return [one for one in found if not str(one.get("group", "")).startswith("service:")]

    def migrations(self, version: str = "") -> list[Json]:
        """The tasks that have migrated, or do so, with their images."""
        own = [one for one in (*self.tasks("RUNNING"), *self.tasks("STOPPED")) if _is_migration(one)]
        return [one for one in own if not version or str(one["containers"][0]["image"]).endswith(version)]


def operation_of(request: base.Request) -> str:
    """What AWS refuses: the call of the stage, or the next one where that is none of AWS."""
    return request.operation if request.service else "UntagResource"


def _is_migration(task: Json) -> bool:
    overrides = (task.get("overrides") or {}).get("containerOverrides") or [{}]
    return bool((overrides[0].get("command") or [""])[0] == "migrate")
