"""Writes into verification.md which emulators implement the operations of AWS that this collection calls, and on which
its modules and roles work: `make docs`.

An operation is called with the least request that its model allows. Whatever answers, a refusal too, implements it.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
import tempfile
from collections import Counter, defaultdict
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
    "s3:PutLifecycleConfiguration": "PutBucketLifecycleConfiguration",
}
# What AWS checks the caller for, and others call: its own services, and `docker push` in the registry's protocol.
OTHERS = re.compile(
    r"iam:PassRole|kms:(?!DescribeKey)|ec2:DescribeAccountAttributes"
    r"|ecr:(BatchCheckLayerAvailability|\w+LayerUpload|GetDownloadUrlForLayer|UploadLayerPart)"
)
SERVICES = {
    "elasticfilesystem": "efs",
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
}
# Clients by the names of variables, where these are not those of services; and functions of the reader that call one.
CLIENTS = {
    "asg": "autoscaling",
    "balanced": "elbv2",
    "cloud_map": "servicediscovery",
    "elb": "elbv2",
    "manager": "secretsmanager",
    "scaling": "application-autoscaling",
}


# Roles that do not call AWS.
WITHOUT_CALLS = {"docker_host", "local_cloud", "preflight"}


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


# Which modules and roles work on them


class Witnessed(NamedTuple):
    """A test with the mark `witness`: what it shows to work, where it is, and on which emulators it runs."""

    names: list[str]
    path: str
    emulators: set[str]


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    return {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def texts(node: ast.AST, known: Mapping[str, ast.expr]) -> list[str]:
    """The texts in an expression and in the constants that it names."""
    named = [known[part.id] for part in ast.walk(node) if isinstance(part, ast.Name) and part.id in known]
    parts = [part for one in (node, *named) for part in ast.walk(one)]
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def emulators_of(test: ast.FunctionDef, path: Path, known: Mapping[str, ast.expr]) -> set[str]:
    """By the parameters of the test or of its folder's fixture; else, by what the file or folder starts."""
    for decorator in test.decorator_list:
        found = {name for name in EMULATORS if name.lower() in texts(decorator, known)}
        if found:
            return found
    fixtures = path.with_name("conftest.py")
    if path.parent.name != "roles" and fixtures.exists():
        found = {name for name in EMULATORS if f'"{name.lower()}"' in fixtures.read_text()}
        if found:
            return found
    on_ministack = path.parent.name == "roles" or "start_cloud" in path.read_text()
    return {"MiniStack" if on_ministack else "moto"}


def witnessed() -> Iterator[Witnessed]:
    for path in sorted((ROOT / "tests/unit").glob("**/test_*.py")):
        tree = ast.parse(path.read_text())
        known = constants(tree)
        for test in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
            for mark in [one for one in test.decorator_list if ast.unparse(one).startswith("pytest.mark.witness(")]:
                names, place = texts(mark, known), str(path.relative_to(ROOT))
                yield Witnessed(names, place, emulators_of(test, path, known))


def subjects() -> dict[str, list[str]]:
    """Modules that call AWS, and roles."""
    modules = [path for path in (ROOT / "plugins/modules").glob("*.py") if "amazon.aws.region" in path.read_text()]
    roles = {path.name for path in (ROOT / "roles").iterdir() if path.is_dir()} - WITHOUT_CALLS
    return {"Module": sorted(path.stem for path in modules), "Role": sorted(roles)}


def missing_of(module: str, found: Facts) -> list[str]:
    """How many operations of a module have fewer than two witnesses, by service."""
    path = ROOT / f"plugins/modules/{module}.py"
    folders = re.findall(r"module_utils\.(_[\w.]+) import", path.read_text())
    apis = [ROOT / "plugins/module_utils" / folder.replace(".", "/") / "api.py" for folder in folders]
    called = {one for api in apis if api.exists() for one in called_in(api, {one.service for one in found})}
    missing = Counter(one.service for one in called & found.keys() if len(found[one]) < len(EMULATORS))
    return [f"{service} ({number})" for service, number in sorted(missing.items())]


def subject_rows(kind: str, found: Facts) -> Iterator[list[str]]:
    """Tests of roles are in a folder of their own."""
    tests = [one for one in witnessed() if ("/roles/" in one.path) == (kind == "Role")]
    for name in subjects()[kind]:
        own = [one for one in tests if name in one.names]
        on = [emulator for emulator in EMULATORS if any(emulator in one.emulators for one in own)]
        places = [f"`{place}`" for place in sorted({one.path for one in own})]
        lacking = [", ".join(missing_of(name, found) if len(on) < len(EMULATORS) else [])] if kind == "Module" else []
        yield [name, ", ".join(on) or "none", ", ".join(places), *lacking]


# The tables


def table(columns: list[str], rows: Iterable[list[str]]) -> list[str]:
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *(f"| {' | '.join(row)} |" for row in rows)]


def tables(found: Facts) -> str:
    """Per API, how many operations have which witnesses; each that has fewer than two; modules and roles."""
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
        "",
        *table(["Module", "Works on", "Shown by", "Operations with one witness"], subject_rows("Module", found)),
        "",
        *table(["Role", "Works on", "Shown by"], subject_rows("Role", found)),
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
