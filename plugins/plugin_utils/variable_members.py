# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The members of values that the roles' argument specs do not describe, by their place in the specs.

In a place, `[]` is any element of a list, and `.*` any value of a dictionary whose keys are the user's own.
"""

from __future__ import annotations

from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_secrets import MEMBERS as SECRET

# Values in AWS's spelling, and the shape of each.
SHAPES = {
    "ecs_app_services[].task_definition": ("ecs", "RegisterTaskDefinitionRequest"),
    "ecs_app_services[].load_balancers[]": ("ecs", "LoadBalancer"),
    "ecs_app_services[].pre_deploy_tasks[].overrides": ("ecs", "TaskOverride"),
    "ecs_app_services[].post_deploy_tasks[].overrides": ("ecs", "TaskOverride"),
    "ecs_app_schedules[].overrides": ("ecs", "TaskOverride"),
    "ecs_app_schedules[].capacity_provider_strategy[]": ("ecs", "CapacityProviderStrategyItem"),
    "ecs_app_schedules[].network_configuration": ("ecs", "NetworkConfiguration"),
    "container_image_images[].repository.encryption": ("ecr", "EncryptionConfiguration"),
    "ecr_registry_repositories[].encryption": ("ecr", "EncryptionConfiguration"),
}
SERVICE_OPTIONS = "ecs_app_services[].options"
# A task definition may be copied from an answer of AWS: members that only AWS writes are ignored.
ANSWERS = {"ecs_app_services[].task_definition": ("ecs", "TaskDefinition")}

_STATEMENT = (
    *("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"),
    *("Principal", "NotPrincipal"),
)
_POLICY = {"": ("Version", "Id", "Statement"), ".Statement": _STATEMENT, ".Statement[]": _STATEMENT}
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
_LIFECYCLE = {
    "": ("rules",),
    ".rules[]": ("rulePriority", "description", "selection", "action"),
    ".rules[].selection": (
        *("tagStatus", "tagPatternList", "tagPrefixList", "storageClass"),
        *("countType", "countUnit", "countNumber"),
    ),
    ".rules[].action": ("type", "targetStorageClass"),
}
_STATEMENTS = tuple(f"ecs_cluster_{role}_statements" for role in ("execution", "instance", "schedule", "task"))
_REPOSITORIES = ("container_image_images[].repository", "ecr_registry_repositories[]")

# Values that botocore has no shapes for, and their members.
KEYS = {
    **{f"{name}[]": _STATEMENT for name in _STATEMENTS},
    **{f"{place}.policy{below}": members for place in _REPOSITORIES for below, members in _POLICY.items()},
    **{f"{place}.lifecycle_policy{below}": members for place in _REPOSITORIES for below, members in _LIFECYCLE.items()},
    "ecs_app_secrets.*": SECRET,
    "ecs_cluster_secrets.*": SECRET,
    # botocore's Config, as far as it concerns all services: what it does not have, it refuses in each module.
    "slipway_aws_config": (
        *("connect_timeout", "read_timeout", "retries", "max_pool_connections", "parameter_validation"),
        *("proxies", "proxies_config", "client_cert", "tcp_keepalive", "user_agent", "user_agent_extra"),
        *("user_agent_appid", "use_dualstack_endpoint", "use_fips_endpoint", "defaults_mode", "signature_version"),
        *("endpoint_discovery_enabled", "ignore_configured_endpoint_urls", "inject_host_prefix", "region_name"),
        *("auth_scheme_preference", "account_id_endpoint_mode", "sigv4a_signing_region_set", "s3"),
        *("request_min_compression_size_bytes", "disable_request_compression", "client_context_params"),
        *("request_checksum_calculation", "response_checksum_validation", "s3_disable_express_session_auth"),
    ),
    "slipway_aws_config.retries": ("total_max_attempts", "max_attempts", "mode"),
}
