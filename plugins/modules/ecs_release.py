#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_release
version_added: 0.1.0
short_description: Release many Amazon ECS services as one, all or nothing
description:
  - Creates and updates any number of task definitions and services, and rolls all of them out side by side.
  - Reads and plans everything before it changes anything. A release that is refused changes nothing.
  - Either all services become stable, or those that were changed are rolled back.
  - Without changes it costs one call for ten services and one for each task definition.
author: The Slipway authors (@slipway)
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  services:
    description:
      - The services, each with a C(name) and the options of M(slipway.aws.ecs_service) except C(cluster), C(state),
        C(client_token), C(recreate), C(force), C(wait) and C(wait_timeout).
      - C(task_definition) is a family, C(family:revision) or an ARN, or a dictionary with the options of
        M(slipway.aws.ecs_task_definition) except C(state), C(keep_revisions) and C(delete). Services may share one. A
        service whose revision already matches keeps it, even if the family has a newer one.
      - C(after) lists services of the release that have to be stable before this one is changed. All others roll out
        side by side.
      - C(initial_count) is the number of tasks that a new service starts with if it has no C(desired_count). Use it for
        services that scale automatically afterwards.
      - C(pre_deploy_tasks) and C(post_deploy_tasks) are tasks of the service, as in O(pre_deploy_tasks) and
        O(post_deploy_tasks), without C(service).
      - Omitted options of a service or task definition are left as they are, as in those modules.
    type: list
    elements: dict
  pre_deploy_tasks:
    description:
      - Tasks that run with the new revision of a service before any service is changed, such as a migration of the
        database. They run one after the other, those of the release first, then those of O(services).
      - If one does not exit with 0, times out or cannot start, no service is changed. Revisions of task definitions
        that this run has registered are deregistered.
      - Their log is shown and written to O(progress) while they run, if the container has the log driver C(awslogs).
      - Each runs at most once in a release. If the run is killed or interrupted, the task continues; a rerun waits for
        it, and starts it again only if it has failed. A release that changes nothing runs no tasks.
      - A rollback does not undo what a task did. After a migration, the previous version must still be able to use
        the database.
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions: &task
      name:
        description: The name of the task in messages and results.
        type: str
        required: true
      service:
        description:
          - The service of the release whose new revision, network, capacity, volumes and tags the task gets. The
            service need not exist yet.
        type: str
        required: true
      container:
        description:
          - The container that runs the command, and whose exit code counts. You can omit it if there is only one, or
            only one that is essential.
        type: str
      command:
        description: The command, as a list of words without a shell. By default, the container's own command runs.
        type: list
        elements: str
      environment:
        description: Environment variables of the container, in addition to its own. AWS shows them; no secrets.
        type: dict
      overrides:
        description: Other overrides, as O(slipway.aws.ecs_task_run#module:overrides).
        type: dict
      wait_timeout:
        description: The time limit of the task in seconds. A task that takes longer is stopped and counts as failed.
        type: int
        default: 600
  post_deploy_tasks:
    description:
      - Tasks that run with the new revision of a service once all services are stable, such as a smoke test. They are
        given, run and resumed as O(pre_deploy_tasks).
      - If one fails, the release fails. All services are then rolled back, unless O(on_failure=keep).
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions: *task
  verify:
    description:
      - Pages and ports that have to answer as expected, which is the last step of the release. Each check is repeated
        until it succeeds.
      - If one does not succeed within O(verify_timeout), the release fails. All services are then rolled back, unless
        O(on_failure=keep).
      - The checks run where the module runs. For others, use O(post_deploy_tasks). A release that changes
        nothing makes no checks.
    type: list
    elements: dict
    version_added: 0.2.0
    suboptions:
      name:
        description: The name of the check in messages and results.
        type: str
        required: true
      type:
        description: V(http) requests a page, V(tcp) connects to a port.
        type: str
        choices: [http, tcp]
        default: http
      url:
        description: The address of the page. Required for V(http).
        type: str
      status:
        description:
          - The status that the page has to have. By default V(200).
          - Redirects are followed, so that the status and the content are those of the last page.
        type: int
      content:
        description: A regular expression that has to match somewhere in the page. By default, any content does.
        type: str
      headers:
        description: Headers of the request.
        type: dict
      host:
        description: The name or address to connect to. Required for V(tcp).
        type: str
      port:
        description: The port to connect to. Required for V(tcp).
        type: int
  verify_timeout:
    description: How many seconds all checks of O(verify) may take together.
    type: int
    default: 180
    version_added: 0.2.0
  target_groups:
    description:
      - Settings of target groups that services of the release use, by the ARN of the target group.
      - Each is a dictionary with options of M(slipway.aws.elb_target_group), namely C(health_check_enabled),
        C(health_check_protocol), C(health_check_port), C(health_check_path), C(health_check_codes),
        C(health_check_interval), C(health_check_timeout), C(healthy_threshold), C(unhealthy_threshold) and
        C(deregistration_delay).
      - They change right before the services that use them, and are rolled back with these services.
      - A service that changes in nothing else is stable once its targets have passed checks with the new settings.
      - The target groups have to exist. Omitted settings stay as they are.
    type: dict
  on_failure:
    description:
      - What to do when the rollout of a service fails.
      - With V(rollback), every service that was changed is rolled back. Services that the release created are deleted.
      - With V(keep), the rollouts of the other services continue, except for those that come after the failed one.
      - In both cases the task fails, and registered revisions of task definitions are kept.
    type: str
    choices: [rollback, keep]
    default: rollback
  rollback:
    description:
      - Whether to roll back a release that was killed or interrupted, instead of releasing.
      - O(services) then limits the rollback to these services, given by C(name) alone. By default, it covers all
        services of the cluster.
      - Services that no unfinished release has changed are left as they are. The others are rolled back side by side.
      - A release that is complete, and only failed to remove its checkpoints, is not rolled back. Its checkpoints are
        removed, or kept if only the account shows that it is complete.
    type: bool
    default: false
  force:
    description:
      - Whether to release although another release of the same services is in progress. This one then takes over its
        checkpoints, so that a rollback restores what ran before both.
      - It also takes over the lock of O(project) without waiting for the end of the release that has it. That one stops
        with the code V(lock_lost) before it changes the next service; this one waits 7 seconds, until it has noticed.
      - With O(rollback), whether to roll back even a release that is complete on all of its services.
    type: bool
    default: false
  wait_timeout:
    description: How many seconds the rollout of a service may take until it is stable, and again its rollback.
    type: int
    default: 600
  parallel:
    description:
      - How many calls to make at a time, V(1) to V(32).
      - When AWS throttles, calls slow down automatically.
    type: int
    default: 8
  progress:
    description:
      - A file that each line of RV(progress) is appended to at once, so that you can follow it.
      - When the task runs on the controller, the lines are also shown, unless C(no_log) is set.
    type: path
  project:
    description:
      - The name of the project. If set, the release is recorded in the history of the project, and holds its lock.
      - Without changes, nothing is recorded and no lock is needed. Neither are they in check mode.
    type: str
    version_added: 0.2.0
  revision:
    description:
      - What the history records as the revision in git. A rollback has that of the release that it restores.
      - By default, it is that of the directory of the inventory, or of the playbook, with C(-dirty) if files differ.
    type: str
    version_added: 0.2.0
  promoted_from:
    description:
      - What the history records of where the images come from, as M(slipway.aws.promotion_info) returns it.
    type: dict
    version_added: 0.2.0
    suboptions:
      project:
        description: The project of the other stage.
        type: str
        required: true
      region:
        description: Its region.
        type: str
        required: true
      account:
        description: Its account.
        type: str
        required: true
      release:
        description: The number of its release in its history. Omitted if unknown.
        type: int
  rollback_to:
    description:
      - Rolls back to an earlier release of O(project), given by its number, instead of releasing. It has to be one that
        succeeded. V(previous) is what ran before the last release.
      - O(services) then limits the rollback to these services, given by C(name) alone. By default, it covers all that a
        later release has changed.
      - With V(previous), a release that was killed or interrupted is rolled back as with O(rollback). If the last
        release is a rollback, V(previous) is what that one restores, so that a rerun changes nothing.
      - The task definitions are restored, with their images and environment variables. Settings of services and target
        groups, values of secrets, and data are not. Services that were created since are kept.
      - If a revision or an image does not exist any more, nothing is changed. Images in other registries than the
        account's are not checked.
    type: str
    version_added: 0.2.0
  registry:
    description:
      - Another address of the account's registry in the names of images, such as V(localhost:4566) for the local cloud.
        O(rollback_to) finds images by it.
    type: str
    version_added: 0.2.0
  lock_timeout:
    description:
      - How many seconds to wait while another release of O(project) is in progress. With V(0), fail at once.
    type: int
    default: 600
    version_added: 0.2.0
  keep_releases:
    description: How many releases the history keeps, V(10) or more.
    type: int
    default: 50
    version_added: 0.2.0
  record_tags:
    description: Further tags of the parameters that hold the history.
    type: dict
    version_added: 0.2.0
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.plain_values
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
notes:
  - A value that looks like a secret (by the name of its variable, option or argument, or as a password in an address)
    is shown as V(********) in results, diffs and messages, followed by (changed) where it changed. It can still be read
    in AWS. Put secrets into C(secrets); the module warns about any others.
  - The module cannot mask what Ansible itself shows, which is arguments with C(-vvv) when Ansible rejects them before
    the module starts, the items of a loop, and all arguments in the system log unless C(no_target_syslog) is set.
  - During a release, each changed service carries a checkpoint in its tags. C(slipway:checkpoint.0) and so on hold what
    it ran before; C(slipway:checkpoint.run) says which release wrote it, who started that, and when it times out. The
    checkpoints are removed when the release ends. If a run is killed, rerun the same command; it resumes. If the
    resumed release fails, it also rolls back what the killed run had changed.
  - AWS allows 50 tags for each service, and a checkpoint takes about three. The module refuses services that have too
    many tags before it changes anything.
  - Without O(project), another release of the same services is refused while one is in progress, as far as its
    checkpoints show. This is not a lock. Two releases that start at the same moment do not see each other. Neither
    deletes services of the other.
  - >-
    With O(project), the parameter C(/slipway/<project>/release/<number>) of AWS Systems Manager is the record of a
    release and the lock of the project. AWS lets only one run create that of the next number. It is renewed every 15
    seconds. Without that for 60 seconds, or if its process on this machine has ended, its run counts as killed, and the
    next one takes over.
  - A rollback deletes a service only if the C(CreateService) of this run created it, or if it carries the checkpoint of
    this release. A service that another client created meanwhile is left as it is.
  - An image tag is not part of a service, so a rollback cannot restore an image that was overwritten under the same
    tag. Refer to images by digest.
  - >-
    Requires the permissions of M(slipway.aws.ecs_service) and M(slipway.aws.ecs_task_definition), and
    C(elasticloadbalancing:DescribeTargetGroups), C(elasticloadbalancing:DescribeTargetGroupAttributes),
    C(elasticloadbalancing:ModifyTargetGroup) and C(elasticloadbalancing:ModifyTargetGroupAttributes) for
    O(target_groups), C(ecs:DeregisterTaskDefinition) to remove new revisions when AWS rejects one of them,
    C(ecs:DeleteService) to delete created services when the release fails, C(ecs:ListServices) for O(rollback=true)
    without O(services), and the permissions of M(slipway.aws.ecs_task_run) for O(pre_deploy_tasks) and
    O(post_deploy_tasks). O(project) requires C(ssm:AddTagsToResource),
    C(ssm:DeleteParameters), C(ssm:GetParameters), C(ssm:GetParametersByPath) and C(ssm:PutParameter) on its
    parameters, and O(rollback_to) C(ecr:BatchGetImage) and C(ecr:DescribeRepositories).
seealso:
  - module: slipway.aws.ecs_service
  - module: slipway.aws.ecs_task_definition
  - module: slipway.aws.ecs_service_info
  - module: slipway.aws.project_history
"""

EXAMPLES = r"""
- name: Release the shop as one
  slipway.aws.ecs_release:
    cluster: shop
    services:
      - name: stock
        task_definition:
          family: stock
          network_mode: awsvpc
          container_definitions:
            - {name: stock, image: "localhost:5000/shop/stock:1.0", memory: 64}
        desired_count: 1
        launch_type: FARGATE
        network_configuration:
          awsvpcConfiguration: {subnets: [subnet-0123456789abcdef0], assignPublicIp: DISABLED}
      - name: web
        after: [stock]
        task_definition:
          family: web
          network_mode: awsvpc
          container_definitions:
            - {name: web, image: "localhost:5000/shop/web:1.0", memory: 64}
        desired_count: 1
        launch_type: FARGATE
        network_configuration:
          awsvpcConfiguration: {subnets: [subnet-0123456789abcdef0], assignPublicIp: DISABLED}

- name: Run the latest revisions, and keep what succeeds if one service fails
  slipway.aws.ecs_release:
    cluster: shop
    on_failure: keep
    services:
      - {name: stock, task_definition: stock}
      - {name: web, task_definition: web}

- name: Roll back an interrupted release
  slipway.aws.ecs_release:
    cluster: shop
    rollback: true

- name: Migrate the database, release the shop, and order something
  slipway.aws.ecs_release:
    cluster: shop
    services:
      - {name: stock, task_definition: "stock:8"}
      - {name: web, task_definition: "web:12"}
    pre_deploy_tasks:
      - name: migrate
        service: web
        command: [python3, manage.py, migrate]
        wait_timeout: 900
    post_deploy_tasks:
      - name: smoke
        service: web
        command: [python3, manage.py, order, --test]
        environment: {SHOP_URL: "http://web.shop.internal:8000"}
    verify:
      - {name: page, url: "https://shop.example.com/", content: "Welcome"}

- name: Release with a record and a lock
  slipway.aws.ecs_release:
    cluster: shop
    project: shop
    services:
      - {name: web, task_definition: web}

- name: Roll back to what ran before the last release
  slipway.aws.ecs_release:
    cluster: shop
    project: shop
    rollback_to: previous
"""

RETURN = r"""
services:
  description: Each service by its name. With O(rollback=true), those that an unfinished release had changed.
  type: dict
  returned: always
  contains:
    state:
      description:
        - How the release of the service ended, or in check mode would end.
        - V(unchanged), V(created), V(updated), V(failed), V(not_started), V(rolled_back), V(rollback_failed), or
          V(in_progress) if the release was interrupted.
      type: str
    changed:
      description: Whether the service or its task definition was changed, even if it was rolled back later.
      type: bool
    before:
      description: Task definition, desired count and running count before. Empty for a new service.
      type: dict
    after:
      description: The same now, or in check mode as predicted.
      type: dict
    diff:
      description:
        - Exactly the members that differ. Those of the task definition are under C(definition), those of target groups
          by their names under C(target_groups).
      type: dict
    deployment:
      description: ARN of the monitored deployment, or its ID if AWS has no ARN for it. Empty if there was none.
      type: str
    seconds:
      description: How long the rollout took, including a rollback.
      type: float
    service:
      description: The service as M(slipway.aws.ecs_service) returns it, without events. Omitted if the task fails.
      type: dict
    task_definition:
      description: The revision as M(slipway.aws.ecs_task_definition) returns it. Omitted if the task fails.
      type: dict
    unfinished:
      description: V(true) if an earlier release had left the service unfinished, otherwise omitted.
      type: bool
    checkpoint_left:
      description: V(true) if the service still has its checkpoint although its release is complete, otherwise omitted.
      type: bool
    code:
      description: Error code of the service, one of those of M(slipway.aws.ecs_service).
      type: str
    msg:
      description: Why the service failed, as text.
      type: str
    failure:
      description: Why the service failed, as data, as M(slipway.aws.ecs_service) returns it.
      type: dict
pre_deploy_tasks:
  description: The tasks that run before any service is changed, in their order.
  type: list
  elements: dict
  returned: when there are any
  contains: &ran
    name:
      description: The name of the task.
      type: str
    service:
      description: The service whose new revision it runs.
      type: str
    state:
      description:
        - V(succeeded), V(failed), V(in_progress) if the run was interrupted and the task continues, V(not_started),
          also in check mode if it would run, or V(not_needed) if the release changes nothing or ran it before.
      type: str
    seconds:
      description: How long the release waited for it.
      type: float
    task_arn:
      description: The ARN of the task. Empty if it was not started.
      type: str
    exit_code:
      description: The exit code of the command, or null.
      type: int
    output:
      description: The last 100 lines that the container wrote to CloudWatch Logs.
      type: list
      elements: str
    stopped_reason:
      description: Why the task stopped, in AWS's words.
      type: str
    containers:
      description: All containers, each with C(name), C(exit_code), which is null if it never started, and C(reason).
      type: list
      elements: dict
post_deploy_tasks:
  description: The tasks that run once all services are stable, likewise.
  type: list
  elements: dict
  returned: when there are any
  contains: *ran
verify:
  description: The checks of O(verify), in their order.
  type: list
  elements: dict
  returned: when there are any
  contains:
    name:
      description: The name of the check.
      type: str
    state:
      description:
        - V(succeeded), V(failed), V(not_started), also in check mode if it would run, or V(not_needed) if the
          release changes nothing.
      type: str
    msg:
      description: What is wrong with the last answer. Empty if nothing is.
      type: str
progress:
  description: What happened when, and a table at the end, as lines of text.
  type: list
  elements: str
  returned: always
diff:
  description: The differences, one element for each service that differs.
  type: list
  elements: dict
  returned: always
cluster:
  description: The cluster as it was given.
  type: str
  returned: always
failed_services:
  description: Names of the services that failed.
  type: list
  elements: str
  returned: when a service failed
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(checkpoints_left). The release is complete, but its checkpoints could not be removed.
    - V(code_deploy). AWS CodeDeploy deploys the service.
    - V(deployment_failed). The deployment failed and was not rolled back.
    - V(deployment_stopped). Someone stopped the deployment.
    - V(health_check_failing). No new task passes its health checks, so the deployment cannot succeed.
    - V(immutable). AWS cannot change this property of an existing resource.
    - V(interrupted). The run was interrupted. ECS continues the deployments that started; the message gives the state
      of tasks.
    - V(lock_lost). Another release of the project took over the lock, so this one stopped before it changed the next
      service.
    - V(multiple_errors). Several services failed with different codes. The message lists all errors.
    - >-
      V(not_adopted). The resource exists and belongs to no project yet: it has no tag C(slipway:project).
    - V(release_in_progress). Another release of the same services is in progress.
    - V(rollback_failed). The deployment failed, and so did its rollback.
    - V(rollback_impossible). A revision or an image that the services ran at that release no longer exists.
    - V(rolled_back). ECS rolled the service back to the previous deployment.
    - V(service_deleted). The service was deleted during its rollout.
    - V(superseded). A later deployment of the same service replaced this one.
    - V(task_failed). The task did not start, or its command did not exit with 0.
    - V(tasks_failing). No task keeps running, and ECS continues to start new ones.
    - V(verification_failed). The services became stable, but a page or port did not answer as expected.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout).
      These any module returns that calls AWS.
  type: str
  returned: failure
