# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service in Compose can have and a task on Fargate cannot: why, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_HOST = "Fargate tasks have no access to their host."
_NETWORK = "A Fargate task has its own network interface in the VPC."
_KERNEL = "Fargate does not support it."
_ONE_MACHINE = "It only applies to containers that share a machine."
_DEVELOPMENT = "It is only for development on one machine."
_EC2 = "If the application needs it, run the service on EC2 instances: ecs_cluster_hosting: ec2."
_NONE = "Nothing is needed."
UNKNOWN = ("The converter does not know this key.", "Check whether the application needs it.")

PID_OF_HOST = (_HOST, "For the processes of another container of the same task, use pid: service:<name>.")

# By key of a service.
KEYS: Mapping[str, tuple[str, str]] = {
    "annotations": ("ECS has no annotations.", "Use labels."),
    "attach": (_DEVELOPMENT, _NONE),
    "blkio_config": (_KERNEL, _NONE),
    "cgroup": (_HOST, _NONE),
    "cgroup_parent": (_HOST, _NONE),
    "cpu_count": (_KERNEL, "Set cpu of the task definition."),
    "cpu_percent": (_KERNEL, "Set cpu of the task definition."),
    "cpu_period": (_KERNEL, "Set cpu of the task definition."),
    "cpu_quota": (_KERNEL, "Set cpu of the task definition."),
    "cpu_rt_period": (_KERNEL, _NONE),
    "cpu_rt_runtime": (_KERNEL, _NONE),
    "cpu_shares": (_KERNEL, "Set cpu of the container if the task has several."),
    "cpuset": (_KERNEL, "Set cpu of the task definition."),
    "credential_spec": (
        "On Fargate, AWS provides it, for Windows only.",
        "See credentialSpecs in AWS's documentation.",
    ),
    "develop": (_DEVELOPMENT, _NONE),
    "device_cgroup_rules": (_HOST, _EC2),
    "devices": (_HOST, _EC2),
    "dns": (_NETWORK, "The VPC's resolver resolves names. For other DNS servers, use Route 53 Resolver rules."),
    "dns_opt": (_NETWORK, _NONE),
    "dns_search": (_NETWORK, "Use fully qualified names."),
    "domainname": (_NETWORK, _NONE),
    "external_links": (_ONE_MACHINE, "Use the name of the other service in its own project."),
    "extra_hosts": (_NETWORK, "Create a record in a private hosted zone of Route 53."),
    "gpus": ("Fargate has no GPUs.", _EC2),
    "group_add": ("ECS does not offer it.", "Create the group in the image, or set user with a group: 1000:1000."),
    "ipc": (_HOST, _EC2),
    "isolation": ("It is for Windows.", _NONE),
    "label_file": ("It is no longer used after conversion.", _NONE),
    "mac_address": (_NETWORK, _NONE),
    "mem_swappiness": (_KERNEL, _NONE),
    "memswap_limit": ("Fargate has no swap.", "Give the task enough memory."),
    "models": ("ECS does not run models.", "Use Amazon Bedrock, or a service of your own."),
    "oom_kill_disable": (_KERNEL, _NONE),
    "oom_score_adj": (_KERNEL, _NONE),
    "pids_limit": (_KERNEL, _NONE),
    "post_start": ("ECS has no hooks.", "Run it in the image's entry point, or as one of post_deploy_tasks."),
    "pre_stop": ("ECS has no hooks.", "Handle SIGTERM in the application."),
    "privileged": (_HOST, _EC2),
    "provider": ("It is not a container.", "Create the resources of the provider with Ansible."),
    "pull_policy": ("Each Fargate task pulls its image.", _NONE),
    "pull_refresh_after": ("Each Fargate task pulls its image.", _NONE),
    "runtime": (_HOST, _EC2),
    "security_opt": ("Fargate does not offer it.", "Fargate tasks do not share a kernel with others."),
    "shm_size": (
        "Fargate gives each container 64 MB of /dev/shm.",
        "Make the application use another directory, or run it on EC2 instances: ecs_cluster_hosting: ec2.",
    ),
    "stop_signal": ("A task definition does not support it.", "Set STOPSIGNAL in the image."),
    "storage_opt": (_HOST, "For more than 20 GiB, set ephemeralStorage of the task definition."),
    "use_api_socket": ("Fargate tasks have no Docker Engine.", "Start tasks with the ECS API instead."),
    "userns_mode": (_HOST, _NONE),
    "uts": (_HOST, _NONE),
    "volumes_from": (
        "Tasks cannot share volumes, and containers in a task only share volumes that both mount.",
        "Add the volume to both services, and keep it on EFS.",
    ),
}
# By key of `build`.
BUILD_KEYS: Mapping[str, tuple[str, str]] = {
    "additional_contexts": ("The role container_image sends one directory.", "Move the files below the context."),
    "cache_from": ("The Docker host that builds the images keeps its own cache.", _NONE),
    "cache_to": ("The Docker host that builds the images keeps its own cache.", _NONE),
    "dockerfile_inline": ("The role container_image builds from files.", "Write a Dockerfile."),
    "entitlements": ("The role container_image does not support it.", "Change the Dockerfile."),
    "extra_hosts": ("The role container_image does not support it.", "Use names that the Docker host resolves."),
    "isolation": ("It is for Windows.", _NONE),
    "labels": ("The role container_image sets no labels.", "Write LABEL into the Dockerfile."),
    "network": ("The role container_image builds in the default network.", _NONE),
    "no_cache": ("The role container_image rebuilds an image when its content changes.", _NONE),
    "no_cache_filter": ("The role container_image rebuilds an image when its content changes.", _NONE),
    "platforms": (
        "The Docker host builds for its own architecture.",
        "Set docker_instance_architecture and ecs_cluster_architecture to the same architecture.",
    ),
    "privileged": ("The role container_image does not support it.", "Change the Dockerfile."),
    "provenance": ("The role container_image does not create attestations.", _NONE),
    "pull": ("The base image is pulled in each run.", _NONE),
    "sbom": ("The role container_image does not create attestations.", _NONE),
    "secrets": (
        "The role container_image does not pass secrets to builds.",
        "Fetch files that require a secret before the build.",
    ),
    "shm_size": ("The role container_image does not support it.", "Change the Dockerfile."),
    "ssh": ("The role container_image does not pass SSH keys to builds.", "Fetch private sources before the build."),
    "ulimits": ("The role container_image does not support it.", "Change the Dockerfile."),
}
# By key of `deploy`.
DEPLOY_KEYS: Mapping[str, tuple[str, str]] = {
    "endpoint_mode": ("ECS has no virtual addresses for services.", _NONE),
    "labels": ("It is for Docker Swarm.", "Set tags in options of the service."),
    "placement": ("Fargate places tasks in all subnets of the service.", _NONE),
    "rollback_config": ("ECS rolls back in the same way as it rolls out.", _NONE),
}
