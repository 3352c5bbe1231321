"""Runs a command once for each statement of a policy document, as a user who has all the others:
`tests/without_each_statement.py <document> <command> …`.

The command runs as the user deployer-without. It has to succeed with the whole document, and to be refused by AWS
without any one statement.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import boto3

REFUSED = ("AccessDenied", "UnauthorizedOperation", "is not authorized to perform")


def verdict(command: list[str], refused: bool) -> str:
    """What is wrong with how the command ended; nothing if all is as it should be."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    said = any(word in output for word in REFUSED)
    right = (done.returncode != 0 and said) if refused else done.returncode == 0
    return "" if right else f"ended with {done.returncode}\n{output[-2000:]}"


def main() -> int:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    document = json.loads(Path(sys.argv[1]).read_text())
    iam = boto3.client("iam")
    problems = 0
    for gone in [None, *document["Statement"]]:
        left = json.dumps(document | {"Statement": [one for one in document["Statement"] if one is not gone]})
        iam.put_user_policy(UserName="deployer-without", PolicyName="all", PolicyDocument=left)
        wrong = verdict(sys.argv[2:], refused=gone is not None)
        problems += bool(wrong)
        print(f"without {gone['Sid'] if gone else 'nothing'}: {wrong or ('refused' if gone else 'ok')}", flush=True)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