release:
  description:
    - The release that is in progress, with C(id), C(started) and C(by). As checkpoints show it, C(by) is user and host,
      and C(until) is when it times out. As the lock shows it, C(by) is an ARN, and C(number) and C(host) are known.
  type: dict
  returned: when another release is in progress
release_number:
  description: The number of this release in the history.
  type: int
  returned: when O(project) is set and the release changes something
target:
  description: The release that a rollback restores.
  type: int
  returned: with O(rollback_to), if what it restores is a release of the history
problems:
  description: All invalid options, or all that O(rollback_to) requires and that no longer exists, one sentence each.
  type: list
  elements: str
  returned: when options are invalid, or with V(rollback_impossible)
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import CHECK, RELEASE_TASK
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release import flow

PROMOTED_FROM = {
    **{name: {"type": "str", "required": True} for name in ("project", "region", "account")},
    "release": {"type": "int"},
}
ARGUMENT_SPEC = {
    "cluster": {"type": "str", "default": "default"},
    "services": {"type": "list", "elements": "dict"},
    "pre_deploy_tasks": {"type": "list", "elements": "dict", "options": RELEASE_TASK},
    "post_deploy_tasks": {"type": "list", "elements": "dict", "options": RELEASE_TASK},
    "verify": {"type": "list", "elements": "dict", "options": CHECK},
    "verify_timeout": {"type": "int", "default": 180},
    "target_groups": {"type": "dict"},
    "plain_values": {"type": "list", "elements": "str"},
    "on_failure": {"type": "str", "choices": ["rollback", "keep"], "default": "rollback"},
    "rollback": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 600},
    "parallel": {"type": "int", "default": 8},
    "project": {"type": "str"},
    "revision": {"type": "str"},
    "promoted_from": {"type": "dict", "options": PROMOTED_FROM},
    "rollback_to": {"type": "str"},
    "registry": {"type": "str"},
    "lock_timeout": {"type": "int", "default": 600},
    "keep_releases": {"type": "int", "default": 50},
    "record_tags": {"type": "dict"},
    "progress": {"type": "path"},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
