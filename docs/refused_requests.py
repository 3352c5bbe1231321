"""Writes docs/refused_requests.md: what the local cloud refuses because AWS refuses it, with sources: `make docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "roles/local_cloud/files"))

from request_checks import MODELS, RULES  # type: ignore[import-not-found]  # noqa: E402
from request_rules import REPORTS, Rule  # type: ignore[import-not-found]  # noqa: E402

PAGE = ROOT / "docs/refused_requests.md"
NAMES = {
    "autoscaling": "Auto Scaling",
    "ec2": "EC2",
    "ecr": "ECR",
    "ecs": "ECS",
    "elbv2": "Elastic Load Balancing",
    "iam": "IAM",
    "logs": "CloudWatch Logs",
    "secretsmanager": "Secrets Manager",
    "ssm": "Parameter store",
}
MORE_MODELS = {
    "acm": "Certificate Manager",
    "application-autoscaling": "Application Auto Scaling",
    "events": "EventBridge",
    "kms": "KMS",
    "resourcegroupstaggingapi": "Resource Groups Tagging",
    "servicediscovery": "Cloud Map",
    "sts": "STS",
}
INTRODUCTION = """\
# Requests that the local cloud refuses

Written by `make docs`. The local cloud, and the emulator of the tests, refuse requests that AWS refuses.

- **Models.** Each request is checked against botocore's model of its API: required members, types, patterns, lengths,
  ranges and enums. botocore's own client checks only required members, types and minimums. So far: {models}.
- **Rules.** {number} rules that AWS documents and the models lack. Each has a test: a request that breaks it is refused
  with AWS's error code, and the same request without the fault is accepted
  (`tests/unit/roles/test_request_checks.py`).

*Wording*: where the public can read AWS's own message. *Public reports*: users quote it in public repositories.
*Not recorded*: no public record was found. Then the message is in our own words, and the error code is the one that AWS
returns for similar requests. {recorded} of the {number} messages are recorded.
"""


def service_of(rule: Rule) -> str:
    return str(rule.operations[0].partition(":")[0])


def wording(rule: Rule) -> str:
    if not rule.wording:
        return "not recorded"
    return "public reports" if rule.wording == REPORTS else f"[record]({rule.wording})"


def row(rule: Rule) -> str:
    operations = ", ".join(f"`{name.partition(':')[2]}`" for name in rule.operations)
    return f"| {rule.refuses} | {operations} | `{rule.error}` | [AWS]({rule.source}) | {wording(rule)} |"


def sections() -> Iterator[str]:
    for service, name in NAMES.items():
        rows = [row(rule) for rule in RULES if service_of(rule) == service]
        yield from ("", f"## {name}: {len(rows)} rules", "")
        yield from ("| What is refused | Operations | Error | Source | Wording |", "|---|---|---|---|---|", *rows)


def page() -> str:
    recorded = sum(1 for rule in RULES if rule.wording)
    models = ", ".join(sorted(((NAMES | MORE_MODELS)[name] for name in MODELS.values()), key=str.lower))
    introduction = INTRODUCTION.format(models=models, number=len(RULES), recorded=recorded)
    return introduction + "\n".join(sections()) + "\n"


def main() -> None:
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
