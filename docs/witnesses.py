"""Writes into verification.md which emulators implement the operations of AWS that this collection calls: `make docs`.

An operation is called with the least request that its model allows. Whatever answers, a refusal too, implements it.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import botocore.session
import yaml
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import Shape

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/verification.md"
BEGIN, END = "<!-- witnesses: written by `make docs` -->\n", "<!-- witnesses: end -->\n"
EMULATORS = ("moto", "MiniStack")
KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "b2f0c1d4e7a9", "region_name": "eu-central-1"}
# Without patches, which refuse such requests whether or not it knows the operation.
MINISTACK = ("-m", "ministack")
# How an emulator says that it does not know a service or an operation.
UNKNOWN = {"400", "404", "501", "InvalidAction", "NotImplemented", "UnknownOperationException"}

# Actions of IAM by their operation, where the names differ:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
OPERATIONS = {
    "s3:DeleteObjectVersion": "DeleteObjects",
    "s3:GetAccelerateConfiguration": "GetBucketAccelerateConfiguration",
    "s3:GetBucketObjectLockConfiguration": "GetObjectLockConfiguration",
    "s3:GetBucketPublicAccessBlock": "GetPublicAccessBlock",
    "s3:GetEncryptionConfiguration": "GetBucketEncryption",
    "s3:GetInventoryConfiguration": "ListBucketInventoryConfigurations",
    "s3:GetLifecycleConfiguration": "GetBucketLifecycleConfiguration",
    "s3:ListAllMyBuckets": "ListBuckets",
    "s3:ListBucket": "ListObjectsV2",
    "s3:ListBucketVersions": "ListObjectVersions",
    "s3:PutBucketPublicAccessBlock": "PutPublicAccessBlock",
    "s3:PutEncryptionConfiguration": "PutBucketEncryption",
}
# What AWS checks the caller for, and others call: its own services, and `docker push` in the registry's protocol.
OTHERS = re.compile(
    r"iam:PassRole|kms:(?!DescribeKey)|ec2:DescribeAccountAttributes"
    r"|ecr:(BatchCheckLayerAvailability|\w+LayerUpload|GetDownloadUrlForLayer|UploadLayerPart)"
)
SERVICES = {"elasticloadbalancing": "elbv2"}
# Clients by the names of variables, where these are not those of services; and functions of the reader that call one.
CLIENTS = {
    "asg": "autoscaling",
    "balanced": "elbv2",
    "cloud_map": "servicediscovery",
    "elb": "elbv2",
    "manager": "secretsmanager",
    "scaling": "application-autoscaling",
}


class Operation(NamedTuple):
    service: str
    name: str


Users = dict[Operation, set[str]]
Facts = Mapping[Operation, frozenset[str]]
MODELS = botocore.session.get_session()


@functools.cache
def names_of(service: str) -> dict[str, str]:
    """The operations of a service, by the names of boto3's functions."""
    return {xform_name(name): name for name in MODELS.get_service_model(service).operation_names}


# Which operations are called


def allowed() -> Users:
    """What the policy documents allow, with the names of the documents. A run with each of them proves them."""
    permissions = yaml.safe_load((ROOT / "roles/deployer/files/permissions.yml").read_text())
    found: Users = defaultdict(set)
    for name, document in permissions["documents"].items():
        needed = [statement for reads in document["needs"] for statement in permissions["reads"][reads]]
        for action in [action for statement in [*document["may"], *needed] for action in statement["actions"]]:
            service, operation = action.split(":")
            if not OTHERS.match(action):
                found[Operation(SERVICES.get(service, service), OPERATIONS.get(action, operation))].add(name)
    return found


