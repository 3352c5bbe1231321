# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import tags as tagging
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.plan import Plan, compare
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import snake
from ansible_collections.slipway.aws.plugins.module_utils._ecr.image import model as images
from ansible_collections.slipway.aws.plugins.module_utils._ecr.repository import model as repository
from ansible_collections.slipway.aws.plugins.modules import ecr_repository

Json = dict[str, t.Any]
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a1b"
FILTER = {"filterType": "WILDCARD", "filter": "dev-*"}
OTHER = {"filterType": "WILDCARD", "filter": "main"}

# API members whose option has another name.
RENAMED = {
    ("SetRepositoryPolicy", "policyText"): "policy",
    ("SetRepositoryPolicy", "force"): "force_set_policy",
    ("PutLifecyclePolicy", "lifecyclePolicyText"): "lifecycle_policy",
    # Tags have an ARN, which follows from the name.
    ("TagResource", "resourceArn"): "name",
    ("UntagResource", "resourceArn"): "name",
    ("UntagResource", "tagKeys"): "purge_tags",
}


@pytest.mark.parametrize(
    "operation",
    [
        "CreateRepository",
        "DeleteRepository",
        "PutImageScanningConfiguration",
        "PutImageTagMutability",
        "PutLifecyclePolicy",
        "SetRepositoryPolicy",
        "TagResource",
        "UntagResource",
    ],
)
def test_every_member_of_the_api_has_an_option(ecr_model: t.Any, operation: str) -> None:
    spec = ecr_repository.ARGUMENT_SPEC
    offered = {*spec, *(alias for option in spec.values() for alias in option.get("aliases", ()))}
    members = ecr_model.operation_model(operation).input_shape.members
    missing = [name for name in members if RENAMED.get((operation, name), snake(name)) not in offered]
    assert missing == []


def test_the_choices_are_those_of_aws(ecr_model: t.Any) -> None:
    shape = ecr_model.operation_model("CreateRepository").input_shape.members["imageTagMutability"]
    assert set(ecr_repository.ARGUMENT_SPEC["image_tag_mutability"]["choices"]) == set(shape.enum)


def existing(**members: t.Any) -> Json:
    return {**repository.DEFAULTS, "repository_name": "webapp", **members}


def plan(current: Json | None, tags: Json | None = None, purge: bool = True, **options: t.Any) -> t.Any:
    wanted_tags = tagging.desired((current or {}).get("tags") or {}, tags, purge)
    wanted = repository.desired(current, {"repository_name": "webapp", **options}, wanted_tags)
    planned = compare(current, wanted, repository.SETS)
    return planned if current else Plan(planned.before, planned.after, repository.predict(planned.predicted))


def test_what_is_not_named_is_left_alone() -> None:
    current = existing(
        image_tag_mutability="IMMUTABLE_WITH_EXCLUSION",
        image_tag_mutability_exclusion_filters=[FILTER],
        image_scanning_configuration={"scanOnPush": True},
        encryption_configuration={"encryptionType": "KMS", "kmsKey": KEY},
        tags={"a": "b"},
    )
    planned = plan(current)
    assert not planned.changed
    assert planned.predicted == current


CHANGES: list[Json] = [
    {"image_tag_mutability": "IMMUTABLE"},
    {"image_scanning_configuration": {"scanOnPush": True}},
    {"tags": {"a": "c"}},
    {"lifecycle_policy": {"rules": [{"rulePriority": 1}]}},
    {"policy": {"Version": "2012-10-17", "Statement": [{"Sid": "x"}]}},
]


def test_exclusion_filters_have_no_order_and_only_new_ones_are_shown() -> None:
    current = existing(
        image_tag_mutability="MUTABLE_WITH_EXCLUSION", image_tag_mutability_exclusion_filters=[FILTER, OTHER]
    )
    assert not plan(current, image_tag_mutability_exclusion_filters=[OTHER, FILTER]).changed
    new = {"filterType": "WILDCARD", "filter": "test-*"}
    planned = plan(current, image_tag_mutability_exclusion_filters=[FILTER, OTHER, new])
    assert planned.diff == {"before": {}, "after": {"image_tag_mutability_exclusion_filters": [new]}}


@pytest.mark.parametrize(
    ("document", "parts", "key"), [("lifecycle_policy", "rules", "rulePriority"), ("policy", "Statement", "Sid")]
)
def test_of_a_document_only_what_differs_is_shown(document: str, parts: str, key: str) -> None:
    first, second, changed = {key: 1, "a": "b"}, {key: 2, "a": "b"}, {key: 2, "a": "c"}
    planned = plan(existing(**{document: {parts: [first, second]}}), **{document: {parts: [first, changed]}})
    assert planned.diff == {"before": {document: {parts: [second]}}, "after": {document: {parts: [changed]}}}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_a_change_of_one_member_names_that_member_only(change: Json) -> None:
    current = existing(policy={}, lifecycle_policy={}, tags={"a": "b"})
    planned = plan(current, **change)
    assert planned.members == set(change)
    again = plan(planned.predicted, **change)
    assert not again.changed


