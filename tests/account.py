"""Prints as JSON what the APIs that the site uses say of an account: `tests/account.py`.

Asks every question that needs no arguments, so that two answers tell whether anything happened in between. Asks where
the environment says (AWS_ENDPOINT_URL, AWS_PROFILE, AWS_DEFAULT_REGION).
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
    "secretsmanager",
    "ssm",
)
QUESTION = re.compile("Describe|List|GetAccount")
# Not what an account has, but what AWS offers or forecasts; some of it differs at each look.
OFFERS = re.compile("Spot|Offering|Purchase|Reserved|InstanceTypes|AvailablePatches|InventoryDeletions")


def answer(client: Any, operation: str) -> Any:
    try:
        told = getattr(client, xform_name(operation))()
    except (ClientError, BotoCoreError) as error:
        # Also an answer: the emulator does not know the question.
        return type(error).__name__
    return {key: value for key, value in told.items() if key != "ResponseMetadata"}


def account() -> dict[str, Any]:
    said = {}
    for service in SERVICES:
        client = boto3.client(service, config=Config(retries={"max_attempts": 1}))
        model = client.meta.service_model
        for operation in model.operation_names:
            shape = model.operation_model(operation).input_shape
            needed = shape.required_members if shape else []
            if QUESTION.match(operation) and not OFFERS.search(operation) and not needed:
                said[f"{service}.{operation}"] = answer(client, operation)
    return said


if __name__ == "__main__":
    print(json.dumps(account(), indent=1, sort_keys=True, default=str))
