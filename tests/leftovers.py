"""Counts the resources of a project by kind: `tests/leftovers.py <project>`.

Exits with 1 when anything is left. The environment selects the account (AWS_ENDPOINT_URL, AWS_PROFILE,
AWS_DEFAULT_REGION).
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import boto3

# Through the link that `make` creates, the checkout is importable as the collection.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / ".ansible/collections"))

from ansible_collections.slipway.aws.plugins.module_utils._project import api
from ansible_collections.slipway.aws.plugins.module_utils._project import flow as flows


def main() -> int:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = Counter(resource["kind"] for resource in flows.resources(boto3.client, sys.argv[1]))
    for kind in api.KINDS:
        print(f"{kind.name:<20}{found[kind.name]:>4}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
