# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps data: repositories, buckets, log groups, parameters and secrets, of which never the values."""

from __future__ import annotations

import contextlib
import json
import typing as t

from ..._core import tags
from ..._core.names import notes_paths
from ..._core.paging import pages
from ..._core.types import Json
from .base_api import Account, Found, each

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports it
    from botocore.exceptions import ClientError

# A bucket that we may not read, or one of another region, belongs to someone else.
SOMEONE_ELSES = {"AccessDenied", "PermanentRedirect", "AuthorizationHeaderMalformed"}
# Members of a bucket: the call, the member of its answer, and the error that says that there is none.
CONFIGURATION = {
    "Policy": ("get_bucket_policy", "Policy", "NoSuchBucketPolicy"),
    "Encryption": (
        "get_bucket_encryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
    "PublicAccessBlock": (
        "get_public_access_block",
        "PublicAccessBlockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
    ),
    "OwnershipControls": ("get_bucket_ownership_controls", "OwnershipControls", "OwnershipControlsNotFoundError"),
    "Versioning": ("get_bucket_versioning", "", ""),
    "Lifecycle": ("get_bucket_lifecycle_configuration", "Rules", "NoSuchLifecycleConfiguration"),
}


def unless_error(code: str, read: t.Callable[..., Json], **request: t.Any) -> Json | None:
    """The answer; None where AWS answers with this error."""
    try:
        return read(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] == code:
            return None
        raise


def buckets(account: Account) -> t.Iterator[Found]:
    s3 = account.clients["s3"]

    def read(item: Json) -> tags.Tags | ClientError:
        try:
            return tags.from_list(s3.get_bucket_tagging(Bucket=item["Name"])["TagSet"])
        except ClientError as error:
            if error.response["Error"]["Code"] in SOMEONE_ELSES:
                return error
            raise

    answers = list(each(s3.list_buckets()["Buckets"], read))
    refusals = [own for _item, own in answers if isinstance(own, ClientError)]
    # Whoever may read no bucket at all does not know whose they are.
    if account.in_full and refusals and len(refusals) == len(answers):
        raise refusals[0]
    for item, own in answers:
        if not isinstance(own, ClientError):
            yield Found(item["Name"], item["Name"], own, "access logs", details=item)


def bucket_configuration(account: Account, bucket: Found) -> Json:
    found: Json = {}
    for name, (operation, member, missing) in CONFIGURATION.items():
        answer = unless_error(missing, getattr(account.clients["s3"], operation), Bucket=bucket.id)
        rest = {key: value for key, value in (answer or {}).items() if key != "ResponseMetadata"}
        found[name] = rest if not member else rest.get(member)
    return {**found, "Policy": json.loads(found["Policy"]) if found["Policy"] else None}


def log_groups(account: Account) -> t.Iterator[Found]:
    logs = account.clients["logs"]

    def read(item: Json) -> tags.Tags:
        return dict(logs.list_tags_for_resource(resourceArn=item["arn"].removesuffix(":*"))["tags"])

    for item, own in each(pages(logs, "describe_log_groups", "logGroups"), read):
        name, arn = item["logGroupName"], item["arn"].removesuffix(":*")
        yield Found(name, name, own, arn=arn, details=item)


def parameters(account: Account) -> t.Iterator[Found]:
    """Their metadata: this API returns no values."""
    ssm = account.clients["ssm"]
    mine = [{"Key": f"tag:{tags.PROJECT}", "Values": [account.project]}]

    def read(item: Json) -> tags.Tags:
        answer = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=item["Name"])
        return tags.from_list(answer["TagList"])

    found = pages(ssm, "describe_parameters", "Parameters", ParameterFilters=mine)
    # The records of roles and releases.
    notes = notes_paths(account.project)
    for item, own in each([one for one in found if not one["Name"].startswith(notes)], read):
        yield Found(item["Name"], item["Name"], own, arn=item.get("ARN", ""), details=item)


def secrets(account: Account) -> t.Iterator[Found]:
    """Their metadata: this API returns no values."""
    mine = [{"Key": "tag-key", "Values": [tags.PROJECT]}, {"Key": "tag-value", "Values": [account.project]}]
    for one in pages(account.clients["secretsmanager"], "list_secrets", "SecretList", Filters=mine):
        if not one.get("DeletedDate"):
            yield Found(one["ARN"], one["Name"], tags.from_list(one.get("Tags")), arn=one["ARN"], details=one)


def repositories(account: Account) -> t.Iterator[Found]:
    ecr = account.clients["ecr"]

    def read(item: Json) -> tags.Tags:
        return tags.from_list(ecr.list_tags_for_resource(resourceArn=item["repositoryArn"])["tags"])

    for item, own in each(pages(ecr, "describe_repositories", "repositories"), read):
        name = item["repositoryName"]
        full = tags.belongs_to(own, account.project) and ecr.list_images(repositoryName=name, maxResults=1)["imageIds"]
        yield Found(name, name, own, "images" if full else "", arn=item["repositoryArn"], details=item)


def repository_policies(account: Account, repository: Found) -> Json:
    ecr, name = account.clients["ecr"], repository.id
    policy = unless_error("RepositoryPolicyNotFoundException", ecr.get_repository_policy, repositoryName=name)
    lifecycle = unless_error("LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy, repositoryName=name)
    return {
        "policy": json.loads(policy["policyText"]) if policy else None,
        "lifecyclePolicy": json.loads(lifecycle["lifecyclePolicyText"]) if lifecycle else None,
    }


def images(account: Account, repository: Found) -> Json:
    """All images, the newest first."""
    large = {"PaginationConfig": {"PageSize": 1000}}
    found = pages(account.clients["ecr"], "describe_images", "imageDetails", repositoryName=repository.id, **large)
    return {"images": sorted(found, key=lambda one: (one["imagePushedAt"], one["imageDigest"]), reverse=True)}