@pytest.mark.parametrize(
    ("current", "options", "mode", "filters"),
    [
        (existing(), {"image_tag_mutability": "IMMUTABLE"}, "IMMUTABLE", []),
        (
            existing(),
            {
                "image_tag_mutability": "MUTABLE_WITH_EXCLUSION",
                "image_tag_mutability_exclusion_filters": [FILTER],
            },
            "MUTABLE_WITH_EXCLUSION",
            [FILTER],
        ),
        (
            existing(
                image_tag_mutability="MUTABLE_WITH_EXCLUSION", image_tag_mutability_exclusion_filters=[FILTER, OTHER]
            ),
            {"image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION"},
            "IMMUTABLE_WITH_EXCLUSION",
            [FILTER, OTHER],
        ),
        (
            existing(image_tag_mutability="MUTABLE_WITH_EXCLUSION", image_tag_mutability_exclusion_filters=[FILTER]),
            {"image_tag_mutability_exclusion_filters": [OTHER]},
            "MUTABLE_WITH_EXCLUSION",
            [OTHER],
        ),
        (
            existing(image_tag_mutability="MUTABLE_WITH_EXCLUSION", image_tag_mutability_exclusion_filters=[FILTER]),
            {"image_tag_mutability": "MUTABLE"},
            "MUTABLE",
            [],
        ),
    ],
)
def test_mode_and_filters_go_together(current: Json, options: Json, mode: str, filters: list[Json]) -> None:
    planned = plan(current, **options)
    assert planned.changed
    assert planned.predicted["image_tag_mutability"] == mode
    assert planned.predicted["image_tag_mutability_exclusion_filters"] == filters


@pytest.mark.parametrize(
    ("current", "options"),
    [
        (existing(), {"image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION"}),
        (existing(), {"image_tag_mutability_exclusion_filters": [FILTER]}),
        (existing(), {"image_tag_mutability": "MUTABLE", "image_tag_mutability_exclusion_filters": [FILTER]}),
        (
            existing(image_tag_mutability="MUTABLE_WITH_EXCLUSION", image_tag_mutability_exclusion_filters=[FILTER]),
            {"image_tag_mutability_exclusion_filters": []},
        ),
    ],
)
def test_mode_and_filters_that_contradict_each_other_are_refused(current: Json, options: Json) -> None:
    with pytest.raises(SlipwayError) as error:
        plan(current, **options)
    assert error.value.code == "invalid_option"


@pytest.mark.parametrize(
    ("actual", "wanted"),
    [
        ({"encryptionType": "AES256"}, {"encryptionType": "AES256"}),
        ({"encryptionType": "KMS", "kmsKey": KEY}, {"encryptionType": "KMS"}),
        ({"encryptionType": "KMS", "kmsKey": KEY}, {"encryptionType": "KMS", "kmsKey": KEY}),
        ({"encryptionType": "KMS", "kmsKey": KEY}, {"encryptionType": "KMS", "kmsKey": "0a1b"}),
        ({"encryptionType": "KMS_DSSE", "kmsKey": KEY}, {"encryptionType": "KMS_DSSE", "kmsKey": "unknown"}),
    ],
)
def test_the_same_key_under_another_name_is_no_difference(actual: Json, wanted: Json) -> None:
    planned = plan(existing(encryption_configuration=actual), encryption_configuration=wanted)
    assert not planned.changed


@pytest.mark.parametrize(
    ("actual", "wanted"),
    [
        ({"encryptionType": "AES256"}, {"encryptionType": "KMS"}),
        ({"encryptionType": "KMS", "kmsKey": KEY}, {"encryptionType": "KMS_DSSE"}),
        ({"encryptionType": "KMS", "kmsKey": KEY}, {"encryptionType": "KMS", "kmsKey": "b"}),
        ({"encryptionType": "KMS", "kmsKey": KEY}, {"encryptionType": "AES256"}),
    ],
)
def test_another_encryption_is_refused_by_name(actual: Json, wanted: Json) -> None:
    with pytest.raises(SlipwayError, match="encryption_configuration of the existing repository webapp") as error:
        plan(existing(encryption_configuration=actual), encryption_configuration=wanted)
    assert error.value.code == "immutable"
    assert error.value.details["immutable"] == ["encryption_configuration"]


def test_what_aws_will_choose_is_unknown() -> None:
    predicted = plan(None, encryption_configuration={"encryptionType": "KMS"}).predicted
    assert predicted["encryption_configuration"] == {"encryptionType": "KMS", "kmsKey": "unknown"}
    assert predicted["repository_uri"] == predicted["repository_arn"] == "unknown"
    assert predicted["image_tag_mutability"] == "MUTABLE"


def test_creation_asks_only_for_what_was_requested(ecr_model: t.Any) -> None:
    shape = ecr_model.operation_model("CreateRepository").input_shape
    planned = plan(None, tags={"b": "1", "a": "2"}, image_scanning_configuration={"scanOnPush": True})
    assert repository.create_request(shape, planned.predicted, planned.members) == {
        "repositoryName": "webapp",
        "imageScanningConfiguration": {"scanOnPush": True},
        "tags": [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "1"}],
    }


@pytest.mark.parametrize(
    ("mode", "tag", "immutable"),
    [
        ("MUTABLE", "dev-1", False),
        ("IMMUTABLE", "dev-1", True),
        ("IMMUTABLE_WITH_EXCLUSION", "dev-1", False),
        ("IMMUTABLE_WITH_EXCLUSION", "v1", True),
        ("MUTABLE_WITH_EXCLUSION", "dev-1", True),
        ("MUTABLE_WITH_EXCLUSION", "v1", False),
    ],
)
def test_which_tags_may_move(mode: str, tag: str, immutable: bool) -> None:
    assert images.is_immutable(tag, mode, [FILTER]) is immutable
