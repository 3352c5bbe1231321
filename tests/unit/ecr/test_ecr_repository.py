# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The repository modules against two emulators."""

from __future__ import annotations

import json
import re
import typing as t

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError

Json = dict[str, t.Any]
Run = t.Callable[..., Json]

LIFECYCLE: Json = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}
POLICY: Json = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "pull",
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": "ecr:BatchGetImage",
        }
    ],
}
CREATE: Json = {
    "name": "shop/webapp",
    "image_tag_mutability": "IMMUTABLE",
    "image_scanning_configuration": {"scanOnPush": "yes"},
    "encryption_configuration": {"encryptionType": "AES256"},
    "lifecycle_policy": LIFECYCLE,
    "policy": json.dumps(POLICY),
    "tags": {"team": "shop", "size": 1},
}
MODIFY: Json = {
    "name": "shop/webapp",
    "image_tag_mutability": "MUTABLE",
    "image_scanning_configuration": {"scanOnPush": False},
    "lifecycle_policy": {},
    "policy": {"Version": "2012-10-17", "Statement": {**POLICY["Statement"][0], "Action": ["ecr:*"]}},
    "tags": {"team": "web"},
}
UNKNOWN = ("repository_arn", "repository_uri", "registry_id", "created_at")


def known(repository: Json) -> Json:
    return {name: value for name, value in repository.items() if name not in UNKNOWN}


def repositories(ecr: t.Any) -> list[Json]:
    return list(ecr.describe_repositories()["repositories"])


def twice(run: Run, options: Json) -> Json:
    """In check mode, then for real: the same verdict, difference and resource."""
    predicted, real = run("ecr_repository", check=True, **options), run("ecr_repository", **options)
    assert "failed" not in real, real
    assert predicted["changed"] == real["changed"]
    assert known(predicted["repository"]) == known(real["repository"])
    if "created_at" not in real["diff"]["before"]:
        assert predicted["diff"] == real["diff"]
    return real


@pytest.mark.witness("ecr_repository")
def test_the_twelve_steps(run: Run, ecr: t.Any) -> None:
    assert run("ecr_repository", check=True, **CREATE)["changed"]
    assert repositories(ecr) == []
    created = twice(run, CREATE)
    assert created["changed"]
    assert created["diff"]["before"] == {}
    assert created["repository"]["tags"] == {"team": "shop", "size": "1"}
    assert not twice(run, CREATE)["changed"]

    before = repositories(ecr)
    assert run("ecr_repository", check=True, **MODIFY)["changed"]
    assert repositories(ecr) == before
    modified = twice(run, MODIFY)
    assert modified["changed"]
    assert set(modified["diff"]["after"]) == {"image_tag_mutability", "image_scanning_configuration", "policy", "tags"}
    assert set(modified["diff"]["before"]) == {*modified["diff"]["after"], "lifecycle_policy"}
    assert modified["diff"]["before"]["tags"] == {"size": "1", "team": "shop"}
    assert not twice(run, MODIFY)["changed"]

    absent = {"name": "shop/webapp", "state": "absent"}
    assert run("ecr_repository", check=True, **absent)["changed"]
    assert len(repositories(ecr)) == 1
    deleted = twice(run, absent)
    assert deleted["changed"]
    assert deleted["repository"] == {}
    assert repositories(ecr) == []
    assert not twice(run, absent)["changed"]


def test_check_mode_of_a_new_repository_with_policies_predicts_it_under_the_keys_of_a_real_run(
    run: Run, ecr: t.Any
) -> None:
    predicted = run("ecr_repository", check=True, **CREATE)
    assert "skipped" not in predicted
    assert predicted["repository"]["repository_uri"] == "unknown"
    real = run("ecr_repository", **CREATE)
    assert set(predicted["repository"]) == set(real["repository"])


def test_immutability_and_scanning_are_kept_when_omitted(run: Run, ecr: t.Any) -> None:
    run("ecr_repository", **CREATE)
    result = run("ecr_repository", name="shop/webapp")
    assert not result["changed"]
    assert result["repository"]["image_tag_mutability"] == "IMMUTABLE"
    assert result["repository"]["image_scanning_configuration"] == {"scanOnPush": True}
    assert json.loads(ecr.get_repository_policy(repositoryName="shop/webapp")["policyText"])
    assert ecr.get_lifecycle_policy(repositoryName="shop/webapp")["lifecyclePolicyText"]
    assert result["repository"]["tags"] == {"team": "shop", "size": "1"}


@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_filters_are_a_set_and_go_with_the_mode(run: Run, ecr: t.Any) -> None:
    filters = [{"filterType": "WILDCARD", "filter": name} for name in ("latest*", "dev-*")]
    options = {"name": "webapp", "image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION"}
    assert twice(run, {**options, "image_tag_mutability_exclusion_filters": filters})["changed"]
    assert not twice(run, {**options, "image_tag_mutability_exclusion_filters": filters[::-1]})["changed"]
    assert not twice(run, options)["changed"]
    assert twice(run, {**options, "image_tag_mutability_exclusion_filters": filters[:1]})["changed"]
    plain = twice(run, {"name": "webapp", "image_tag_mutability": "MUTABLE"})
    assert plain["repository"]["image_tag_mutability_exclusion_filters"] == []


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
def test_a_key_may_be_named_by_its_alias(run: Run, ecr: t.Any) -> None:
    kms = boto3.client("kms", region_name="eu-central-1")
    key, other = (kms.create_key()["KeyMetadata"] for __ in range(2))
    kms.create_alias(AliasName="alias/images", TargetKeyId=key["KeyId"])
    kms.create_alias(AliasName="alias/other", TargetKeyId=other["KeyId"])
    ecr.create_repository(
        repositoryName="webapp", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key["Arn"]}
    )
    encryption = {"encryptionType": "KMS", "kmsKey": "alias/images"}
    assert not run("ecr_repository", name="webapp", encryption_configuration=encryption)["changed"]
    encryption = {"encryptionType": "KMS", "kmsKey": "alias/other"}
    assert run("ecr_repository", name="webapp", encryption_configuration=encryption)["code"] == "immutable"


