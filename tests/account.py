"""Prints the resources of an account as JSON, from the APIs that the site uses: `tests/account.py`.

It calls every read operation that needs no arguments: two equal outputs show that nothing changed in between. The
environment selects the account (AWS_ENDPOINT_URL, AWS_PROFILE, AWS_DEFAULT_REGION).
"""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

SERVICES = (
    "acm",
    "application-autoscaling",
    "autoscaling",
    "ec2",
    "ecr",
    "ecs",
    "elbv2",
    "iam",
    "logs",
    "route53",
    "s3",
    "scheduler",
    "secretsmanager",
    "ssm",
)
READ = re.compile("Describe|List|GetAccount")
# Not resources of the account, but offers and forecasts of AWS, some of which change all the time.
OFFERS = re.compile("Spot|Offering|Purchase|Reserved|InstanceTypes|AvailablePatches|InventoryDeletions")


def answer(client: Any, operation: str) -> Any:
    try:
        found = getattr(client, xform_name(operation))()
    except (ClientError, BotoCoreError) as error:
        # The emulator does not support the operation.
        return type(error).__name__
    return {key: value for key, value in found.items() if key != "ResponseMetadata"}


def account() -> dict[str, Any]:
    answers = {}
    for service in SERVICES:
        client = boto3.client(service, config=Config(retries={"max_attempts": 1}))
        model = client.meta.service_model
        for operation in model.operation_names:
            shape = model.operation_model(operation).input_shape
            needed = shape.required_members if shape else []
            if READ.match(operation) and not OFFERS.search(operation) and not needed:
                answers[f"{service}.{operation}"] = answer(client, operation)
    return answers


if __name__ == "__main__":
    print(json.dumps(account(), indent=1, sort_keys=True, default=str))
