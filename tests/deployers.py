"""Creates an IAM user for each policy document in a folder, with that document only:
`tests/deployers.py <folder of documents> <file for the keys>`.

The file gets the users' access keys as a JSON object by document. Asks where
the environment says (AWS_ENDPOINT_URL).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import boto3

PREFIX = "deployer-"


def allow(iam: Any, name: str, document: str) -> None:
    """The user of a document has that policy only."""
    iam.put_user_policy(UserName=PREFIX + name, PolicyName="all", PolicyDocument=document)


def user(iam: Any, name: str, document: str) -> dict[str, str]:
    """A user for a document; the keys."""
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=PREFIX + name)
    for old in iam.list_access_keys(UserName=PREFIX + name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=PREFIX + name, AccessKeyId=old["AccessKeyId"])
    allow(iam, name, document)
    key = iam.create_access_key(UserName=PREFIX + name)["AccessKey"]
    return {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    iam = boto3.client("iam")
    documents = {path.stem: path.read_text() for path in sorted(Path(sys.argv[1]).glob("*.json"))}
    keys = {name: user(iam, name, document) for name, document in documents.items()}
    with open(os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(keys, file)


if __name__ == "__main__":
    main()
