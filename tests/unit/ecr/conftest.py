# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ECR modules are held against two emulators: moto in this process, and MiniStack, whose registry is real."""

from __future__ import annotations

import hashlib
import json
import typing as t

import boto3
import botocore.session
import pytest

REGION = "eu-central-1"


@pytest.fixture(params=["moto", "ministack"])
def emulator(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ecr(aws: None) -> t.Any:
    return boto3.client("ecr", region_name=REGION)


@pytest.fixture(scope="session")
def ecr_model() -> t.Any:
    """botocore's model of ECR."""
    return botocore.session.get_session().get_service_model("ecr")


@pytest.fixture
def put(ecr: t.Any) -> t.Callable[[str, str, str], str]:
    """`put("webapp", "v1", "content")` makes an image with a tag; its digest."""

    def put_image(repository: str, tag: str, content: str) -> str:
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, "digest": content},
                "layers": [],
            }
        )
        digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
        ecr.put_image(
            repositoryName=repository,
            imageManifest=manifest,
            imageManifestMediaType="application/vnd.docker.distribution.manifest.v2+json",
            imageDigest=digest,
            imageTag=tag,
        )
        return digest

    return put_image
