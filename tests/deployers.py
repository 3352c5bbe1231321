"""Makes one IAM user for each policy document in a folder, with that document and nothing else:
`tests/deployers.py <folder of documents> <file for the keys>`.

The file gets the users' access keys as a JSON object by document. Asks where the environment says (AWS_ENDPOINT_URL).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import boto3

PREFIX = "deployer-"


def user(iam: Any, name: str, document: str) -> dict[str, str]:
    """The keys of a new user who may do what the document says."""
    iam.create_user(UserName=name)
    policy = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]
    iam.attach_user_policy(UserName=name, PolicyArn=policy["Arn"])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    iam = boto3.client("iam")
    # The whole is longer than a policy may be.
    documents = [path for path in sorted(Path(sys.argv[1]).glob("*.json")) if path.stem != "all"]
    keys = {path.stem: user(iam, PREFIX + path.stem, path.read_text()) for path in documents}
    with open(os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(keys, file)


if __name__ == "__main__":
    main()
