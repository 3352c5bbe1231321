# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy documents are what IAM takes and AWS's Service Authorization Reference knows; the role gives them away."""

from __future__ import annotations

import configparser
import fnmatch
import json
import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.deployer import LIMIT, policy_documents, policy_parts
from ansible_collections.slipway.aws.tests import plays
from ansible_collections.slipway.aws.tests.policies import DOCUMENTS, PERMISSIONS, ROOT, VALUES, VARIANTS, reference

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Cloud

Json = dict[str, t.Any]
# Every action knows them.
GLOBAL_KEYS = {"aws:RequestedRegion", "aws:ViaAWSService"}
ALLOWED = [one for one in DOCUMENTS["all"]["Statement"] if one["Effect"] == "Allow"]


def condition_keys(listed: t.Iterable[str]) -> str:
    """Keys of the reference as one regular expression."""
    return "|".join(re.sub(r"\\\$\\\{\w+\\\}", ".+", re.escape(key)) for key in listed) or "none"


def resource_types(action: str, arn: str) -> dict[str, str]:
    """The types of an action's resources that an ARN may name, each with the condition keys known there."""
    service, name = action.split(":")
    known, privilege = reference()[service], reference()[service]["privileges"][name]
    of_action = privilege["resource_types"].get("", {}).get("condition_keys", [])
    types = {"*": condition_keys(of_action)} if arn == "*" else {}
    for kind, detail in privilege["resource_types"].items():
        if kind and may_name(arn, known["resources"][kind]["arn"]):
            own = detail["condition_keys"] or known["resources"][kind]["condition_keys"]
            types[kind] = condition_keys([*of_action, *own])
    return types


def may_name(arn: str, form: str) -> bool:
    """Whether an ARN, perhaps with wildcards, can name what the reference writes with ${…}."""
    if arn == "*":
        return True
    actual, expected = (text.split(":", 5) for text in (arn, re.sub(r"\$\{\w+\}", "*", form)))
    example = expected[5].replace("*", "x")
    return actual[2] == expected[2] and (fnmatch.fnmatch(actual[5], expected[5]) or fnmatch.fnmatch(example, actual[5]))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_what_iam_takes(name: str) -> None:
    document = DOCUMENTS[name]
    sids = [one["Sid"] for one in document["Statement"]]
    assert len(sids) == len(set(sids))
    assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)
    assert "<" not in json.dumps(document)


def most_policies() -> Iterator[tuple[list[str], Json]]:
    """All variants at once, each alone, and those that docs/docsite/rst/guide_permissions.rst takes for an example."""
    guide = (ROOT / "docs/docsite/rst/guide_permissions.rst").read_text()
    named = re.search(r"deployer_variants: \[(.*)\]", guide)
    assert named
    for variants in (VARIANTS, named[1].split(", "), *(["changes", variant] for variant in VARIANTS)):
        yield variants, policy_parts(policy_documents(PERMISSIONS, VALUES, variants))


def test_policies_are_short_and_few_enough() -> None:
    for variants, policies in most_policies():
        lengths = {name: len(json.dumps(policy, separators=(",", ":"))) for name, policy in policies.items()}
        assert {name: length for name, length in lengths.items() if length > LIMIT} == {}
        # So many policies may a user or a role have.
        assert len([name for name in policies if name.split("-")[0] == "all"]) <= 10, variants


def test_parts_allow_what_the_document_allows() -> None:
    for name, document in DOCUMENTS.items():
        parts = {key: part for key, part in policy_parts(DOCUMENTS).items() if key.split("-")[0] == name}
        assert next(iter(parts)) == name
        statements = [statement for part in parts.values() for statement in part["Statement"]]
        assert sorted(map(str, statements)) == sorted(map(str, document["Statement"]))