def clients_in(node: ast.AST, services: Iterable[str]) -> set[str]:
    """The services whose clients a part of the code has: as parameters, or by their name."""
    names = names_in(node) | {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    names |= {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    return {CLIENTS.get(name, name) for name in names} & {*services}


def called_in(path: Path, services: Iterable[str]) -> Iterator[Operation]:
    """The operations that a file calls: as functions of a client, or by name."""
    tree = ast.parse(path.read_text())
    of_file = clients_in(tree, services)
    for statement in tree.body:
        calls = [part for part in ast.walk(statement) if isinstance(part, ast.Call)]
        # A table is one statement, whose entries call different services.
        for node in [statement] if isinstance(statement, ast.FunctionDef) or not calls else calls:
            clients = clients_in(node, services) if isinstance(node, ast.FunctionDef | ast.Call) else of_file
            for name in names_in(node):
                yield from (Operation(one, names_of(one)[name]) for one in clients if name in names_of(one))


def names_in(node: ast.AST) -> set[str]:
    """Texts, and members of what there is."""
    texts = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return texts | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def operations() -> Users:
    """Every operation that is called, with who needs it: documents of the deployer, or modules' folders."""
    found = allowed()
    services = {operation.service for operation in found} | {"cloudtrail", "kms", "sts"}
    for path in sorted((ROOT / "plugins/module_utils").glob("**/*api.py")):
        folder = f"`{path.parent.relative_to(ROOT / 'plugins/module_utils')}`"
        for operation in called_in(path, services):
            if not found[operation] or all(name.startswith("`") for name in found[operation]):
                found[operation].add(folder)
    return dict(found)


# Who implements them


def least(shape: Shape) -> Any:
    """The least value that a shape allows."""
    kind, minimum = shape.type_name, max(1, int(shape.metadata.get("min", 1)))
    if kind == "structure":
        return {name: least(shape.members[name]) for name in shape.required_members}
    if kind == "list":
        return [least(shape.member)] * minimum
    if kind == "string":
        return (shape.enum or ["x" * minimum])[0]
    simple = {"boolean": False, "blob": b"x", "map": {}, "timestamp": 0, "double": 1.0, "float": 1.0}
    return simple.get(kind, minimum)


def implements(client: Any, operation: str) -> bool:
    """Whether whatever answers this client knows an operation."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    try:
        getattr(client, xform_name(operation))(**(least(shape) if shape else {}))
    except NotImplementedError:
        return False
    except ClientError as error:
        return error.response["Error"].get("Code") not in UNKNOWN
    except BotoCoreError:
        raise
    except Exception:
        # moto runs in this process, and fails over what such a request lacks.
        return True
    return True


def implemented(wanted: Iterable[Operation], address: str | None) -> set[Operation]:
    """Those that an emulator implements: the one at an address, or moto in this process."""
    config = Config(read_timeout=300, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    clients: dict[str, Any] = {}
    found: set[Operation] = set()
    for operation in sorted(wanted):
        service = operation.service
        if service not in clients:
            clients[service] = boto3.client(service, endpoint_url=address, config=config, **KEYS)
        if implements(clients[service], operation.name):
            found.add(operation)
    return found


def facts(ministack: str) -> Facts:
    """Which emulators implement each operation: MiniStack at this address, and moto."""
    from moto import mock_aws

    wanted = operations()
    with mock_aws():
        by_moto = implemented(wanted, None)
    by_ministack = implemented(wanted, ministack)
    have = {"moto": by_moto, "MiniStack": by_ministack}
    return {one: frozenset(name for name in EMULATORS if one in have[name]) for one in wanted}


# The tables


def table(columns: list[str], rows: Iterable[list[str]]) -> list[str]:
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *(f"| {' | '.join(row)} |" for row in rows)]


def tables(found: Facts) -> str:
    """Per API, how many operations have which witnesses; and each that has fewer than two, with who needs it."""
    users = operations()
    kinds = [frozenset(EMULATORS), *(frozenset([name]) for name in EMULATORS), frozenset[str]()]
    rows: list[list[str]] = []
    for service in sorted({operation.service for operation in found}):
        counts = [sum(one.service == service and some == kind for one, some in found.items()) for kind in kinds]
        rows.append([service, str(sum(counts)), *(str(count or "") for count in counts)])
    single = [
        [f"{one.service} {one.name}", *(found[one] or {"none"}), ", ".join(sorted(users[one]))]
        for one in sorted(found)
        if len(found[one]) < len(EMULATORS)
    ]
    lines = [
        *table(["API", "Operations", "Both", *(f"Only {name}" for name in EMULATORS), "Neither"], rows),
        "",
        *table(["Operation with fewer than two witnesses", "Witness", "Needed by"], single),
    ]
    return "\n".join(lines)


def written(text: str, found: Facts) -> str:
    """The page with its tables as they are now."""
    before, rest = text.split(BEGIN)
    _old, after = rest.split(END)
    return f"{before}{BEGIN}\n{tables(found)}\n\n{END}{after}"


def main() -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    import emulators

    with tempfile.TemporaryDirectory() as folder, emulators.running(MINISTACK, Path(folder)) as address:
        PAGE.write_text(written(PAGE.read_text(), facts(address)))


if __name__ == "__main__":
    main()