def test_tags_are_added_without_purge_and_removed_by_an_empty_dictionary(run: Run, ecr: t.Any) -> None:
    run("ecr_repository", name="webapp", tags={"a": "1"})
    kept = twice(run, {"name": "webapp", "tags": {"b": "2"}, "purge_tags": False})
    assert kept["repository"]["tags"] == {"a": "1", "b": "2"}
    assert kept["diff"] == {"before": {}, "after": {"tags": {"b": "2"}}}
    assert twice(run, {"name": "webapp", "tags": {}})["repository"]["tags"] == {}


def test_policies_are_compared_by_meaning_and_removed_by_an_empty_dictionary(run: Run, ecr: t.Any) -> None:
    run("ecr_repository", **CREATE)
    other = {**POLICY, "Statement": {**POLICY["Statement"][0], "Principal": {"AWS": ["123456789012"]}}}
    assert not twice(run, {"name": "shop/webapp", "policy": other})["changed"]
    gone = twice(run, {"name": "shop/webapp", "policy": {}, "lifecycle_policy": "{}"})
    assert gone["diff"]["after"] == {}
    assert set(gone["diff"]["before"]) == {"policy", "lifecycle_policy"}
    assert not twice(run, {"name": "shop/webapp", "policy": {}, "lifecycle_policy": {}})["changed"]


def test_a_repository_with_images_is_deleted_only_by_force(run: Run, ecr: t.Any, put: t.Callable[..., str]) -> None:
    run("ecr_repository", name="webapp")
    put("webapp", "v1", "1")
    for check in (True, False):
        refused = run("ecr_repository", check=check, name="webapp", state="absent")
        assert (refused["failed"], refused["code"]) == (True, "not_empty")
    assert twice(run, {"name": "webapp", "state": "absent", "force": True})["changed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "WebApp"}, "name: expected lowercase letters and digits, .* got 'WebApp'"),
        ({"name": "a--/b"}, "name: expected lowercase .* got 'a--/b'"),
        ({"image_scanning_configuration": {"scanonpush": True}}, "did you mean 'scanOnPush'"),
        ({"image_scanning_configuration": {"scanOnPush": "perhaps"}}, "expected true or false"),
        ({"encryption_configuration": {"encryptionType": "AES"}}, "expected one of AES256, KMS, KMS_DSSE, got 'AES'"),
        ({"encryption_configuration": {"kmsKey": "x"}}, "expected the member 'encryptionType', got none"),
        (
            {"encryption_configuration": {"encryptionType": "AES256", "kmsKey": "x"}},
            "expected no kmsKey for encryptionType AES256, got one",
        ),
        (
            {"image_tag_mutability_exclusion_filters": [{"filter": "x"}]},
            r"\[0\]: expected the member 'filterType', got none",
        ),
        ({"policy": "{"}, "policy: expected JSON, got: "),
        ({"lifecycle_policy": {"rules": 1}}, "expected member 'rules'"),
    ],
)
@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
def test_a_wrong_value_is_refused_before_any_call(run: Run, calls: list[str], options: Json, message: str) -> None:
    result = run("ecr_repository", **{"name": "webapp", **options})
    assert result["code"] == "invalid_option"
    assert re.search(message, result["msg"]), result["msg"]
    assert calls == []


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_access_denied_is_never_not_found(run: Run, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    def denied(client: t.Any, operation: str, request: Json) -> t.NoReturn:
        answer = {"Error": {"Code": "AccessDeniedException", "Message": "no"}, "ResponseMetadata": {}}
        raise ClientError(t.cast("t.Any", answer), operation)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", denied)
    assert run("ecr_repository", name="webapp", state=state)["code"] == "access_denied"


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
def test_a_run_that_changes_nothing_reads_twice(run: Run, calls: list[str]) -> None:
    run("ecr_repository", name="webapp")
    calls.clear()
    run("ecr_repository", name="webapp")
    assert calls == ["DescribeRepositories", "ListTagsForResource"]


@pytest.mark.witness("ecr_repository_info")
def test_info_reads_what_is_requested(run: Run, ecr: t.Any, put: t.Callable[..., str]) -> None:
    for name in ("b", "a"):
        run("ecr_repository", name=f"shop/{name}", tags={"is": name})
    digest = put("shop/a", "v1", "1")
    put("shop/a", "v2", "2")

    everything = run("ecr_repository_info", include=["images", "lifecycle_policy", "policy", "tags"])["repositories"]
    assert [found["repository_name"] for found in everything] == ["shop/a", "shop/b"]
    assert everything[0]["tags"] == {"is": "a"}
    assert everything[0]["policy"] == everything[0]["lifecycle_policy"] == {}
    assert {tuple(image["image_tags"]) for image in everything[0]["images"]} == {("v1",), ("v2",)}
    assert everything[1]["images"] == []

    little = run("ecr_repository_info", names=["shop/b", "nothing", "shop/a"], include=[])["repositories"]
    assert [found["repository_name"] for found in little] == ["shop/b", "shop/a"]
    assert not {"tags", "policy", "lifecycle_policy", "images"} & set(little[0])

    tagged = run("ecr_repository_info", name="shop/a", image_tags=["v1", "v9"])["repositories"][0]["images"]
    assert [image["image_digest"] for image in tagged] == [digest]
    assert {"image_pushed_at", "image_size_in_bytes", "image_manifest_media_type"} <= set(tagged[0])