@pytest.mark.parametrize("name", [*PERMISSIONS["documents"], "boundary"])
def test_reference_knows_each_action_with_its_resources_and_conditions(name: str) -> None:
    problems = []
    for statement in DOCUMENTS[name]["Statement"]:
        conditions = statement.get("Condition", {})
        keys = {key for operator, keyed in conditions.items() if not operator.endswith("IfExists") for key in keyed}
        # Of these it is enough that one action knows them.
        optional = {key for operator, keyed in conditions.items() if operator.endswith("IfExists") for key in keyed}
        useful = set()
        for action in statement["Action"]:
            service, operation = action.split(":")
            if operation not in reference()[service]["privileges"]:
                problems.append(f"{statement['Sid']}: there is no {action}")
                continue
            found = {arn: resource_types(action, arn) for arn in statement["Resource"]}
            useful |= {arn for arn, kinds in found.items() if kinds}
            if not any(found.values()):
                problems.append(f"{statement['Sid']}: {action} knows none of {statement['Resource']}")
            known = "|".join(keys_of_type for kinds in found.values() for keys_of_type in kinds.values())
            strangers = {key for key in keys - GLOBAL_KEYS if not re.fullmatch(known, key)}
            problems += [f"{statement['Sid']}: {action} does not know {key}" for key in strangers]
            optional -= {key for key in optional if re.fullmatch(known, key)}
        problems += [f"{statement['Sid']}: no action knows {key}" for key in optional]
        problems += [f"{statement['Sid']}: no action for {arn}" for arn in set(statement["Resource"]) - useful]
    assert problems == []


def test_nothing_is_wide_that_need_not_be() -> None:
    assert not [action for one in ALLOWED for action in one["Action"] if "*" in action]
    for one in ALLOWED:
        changes = [a for a in one["Action"] if not re.search(r":(Describe|List|Get|BatchGet|BatchCheck)", a)]
        if one["Resource"] == ["*"]:
            # ECS knows no resource of it; a certificate has no name before it exists.
            assert set(changes) <= {
                "ecs:DeregisterTaskDefinition",
                "acm:RequestCertificate",
                "acm:AddTagsToCertificate",
                # Neither have a namespace and its zone, nor does Cloud Map know a resource of its tags.
                "servicediscovery:CreatePrivateDnsNamespace",
                "servicediscovery:TagResource",
                "servicediscovery:UntagResource",
                "route53:CreateHostedZone",
            }
        if "iam:PassRole" in one["Action"]:
            assert one["Action"] == ["iam:PassRole"]
            assert one["Condition"]["StringEquals"]["iam:PassedToService"]
            assert not any("*" in arn for arn in one["Resource"])


# Reads that return what somebody has stored: data, environments, inputs, names of files, and not only what AWS sets.
CONTENTS = {
    *("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "lambda:GetFunction", "lambda:GetFunctionConfiguration"),
    *("logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery", "s3:GetObject", "s3:ListBucket"),
    *("s3:ListBucketVersions", "scheduler:GetSchedule", "secretsmanager:BatchGetSecretValue"),
    *("secretsmanager:GetSecretValue", "sqs:ReceiveMessage", "ssm:GetParameter", "ssm:GetParameters"),
    "ssm:GetParametersByPath",
}


def test_contents_are_read_only_of_what_a_resource_names() -> None:
    """Except for schedules, of which an adopted project or the account's others may have any group."""
    wide = {
        (name, action)
        for name, document in DOCUMENTS.items()
        for one in document["Statement"]
        for action in one["Action"]
        if one["Effect"] == "Allow" and action in CONTENTS and "*" in one["Resource"]
    }
    assert {action for _name, action in wide} <= {"scheduler:GetSchedule"}
    assert {name for name, _action in wide} <= {"all", "destroy", "import", "plan", "prune", "record", "status"}


def test_preflight_reads_only_what_the_services_name() -> None:
    values = {**VALUES, "file_buckets": [], "hook_functions": [], "buckets": []}
    nothing = policy_documents(PERMISSIONS, values, VARIANTS)["preflight"]["Statement"]
    assert not [action for one in nothing for action in one["Action"] if action.startswith(("s3:", "lambda:"))]
    own = {action: one["Resource"] for one in DOCUMENTS["preflight"]["Statement"] for action in one["Action"]}
    buckets = {f"arn:aws:s3:::{name}" for name in [*VALUES["buckets"], *VALUES["file_buckets"]]}
    assert {arn for arn in own["s3:ListBucket"] if ":s3:" in arn} == buckets
    functions = own["lambda:GetFunctionConfiguration"]
    assert [arn for arn in functions if ":lambda:" in arn] == VALUES["hook_functions"]


def test_plan_reads_and_no_more() -> None:
    actions = {action for one in DOCUMENTS["plan"]["Statement"] for action in one["Action"]}
    access = {
        reference()[service]["privileges"][name]["access_level"] for service, name in (a.split(":") for a in actions)
    }
    assert access == {"List", "Read"}


def test_regions_are_queried_where_calls_have_one() -> None:
    for one in ALLOWED:
        regional = {action.split(":")[0] for action in one["Action"]} - {"iam", "route53", "s3"}
        if one["Resource"] == ["*"]:
            assert bool(regional) == ("aws:RequestedRegion" in one.get("Condition", {}).get("StringEquals", {}))


def role(entry: str = "main") -> list[Json]:
    return [{"ansible.builtin.include_role": {"name": "slipway.aws.deployer", "tasks_from": entry}}]


@pytest.mark.witness("deployer")
@pytest.mark.variants
def test_users_and_roles_get_what_they_are_to_have(cloud: Cloud, tmp_path: Path) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="somebody")
    settings: Json = {
        "slipway_project": "shop",
        "slipway_directory": str(tmp_path),
        "deployer_users": [{"name": "ecsuser"}, {"name": "reader", "documents": ["plan"]}],
        "deployer_roles": [
            {"name": "releases", "principals": ["arn:aws:iam::000000000000:root"], "documents": ["image", "service"]}
        ],
    }
    made = cloud.play(role(), **settings)
    assert made.code == 0, made.output
    attached = iam.list_attached_user_policies(UserName="ecsuser")["AttachedPolicies"]
    assert {one["PolicyName"] for one in attached} == {
        "shop-deployer-all",
        "shop-deployer-all-2",
        "shop-deployer-all-3",
        "shop-deployer-all-4",
        "shop-deployer-all-5",
    }
    attached = iam.list_attached_role_policies(RoleName="releases")["AttachedPolicies"]
    assert {one["PolicyName"] for one in attached} == {"shop-deployer-image", "shop-deployer-service"}
    credentials = tmp_path / "ecsuser.credentials"
    assert credentials.stat().st_mode & 0o777 == 0o600
    keys = configparser.ConfigParser()
    keys.read(credentials)
    assert keys["default"]["aws_secret_access_key"] not in made.output
    again = cloud.play(role(), "-vvv", **settings)
    assert (again.code, again.changed) == (0, 0), again.output
    assert keys["default"]["aws_secret_access_key"] not in again.output
    # The security control CIS 2.12 asks for one.
    for user in ("ecsuser", "reader"):
        assert [one["Status"] for one in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]] == ["Active"]

    # The emulator does not know users' SSH keys, which the module that removes users asks for.
    deleted = cloud.play(role("absent"), **settings | {"deployer_users": []})
    assert deleted.code == 0, deleted.output
    assert len(iam.list_users()["Users"]) == 3
    assert not iam.list_policies(Scope="Local")["Policies"]
    assert not iam.list_roles()["Roles"]


