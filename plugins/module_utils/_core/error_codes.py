# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every error code that a module, action, role or playbook returns, and every cause of a failed rollout: the only list.

The guide on troubleshooting and the modules' documentation of `code` are generated from it: `make docs`.
"""

from __future__ import annotations

import typing as t

# Whether anything was changed when a module fails with the code. "see services": the result's `services` says it.
Changed = t.Literal["no", "maybe", "yes", "see services"]
# Who fails with it: any module that calls AWS, a rollout of a service, or only some modules, roles and playbooks.
Scope = t.Literal["aws", "rollout", "module"]


class ErrorCode(t.NamedTuple):
    """What a code means, for people, and what they do about it."""

    meaning: str
    changed: Changed
    remedy: str
    scope: Scope


class FailureCause(t.NamedTuple):
    """Why the tasks of a service fail, and what to do about it: an entry of `failure.causes`."""

    meaning: str
    remedy: str


CODES: dict[str, ErrorCode] = {}
CAUSES: dict[str, FailureCause] = {}


def _code(code: str, meaning: str, changed: Changed, remedy: str, scope: Scope = "module") -> str:
    CODES[code] = ErrorCode(meaning, changed, remedy, scope)
    return code


def _cause(code: str, meaning: str, remedy: str) -> str:
    CAUSES[code] = FailureCause(meaning, remedy)
    return code


# Any module that calls AWS
ACCESS_DENIED = _code(
    "access_denied",
    "The credentials do not allow the call that the message names.",
    "maybe",
    "Allow the call in the policy of the credentials, or use other credentials.",
    "aws",
)
AWS_ERROR = _code(
    "aws_error",
    "AWS failed to process the request.",
    "maybe",
    "Rerun. AWS Support asks for ``request_id``.",
    "aws",
)
BAD_ANSWER = _code(
    "bad_answer",
    "AWS's answer cannot be parsed or is incomplete. Reads were tried three times.",
    "maybe",
    "Check the proxies between this machine and AWS, and ``endpoint_url``, then rerun.",
    "aws",
)
CONFLICT = _code(
    "conflict",
    "The resource is in use, someone else is changing it, or its name is taken.",
    "maybe",
    "Wait until the other change is complete, or correct what the message names, then rerun.",
    "aws",
)
INVALID_OPTION = _code(
    "invalid_option",
    "The value of an option is invalid. If there can be several problems, ``problems`` lists all of them.",
    "no",
    "Correct the options that the message names.",
    "aws",
)
LIMIT_EXCEEDED = _code(
    "limit_exceeded",
    "A quota of the account or a limit of the resource is reached.",
    "maybe",
    "Delete what is no longer needed, or request a higher quota.",
    "aws",
)
MISPLACED_SECRET = _code(
    "misplaced_secret",
    "A secret, such as a private key or a token, is in a place where others can read it. The message does not show it.",
    "no",
    "Store it in Secrets Manager or Parameter Store, and refer to it in ``secrets``. The message says how to keep it"
    " where it is.",
    "aws",
)
NO_CONNECTION = _code(
    "no_connection",
    "AWS cannot be reached, or three attempts at a call timed out.",
    "maybe",
    "Check the network, the proxy, ``region`` and ``endpoint_url``, then rerun.",
    "aws",
)
NO_CREDENTIALS = _code(
    "no_credentials",
    "There are no valid AWS credentials, or they have expired.",
    "maybe",
    "Sign in, for example with ``aws sso login``, then rerun.",
    "aws",
)
NOT_FOUND = _code(
    "not_found",
    "A resource that an option names does not exist in this region and account.",
    "maybe",
    "Correct the name, region or account, or create the resource first.",
    "aws",
)
REFUSED = _code(
    "refused",
    "AWS rejected the request as invalid.",
    "maybe",
    "Correct the options for the reason that the message quotes.",
    "aws",
)
THROTTLED = _code(
    "throttled",
    "AWS throttled all ten attempts of a call.",
    "maybe",
    "Lower ``parallel``, run fewer playbooks at a time, or raise ``AWS_MAX_ATTEMPTS``.",
    "aws",
)
TIMEOUT = _code(
    "timeout",
    "The module timed out; the change may still be in progress. The message shows the last state.",
    "maybe",
    "Rerun to continue waiting, with a higher ``wait_timeout`` if needed.",
    "aws",
)

# A rollout of a service
DEPLOYMENT_FAILED = _code(
    "deployment_failed",
    "The deployment failed and was not rolled back.",
    "yes",
    "Correct what ``failure.causes`` names, then rerun.",
    "rollout",
)
DEPLOYMENT_STOPPED = _code(
    "deployment_stopped",
    "Someone stopped the deployment.",
    "yes",
    "Find out who stopped it and why, then rerun.",
    "rollout",
)
HEALTH_CHECK_FAILING = _code(
    "health_check_failing",
    "No new task passes its health checks, so the deployment cannot succeed.",
    "yes",
    "Correct what ``failure.causes`` names, then rerun.",
    "rollout",
)
ROLLBACK_FAILED = _code(
    "rollback_failed",
    "The deployment failed, and so did its rollback.",
    "see services",
    "Correct what the message names, then rerun, or roll back with ``playbooks/rollback.yml``.",
    "rollout",
)
ROLLED_BACK = _code(
    "rolled_back",
    "ECS rolled the service back to the previous deployment.",
    "yes",
    "Correct what ``failure.causes`` names, then rerun.",
    "rollout",
)
SERVICE_DELETED = _code(
    "service_deleted",
    "The service was deleted during its rollout.",
    "yes",
    "Find out who deleted it, then rerun to create it.",
    "rollout",
)
SUPERSEDED = _code(
    "superseded",
    "A later deployment of the same service replaced this one.",
    "yes",
    "Find out who started it. Rerun to deploy again.",
    "rollout",
)
TASKS_FAILING = _code(
    "tasks_failing",
    "No task keeps running, and ECS continues to start new ones.",
    "yes",
    "Correct what ``failure.causes`` names, then rerun.",
    "rollout",
)

# Some modules
ARCHIVE_IN_CONTEXT = _code(
    "archive_in_context",
    "The archive would be inside the build context that it is created from.",
    "no",
    "Choose a path outside the context.",
)
ARCHIVE_NOT_WRITTEN = _code(
    "archive_not_written",
    "The archive cannot be written.",
    "no",
    "Check the directory, its permissions and the free space.",
)
BASE_IMAGE_MISSING = _code(
    "base_image_missing",
    "No variable in the files names a base image with a tag, or a file cannot be read.",
    "no",
    "Set ``container_image_base_image`` in the inventory, without a template.",
)
CAPACITY_PROVIDER_FAILED = _code(
    "capacity_provider_failed",
    "AWS failed to create, update or delete the capacity provider.",
    "yes",
    "Correct what the message names, then rerun.",
)
CHECKPOINTS_LEFT = _code(
    "checkpoints_left",
    "The release is complete, but its checkpoints could not be removed.",
    "yes",
    "Allow the call that the message names, then rerun to remove them.",
)
CLUSTER_FAILED = _code(
    "cluster_failed",
    "AWS failed to create the cluster or to update its capacity providers.",
    "yes",
    "Correct what the message names, then rerun.",
)
CODE_DEPLOY = _code(
    "code_deploy",
    "AWS CodeDeploy deploys the service.",
    "no",
    "Move the service to ECS deployments, as the message says.",
)
CONTAINER_STOPPED = _code(
    "container_stopped",
    "The container or its task is not running.",
    "maybe",
    "Read its log and the reason in the message, then choose a running container.",
)
CONTEXT_CHANGED = _code(
    "context_changed",
    "A file in the build context changed while it was read.",
    "no",
    "Rerun while no program writes to the context.",
)
CONTEXT_MISSING = _code(
    "context_missing",
    "The build context does not exist.",
    "no",
    "Correct the path.",
)
CONTEXT_NOT_DIRECTORY = _code(
    "context_not_directory",
    "The build context is not a directory.",
    "no",
    "Name the directory that contains the file.",
)
DOCKERFILE_MISSING = _code(
    "dockerfile_missing",
    "The Dockerfile does not exist.",
    "no",
    "Correct the path of the Dockerfile.",
)
IGNORE_FILE_INVALID = _code(
    "ignore_file_invalid",
    "A line of ``.dockerignore`` is invalid; Docker also rejects it.",
    "no",
    "Correct the line that the message quotes.",
)
IMMUTABLE = _code(
    "immutable",
    "AWS cannot change this property of an existing resource.",
    "no",
    "Keep the current value, or delete the resource and rerun to create it again.",
)
INPUTS_INVALID = _code(
    "inputs_invalid",
    "``base_digests`` is neither a dictionary nor a list.",
    "no",
    "Correct ``base_digests``.",
)
INTERRUPTED = _code(
    "interrupted",
    "The run was interrupted. ECS continues the deployments that started; the message gives the state of tasks.",
    "see services",
    "Rerun to resume, or roll back a release with ``playbooks/rollback.yml``.",
)
INVALID_VARIABLE = _code(
    "invalid_variable",
    "A variable, option or member is unknown or missing, or its value is not valid.",
    "no",
    "Correct what the message names.",
)
LAST_TAG = _code(
    "last_tag",
    "Without this tag, ECR would delete the image.",
    "no",
    "Set ``force``, or give the image another tag first.",
)
LOCK_LOST = _code(
    "lock_lost",
    "Another release of the project took over the lock, so this one stopped before it changed the next service.",
    "see services",
    "Wait until the other release has ended (see ``playbooks/history.yml``) before you rerun or roll back.",
)
MULTIPLE_ERRORS = _code(
    "multiple_errors",
    "Several services failed with different codes. The message lists all errors.",
    "see services",
    "``services`` contains the code of each service in the rollout. Correct what the message names, then rerun.",
)
NOT_ADOPTED = _code(
    "not_adopted",
    "The resource exists and belongs to no project yet: it has no tag ``slipway:project``.",
    "no",
    "Run ``playbooks/adopt.yml``, which adds the tag, then rerun. Check mode compares without it.",
)
NOT_EMPTY = _code(
    "not_empty",
    "The repository contains images.",
    "no",
    "Set ``force`` to delete them as well.",
)
NOT_PROMOTABLE = _code(
    "not_promotable",
    "An image of the other stage cannot be released here: its service is not stable or lacks the container, its"
    " digest is unknown, or its registry is not reachable.",
    "no",
    "Correct each line of the message, then rerun.",
)
NOT_ISSUED = _code(
    "not_issued",
    "AWS did not issue the certificate.",
    "yes",
    "Correct what the message names, then request a new certificate.",
)
EXEC_AGENT_STOPPED = _code(
    "exec_agent_stopped",
    "The ECS Exec agent is not running in the container.",
    "no",
    "Correct the task role, the network or the container as the message says, then start a new task.",
)
EXEC_NOT_ENABLED = _code(
    "exec_not_enabled",
    "The task was started without ECS Exec.",
    "no",
    "Set ``enable_execute_command`` in the service's ``options``, run the tags ``cluster`` and ``service``, and let ECS"
    " start new tasks.",
)
FILE_EXISTS = _code(
    "file_exists",
    "A file to write already exists with other content, or cannot be read.",
    "no",
    "Choose another directory, or set ``force`` to overwrite the files that the message names.",
)
FILE_NOT_WRITTEN = _code(
    "file_not_written",
    "A file cannot be written.",
    "maybe",
    "Check the directory, its permissions and the free space, then rerun.",
)
HISTORY_UNREADABLE = _code(
    "history_unreadable",
    "A record of the history cannot be read, so the revisions and images that this release needs are unknown.",
    "no",
    "Use the version of the collection that wrote the record, or keep fewer releases.",
)
NO_ANSWER = _code(
    "no_answer",
    "Nobody answered in time whether to continue a paused deployment, or there is no terminal.",
    "no",
    "Rerun in a terminal, or set the answer in a variable.",
)
CHECKS_FAILED = _code(
    "checks_failed",
    "Something that variables or services refer to does not exist or does not fit, or exceeds a limit.",
    "no",
    "Follow each line of the message, then rerun.",
)
NO_RECORD = _code(
    "no_record",
    "No run of ``site.yml`` has recorded its resources, so there is nothing to compare with.",
    "no",
    "Run ``site.yml``. If you ran it before, check ``slipway_project``, ``slipway_region`` and the credentials.",
)
PARSER_MISSING = _code(
    "parser_missing",
    "A program or library that the conversion requires to read the source is not installed.",
    "no",
    "Install what the message names.",
)
REGISTRY_UNREADABLE = _code(
    "registry_unreadable",
    "An image registry cannot be reached, or did not return the digest of a tag.",
    "no",
    "Check the name of the image, the network and the proxy, then rerun. Registries that require a password are not"
    " supported.",
)
RELEASE_IN_PROGRESS = _code(
    "release_in_progress",
    "Another release of the same services is in progress.",
    "see services",
    "Wait until it ends, or resume it, roll it back or replace it, as the message says.",
)
ROLLBACK_IMPOSSIBLE = _code(
    "rollback_impossible",
    "A revision or an image that the services ran at that release no longer exists.",
    "no",
    "Roll back to another release, or release the old version again from its source.",
)
SOURCE_INVALID = _code(
    "source_invalid",
    "The source of a conversion cannot be read, or is invalid.",
    "no",
    "Correct the file that the message names.",
)
TAG_IMMUTABLE = _code(
    "tag_immutable",
    "The tags of the repository are immutable.",
    "no",
    "Use a new tag, or change ``image_tag_mutability``.",
)
TASK_FAILED = _code(
    "task_failed",
    "The task did not start, or its command did not exit with 0.",
    "maybe",
    "Read the end of the log in the message.",
)
UNREADABLE = _code(
    "unreadable",
    "A file in the build context cannot be read.",
    "no",
    "Correct its permissions, or exclude it in ``.dockerignore``.",
)
UNSUPPORTED = _code(
    "unsupported",
    "The endpoint does not support Application Auto Scaling.",
    "maybe",
    "Leave out ``scaling``.",
)
VERIFICATION_FAILED = _code(
    "verification_failed",
    "The services became stable, but a page or port did not answer as expected.",
    "see services",
    "Compare the expected and the actual answer in the message, read the log of the service, then rerun.",
)

# Roles and playbooks
ADDRESS_UNKNOWN = _code(
    "address_unknown",
    "The public address of this machine is unknown, because the website that reports it did not answer.",
    "no",
    "Set the addresses in the variable that the message names.",
)
BUILD_FAILED = _code(
    "build_failed",
    "The image could not be built, so it was not pushed.",
    "no",
    "Read the end of the output in the message, correct the Dockerfile or its context, then rerun.",
)
DELETION_PROTECTED = _code(
    "deletion_protected",
    "The load balancer has deletion protection.",
    "no",
    "Turn it off as the message says, then rerun.",
)
HOST_UNREACHABLE = _code(
    "host_unreachable",
    "The Docker host cannot be reached or verified: its SSH server, host key or SSM Agent is missing.",
    "yes",
    "Correct what the message names, then rerun.",
)
HOST_UNSUPPORTED = _code(
    "host_unsupported",
    "The machine's distribution or user is not supported.",
    "no",
    "Use a machine that meets the requirements in the message.",
)
IMAGE_TEST_FAILED = _code(
    "image_test_failed",
    "The image was built, but failed its test, so it was not pushed.",
    "no",
    "Read the last lines of the container in the message.",
)
KEY_MISSING = _code(
    "key_missing",
    "A key exists in AWS, but the file with its secret part is missing or does not match. AWS shows a key only once.",
    "maybe",
    "Copy the file from the machine that created it, or delete what the message names, then rerun.",
)
CLOUD_NOT_STARTED = _code(
    "cloud_not_started",
    "The local cloud did not start.",
    "maybe",
    "Correct what the message names, then rerun.",
)
NOT_CONFIRMED = _code(
    "not_confirmed",
    "The confirmation was not the name of the project.",
    "no",
    "Type the name of the project, or set it in the variable that the message names.",
)
NOT_OWNED = _code(
    "not_owned",
    "A resource with this name exists but does not belong to the project: it does not have the project's tag"
    " ``slipway:project``.",
    "no",
    "Choose another name, or add the tag if the resource is this project's.",
)
RESOURCES_LEFT = _code(
    "resources_left",
    "Resources with the project's tag still exist after the teardown.",
    "yes",
    "Rerun with the variables that created them, or delete them by hand.",
)
RUNS_AS_ROOT = _code(
    "runs_as_root",
    "The image runs as root, which a variable forbids, so it was not pushed.",
    "no",
    "Add ``USER`` to its Dockerfile, or allow root as the message says.",
)
WRONG_ACCOUNT = _code(
    "wrong_account",
    "The credentials do not belong to the account in ``slipway_account``.",
    "no",
    "Use the credentials of this stage, or the inventory of the other one.",
)

# Causes of a failed rollout
BALANCER_EGRESS_CLOSED = _cause(
    "balancer_egress_closed",
    "The load balancer's security group allows no traffic to the tasks.",
    "Add an outbound rule for the tasks' port to it.",
)
BALANCER_NOT_PUBLIC = _cause(
    "balancer_not_public",
    "The load balancer is internet-facing, but its subnets are private.",
    "Use subnets whose route table sends 0.0.0.0/0 to an internet gateway.",
)
COMMAND_MISSING = _cause(
    "command_missing",
    "The program does not exist in the image.",
    "Correct command or entryPoint in the task definition.",
)
CONTAINER_EXITED = _cause(
    "container_exited",
    "The program exited by itself.",
    "Read its log, then correct it, its command or its environment.",
)
CONTAINER_HEALTH_CHECK = _cause(
    "container_health_check",
    "The task definition's health check fails.",
    "Run its command in the image, and make startPeriod long enough.",
)
EGRESS_CLOSED = _cause(
    "egress_closed",
    "The tasks' security group allows no outbound traffic.",
    "Add an outbound rule for TCP port 443 to it.",
)
ENDPOINT_CLOSED = _cause(
    "endpoint_closed",
    "The security group of a VPC endpoint does not allow traffic from the tasks.",
    "Add an inbound rule for TCP port 443 from the tasks' security group to it.",
)
ENDPOINT_MISSING = _cause(
    "endpoint_missing",
    "The tasks have no way out of their VPC, and a VPC endpoint is missing.",
    "Create the VPC endpoint, or associate it with the route table of the tasks' subnets.",
)
HEALTH_CHECK_DENIED = _cause(
    "health_check_denied",
    "The health check's path requires a login.",
    "Check a path that does not, or exempt this one.",
)
HEALTH_CHECK_ERROR = _cause(
    "health_check_error",
    "The program runs, but returns an error at the health check's path.",
    "Read its log.",
)
HEALTH_CHECK_HOST = _cause(
    "health_check_host",
    "The program rejects the request, often for its Host header: health checks send the target's address.",
    "Allow that address, for example in Django's ALLOWED_HOSTS.",
)
HEALTH_CHECK_PATH = _cause(
    "health_check_path",
    "The program does not know the health check's path.",
    "Correct health_check_path of the target group, or make the program answer at this path.",
)
HEALTH_CHECK_REDIRECTED = _cause(
    "health_check_redirected",
    "The health check's path redirects, for example to HTTPS or a login.",
    "Check a path that does not redirect, or expect that code (matcher).",
)
HEALTH_CHECK_REFUSED = _cause(
    "health_check_refused",
    "Nothing accepts the health check's connection.",
    "Make the program listen on 0.0.0.0 and on the target's port; if it starts slowly, set"
    " health_check_grace_period_seconds.",
)
HEALTH_CHECK_TIMEOUT = _cause(
    "health_check_timeout",
    "The health check times out.",
    "Allow the load balancer on this port in the tasks' security group, or make the path answer faster.",
)
IMAGE_MISSING = _cause(
    "image_missing",
    "The image does not exist.",
    "Push it, or correct its name, tag or digest in the task definition.",
)
INGRESS_CLOSED = _cause(
    "ingress_closed",
    "The tasks' security group does not allow traffic from the load balancer.",
    "Add an inbound rule for that port from the load balancer's security group to it.",
)
LISTENER_CLOSED = _cause(
    "listener_closed",
    "The load balancer's security group allows no inbound traffic on the port of its listener.",
    "Add an inbound rule for that port to it.",
)
LISTENS_ELSEWHERE = _cause(
    "listens_elsewhere",
    "The program listens on another port.",
    "Let it listen on the target group's port, or use its port in portMappings, containerPort of load_balancers and"
    " the target group.",
)
LISTENS_ON_LOOPBACK = _cause(
    "listens_on_loopback",
    "The program listens on 127.0.0.1, which only the container itself reaches.",
    "Let it listen on 0.0.0.0.",
)
LOAD_BALANCER_HEALTH_CHECK = _cause(
    "load_balancer_health_check",
    "The container runs but does not pass the target group's health check.",
    "See the targets above, then check the path and expected code, the port, the security groups, and"
    " health_check_grace_period_seconds.",
)
LOGS_UNREACHABLE = _cause(
    "logs_unreachable",
    "The task cannot connect to CloudWatch Logs.",
    "Give its subnet a NAT gateway, the VPC endpoint logs or a public address, and let its security group out on port"
    " 443.",
)
LOG_GROUP_MISSING = _cause(
    "log_group_missing",
    "The log group does not exist, or the task may not write to it.",
    "Create it, or allow the execution role logs:CreateLogStream and logs:PutLogEvents on it.",
)
NO_ADDRESSES = _cause(
    "no_addresses",
    "The subnets have no free addresses.",
    "Use larger or more subnets.",
)
NO_CAPACITY = _cause(
    "no_capacity",
    "No capacity is available for the task.",
    "Add capacity, request less cpu or memory, or use other zones or providers.",
)
NO_PUBLIC_ADDRESS = _cause(
    "no_public_address",
    "The tasks are in a public subnet without a public address.",
    "Set assignPublicIp to ENABLED, or use private subnets with a NAT gateway.",
)
NO_ROUTE = _cause(
    "no_route",
    "The subnets of the tasks have no way out of their VPC.",
    "Add a default route to a NAT gateway, or create the VPC endpoints ecr.api, ecr.dkr, logs and s3, and those of what"
    " the tasks use.",
)
OUT_OF_MEMORY = _cause(
    "out_of_memory",
    "The container ran out of memory.",
    "Raise memory in the task definition, or make the program use less.",
)
PORT_IN_USE = _cause(
    "port_in_use",
    "Two processes use the same port.",
    "Correct portMappings or the port that the program listens on.",
)
PORT_MISMATCH = _cause(
    "port_mismatch",
    "A load balancer uses a port that its container does not map.",
    "Set containerPort in load_balancers to a port in the container's portMappings.",
)
REGISTRY_DENIED = _cause(
    "registry_denied",
    "The registry denies the pull.",
    "Allow the task's execution role to pull (AmazonECSTaskExecutionRolePolicy) and check the repository's policy.",
)
REGISTRY_LIMIT = _cause(
    "registry_limit",
    "The registry limits anonymous pulls.",
    "Copy the image to ECR, or use a pull-through cache.",
)
REGISTRY_UNREACHABLE = _cause(
    "registry_unreachable",
    "The task cannot connect to the registry.",
    "Give its subnet a NAT gateway, VPC endpoints (ecr.api, ecr.dkr, s3, logs) or a public address, and let its"
    " security group out on port 443.",
)
ROOT_READ_ONLY = _cause(
    "root_read_only",
    "The program writes to the root file system of its container, which is read-only.",
    "Mount a volume of the task at that path, such as /tmp (volumes, mountPoints), or set readonlyRootFilesystem to"
    " false in the container.",
)
ROLE_REFUSED = _cause(
    "role_refused",
    "ECS cannot assume the task's roles.",
    "Let ecs-tasks.amazonaws.com assume them, and check that they exist.",
)
ROUTE_BROKEN = _cause(
    "route_broken",
    "The default route of the tasks' subnets has no working target.",
    "Send 0.0.0.0/0 to a NAT gateway that is available and in a public subnet, or create VPC endpoints.",
)
SECRETS_UNREACHABLE = _cause(
    "secrets_unreachable",
    "The task cannot connect to Secrets Manager or to the parameter store.",
    "Give its subnet a NAT gateway, the VPC endpoints secretsmanager and ssm or a public address, and let its security"
    " group out on port 443.",
)
SECRET_DENIED = _cause(
    "secret_denied",
    "The task may not read the secret or parameter.",
    "Allow its execution role secretsmanager:GetSecretValue or ssm:GetParameters (and kms:Decrypt) on it.",
)
SECRET_KEY_MISSING = _cause(
    "secret_key_missing",
    "The secret's JSON does not have the key.",
    "Add the key, or correct it in valueFrom.",
)
SECRET_MISSING = _cause(
    "secret_missing",
    "The secret or parameter does not exist.",
    "Create it in this region and account, or correct valueFrom in the task definition.",
)
SPOT_INTERRUPTED = _cause(
    "spot_interrupted",
    "AWS reclaimed Spot capacity.",
    "Run a minimum number of tasks (base) on FARGATE or On-Demand instances.",
)
TARGET_UNHEALTHY = _cause(
    "target_unhealthy",
    "The target does not pass its health check.",
    "Check the path and expected code, the port that the program listens on (0.0.0.0, not 127.0.0.1), and that the"
    " security group lets the load balancer in.",
)
USER_MISSING = _cause(
    "user_missing",
    "The user of the container does not exist in the image.",
    "Correct user in the container, or in ecs_app_container_defaults; a number needs no entry in the image.",
)
VOLUME_FAILED = _cause(
    "volume_failed",
    "A file system or volume could not be mounted.",
    "Check that it exists, that its security group lets the task in, and the volume's role.",
)
WRONG_PLATFORM = _cause(
    "wrong_platform",
    "The image is not built for the task's platform.",
    "Build it for that platform, or set runtimePlatform.cpuArchitecture to the image's.",
)
