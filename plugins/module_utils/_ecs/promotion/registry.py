# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where images are, and what to do about those that a stage cannot reach. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"
    r"/(?P<repository>[^@:]+)@(?P<digest>sha256:[0-9a-f]{64})"
)


class Image(t.NamedTuple):
    """An image in Amazon ECR. Without an account and a region, it is in the stage's own registry."""

    reference: str
    account: str
    region: str
    repository: str
    digest: str


def located(references: Iterable[str], registry: str) -> list[Image]:
    """The images that are in Amazon ECR. `registry` is another address of the account's own, as the local cloud has."""
    found = []
    for reference in references:
        if match := _ECR.fullmatch(reference):
            found.append(Image(reference, match["account"], match["region"], match["repository"], match["digest"]))
        elif registry and reference.startswith(f"{registry}/"):
            path, _at, digest = reference.removeprefix(f"{registry}/").partition("@")
            found.append(Image(reference, "", "", path, digest))
    return found


def unreachable(image: Image, account: str, reason: str) -> str:
    """One sentence on an image that a stage in `account` cannot pull, and what to do."""
    text = f"{image.reference}: expected an image that account {account} can pull, got {reason}."
    if not image.account or image.account == account:
        return f"{text} Release the other stage again, and check whether its repository was deleted or pruned."
    return (
        f"{text} Share the repository {image.repository}: in the inventory of account {image.account}, give it a policy"
        f" that allows arn:aws:iam::{account}:root ecr:BatchGetImage and ecr:GetDownloadUrlForLayer, and run site.yml"
        " --tags registry there. Allow the same here to the deployer, with the document promote, and to the execution"
        " role, with ecs_cluster_execution_statements."
    )