def test_playbook_writes_the_documents(cloud: Cloud, tmp_path: Path) -> None:
    values = {"slipway_endpoint_url": cloud.address, "slipway_directory": str(tmp_path)}
    done = plays.run("-i", "inventory/local", "playbooks/deployer.yml", extra=values)
    assert done.returncode == 0, done.stdout
    written = {path.stem for path in (tmp_path / "policies").glob("*.json")}
    assert written >= {"all", "all-2", "plan", "network", "destroy"}


REFUSED: list[tuple[Json, str]] = [
    ({"deployer_variants": ["htps"]}, "deployer_variants: expected some of access_logs"),
    (
        {"deployer_users": [{"name": "anna", "documents": ["networks"]}]},
        "deployer_users[0] (anna).documents: expected some of",
    ),
    ({"deployer_users": [{"name": "not good"}]}, "deployer_users[0] (not good).name: expected up to 64 letters"),
    ({"deployer_roles": [{"name": "all", "principals": ["*"]}]}, "everyone (*) is refused"),
    ({"deployer_project": "a b"}, "deployer_project: expected up to 32 letters"),
    (
        {"slipway_permissions_boundary": "shop"},
        "deployer_permissions_boundary: expected the ARN of a managed policy",
    ),
    ({"deployer_region": "seoul"}, "deployer_region: expected a region that botocore knows"),
    ({"deployer_users": [{"name": "somebody"}]}, "with the tag slipway:project=ecs, got somebody without it"),
]


@pytest.mark.parametrize(
    ("settings", "said"),
    # Each is a play of seconds.
    [*REFUSED[:2], *(pytest.param(*case, marks=pytest.mark.variants) for case in REFUSED[2:])],
)
def test_wrong_value_is_refused(cloud: Cloud, tmp_path: Path, settings: Json, said: str) -> None:
    iam = cloud.client("iam")
    if not iam.list_users()["Users"]:
        iam.create_user(UserName="somebody")
    refused = cloud.play(role(), slipway_directory=str(tmp_path), **settings)
    assert refused.code == 2
    assert said in " ".join(refused.output.split())
    assert list(tmp_path.iterdir()) == []
    assert not iam.list_policies(Scope="Local")["Policies"]
