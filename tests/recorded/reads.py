# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of AWS that the collection's code reads with: taken from the code."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

from botocore import xform_name

from ansible_collections.slipway.aws.tests.recorded.answers import model

UTILS = Path(__file__).resolve().parents[2] / "plugins/module_utils"
NAME = re.compile(r"(?!get_paginator)(?:batch_get|describe|filter|get|head|list|lookup|simulate)_[a-z0-9_]+")
# The services that a file of calls asks, by its folder; names of operations alone do not say it.
SERVICES = {
    "_acm": ("acm",),
    "_asg": ("autoscaling",),
    "_discovery": ("servicediscovery",),
    "_ec2": ("ec2",),
    "_ecr": ("ecr", "kms"),
    "_ecs": ("ecs", "elbv2", "logs", "application-autoscaling", "servicediscovery"),
    "_elb": ("elbv2",),
    "_secrets": ("ssm", "secretsmanager"),
}
# Files whose calls go to fewer, or to more, than those of their folder.
FILES = {
    "_core/history_api.py": ("ssm",),
    "_ec2/managed_node/api.py": ("ssm",),
    "_ecs/adoption/api.py": ("elbv2",),
    "_ecs/execute_command/api.py": ("ecs",),
    "_ecs/history/api.py": ("ecr", "ssm", "sts"),
    "_ecs/hosts/api.py": ("ecr", "ecs"),
    "_ecs/network/api.py": ("ec2", "elbv2"),
    "_ecs/preflight/api.py": (
        *("acm", "cloudwatch", "ec2", "ecr", "ecs", "efs", "elbv2", "iam", "lambda", "logs", "route53", "s3"),
        *("secretsmanager", "service-quotas", "servicediscovery", "ssm", "sts"),
    ),
    "_ecs/prune/api.py": ("ecr", "ecs"),
    "_ecs/scaling/api.py": ("application-autoscaling", "cloudwatch", "elbv2", "sqs"),
    "_ecs/schedule/api.py": ("scheduler",),
    "_ecs/site/api.py": ("ec2", "ecs", "elbv2", "events"),
    "_project/api.py": ("ec2", "elbv2", "iam", "sts"),
    "_project/drift/api.py": ("cloudtrail",),
    "_project/kinds/data_api.py": ("ecr", "logs", "s3", "secretsmanager", "ssm"),
    "_project/kinds/discovery_api.py": ("servicediscovery",),
    "_project/kinds/ec2_api.py": ("autoscaling", "ec2"),
    "_project/kinds/ecs_api.py": ("application-autoscaling", "cloudwatch", "ecs"),
    "_project/kinds/elb_api.py": ("acm", "elbv2"),
    "_project/kinds/iam_api.py": ("iam",),
    "_project/kinds/scheduler_api.py": ("scheduler",),
    "_project/obsolete/api.py": (
        "ecr",
        "ecs",
        "elbv2",
        "logs",
        "scheduler",
        "secretsmanager",
        "servicediscovery",
        "ssm",
    ),
    "_project/record/api.py": ("ssm",),
}


# Operations of one service that another one has, too, and that no code sends there.
NOT_SENT = {("cloudwatch", "ListTagsForResource"), ("ec2", "DescribeTags"), ("efs", "DescribeTags")}


@functools.cache
def operations(service: str) -> dict[str, str]:
    """Of a service, by the name of the client's method."""
    return {xform_name(name): name for name in model(service).operation_names}


def _names(path: Path) -> set[str]:
    """Methods that a file calls, or names in a text for a function that does."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    called = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    named = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {name for name in called | named if NAME.fullmatch(name)}


def reads() -> set[tuple[str, str]]:
    """Pairs of service and operation."""
    found = set()
    for path in sorted(UTILS.glob("**/*api.py")):
        file = str(path.relative_to(UTILS))
        services = FILES.get(file) or SERVICES.get(file.partition("/")[0], ())
        for name in _names(path):
            asked = [service for service in services if name in operations(service)]
            if not asked:
                raise LookupError(f"{file}: {name} is no operation of {services}. Name its service here.")
            found |= {(service, operations(service)[name]) for service in asked}
    return found - NOT_SENT
