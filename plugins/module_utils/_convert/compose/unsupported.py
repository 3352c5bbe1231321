# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a service in Compose can have and a task on Fargate cannot: why, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_HOST = "Tasks on Fargate have no access to their host."
_NETWORK = "A task on Fargate has one network interface of its own, in the VPC."
_KERNEL = "Fargate does not let a task set it."
_ONE_MACHINE = "It is for containers that share a machine."
_DEVELOPMENT = "It is for development on one machine."
_EC2 = "If the application needs it, run the service on instances of your own: ecs_cluster_hosting: ec2."
_NONE = "Nothing is needed."
UNKNOWN = ("The conversion does not know this key.", "Check what it is for.")

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
    "credential_spec": ("Fargate takes it from AWS, for Windows.", "See credentialSpecs in AWS's documentation."),
    "develop": (_DEVELOPMENT, _NONE),
    "device_cgroup_rules": (_HOST, _EC2),
    "devices": (_HOST, _EC2),
    "dns": (_NETWORK, "Names are resolved by the VPC's resolver. Use rules of Route 53 Resolver for others."),
    "dns_opt": (_NETWORK, _NONE),
    "dns_search": (_NETWORK, "Use complete names."),
    "domainname": (_NETWORK, _NONE),
    "external_links": (_ONE_MACHINE, "Use the name that the other service has in its project."),
    "extra_hosts": (_NETWORK, "Create a record in a private hosted zone of Route 53."),
    "gpus": ("Fargate has no GPUs.", _EC2),
    "group_add": ("ECS does not offer it.", "Create the group in the image, or set user with a group: 1000:1000."),
    "ipc": (_HOST, _EC2),
    "isolation": ("It is for Windows.", _NONE),
    "label_file": ("It is no longer used after conversion.", _NONE),
    "mac_address": (_NETWORK, _NONE),
    "mem_swappiness": (_KERNEL, _NONE),
    "memswap_limit": ("Fargate has no swap.", "Give the task enough memory."),
    "models": ("ECS runs no models.", "Use Amazon Bedrock, or a service of your own."),
    "oom_kill_disable": (_KERNEL, _NONE),
    "oom_score_adj": (_KERNEL, _NONE),
    "pids_limit": (_KERNEL, _NONE),
    "post_start": ("ECS has no hooks.", "Run it in the image's entry point, or as one of post_deploy_tasks."),
    "pre_stop": ("ECS has no hooks.", "Handle SIGTERM in the application."),
    "privileged": (_HOST, _EC2),
    "provider": ("It is no container.", "Create with Ansible what the provider would."),
    "pull_policy": ("Each task on Fargate pulls its image.", _NONE),
    "pull_refresh_after": ("Each task on Fargate pulls its image.", _NONE),
    "runtime": (_HOST, _EC2),
    "security_opt": ("Fargate does not offer it.", "Tasks on Fargate share no kernel with others."),
    "shm_size": (
        "Fargate gives each container 64 MB of /dev/shm.",
        "Let the application use another directory, or run it on instances: ecs_cluster_hosting: ec2.",
    ),
    "stop_signal": ("A task definition has none.", "Set STOPSIGNAL in the image."),
    "storage_opt": (_HOST, "Set ephemeralStorage of the task definition for more than 20 GiB."),
    "use_api_socket": ("Tasks on Fargate have no Docker Engine.", "Start tasks with the API of ECS instead."),
    "userns_mode": (_HOST, _NONE),
    "uts": (_HOST, _NONE),
    "volumes_from": (
        "Tasks share no volumes, and containers of a task only those that both mount.",
        "Name the volume at both services, and keep it on EFS.",
    ),
}
# By key of `build`.
BUILD_KEYS: Mapping[str, tuple[str, str]] = {
    "additional_contexts": ("The role container_image sends one directory.", "Move the files below the context."),
    "cache_from": ("Images are built on one host, which keeps its cache.", _NONE),
    "cache_to": ("Images are built on one host, which keeps its cache.", _NONE),
    "dockerfile_inline": ("The role container_image builds from files.", "Write it into a Dockerfile."),
    "entitlements": ("The role container_image does not offer it.", "Change the Dockerfile."),
    "extra_hosts": ("The role container_image does not offer it.", "Use names that the Docker host resolves."),
    "isolation": ("It is for Windows.", _NONE),
    "labels": ("The role container_image sets none.", "Write LABEL into the Dockerfile."),
    "network": ("The role container_image builds in the default network.", _NONE),
    "no_cache": ("An image is built when its content changes.", _NONE),
    "no_cache_filter": ("An image is built when its content changes.", _NONE),
    "platforms": (
        "The Docker host builds for its own architecture.",
        "Choose it with docker_instance_architecture, and set ecs_cluster_architecture likewise.",
    ),
    "privileged": ("The role container_image does not offer it.", "Change the Dockerfile."),
    "provenance": ("The role container_image does not make attestations.", _NONE),
    "pull": ("The base image is pulled in each run.", _NONE),
    "sbom": ("The role container_image does not make attestations.", _NONE),
    "secrets": ("The role container_image passes no secrets.", "Fetch what needs a secret before the build."),
    "shm_size": ("The role container_image does not offer it.", "Change the Dockerfile."),
    "ssh": ("The role container_image passes no keys.", "Fetch private sources before the build."),
    "ulimits": ("The role container_image does not offer it.", "Change the Dockerfile."),
}
# By key of `deploy`.
DEPLOY_KEYS: Mapping[str, tuple[str, str]] = {
    "endpoint_mode": ("ECS has no virtual addresses for services.", _NONE),
    "labels": ("It is for Docker Swarm.", "Set tags in options of the service."),
    "placement": ("Fargate chooses the hosts, in all subnets of the service.", _NONE),
    "rollback_config": ("ECS rolls back as it rolls out.", _NONE),
}
