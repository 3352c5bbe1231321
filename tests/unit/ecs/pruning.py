# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project that is released again and again, for tests of what is pruned."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ansible_collections.slipway.aws.plugins.module_utils._core import history

Json = dict[str, t.Any]
PROJECT = "shop"
TAGS = {"slipway:project": PROJECT}
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Shop:
    """A repository and a family of task definitions, whose images are named by digest.

    A tag moves to each new image; with `tag`, each has one of its own.
    """

    def __init__(self, client: t.Callable[[str], t.Any], tag: str = "") -> None:
        self.ecs, self.ecr, self.ssm = (client(name) for name in ("ecs", "ecr", "ssm"))
        self.ecs.create_cluster(clusterName="shop")
        self.address = self.create_repository("shop/web", TAGS)
        self.tag = tag
        self.images: list[str] = []
        self.versions: list[Json] = []

    def create_repository(self, name: str, tags: t.Mapping[str, str]) -> str:
        listed = [{"Key": key, "Value": text} for key, text in tags.items()]
        return str(self.ecr.create_repository(repositoryName=name, tags=listed)["repository"]["repositoryUri"])

    def put(self, content: t.Any, tag: str = "newest", kind: str = MANIFEST, repository: str = "shop/web") -> str:
        config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, "digest": str(content)}
        body = {"manifests": content} if kind == INDEX else {"config": config, "layers": []}
        manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, **body})
        digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
        self.ecr.put_image(
            repositoryName=repository,
            imageManifest=manifest,
            imageManifestMediaType=kind,
            imageDigest=digest,
            imageTag=tag,
        )
        return digest

    def put_next(self) -> str:
        number = len(self.images) + 1
        self.images.append(self.put(f"v{number}", f"{self.tag}{number}" if self.tag else "newest"))
        return self.images[-1]

    def register(self, family: str, image: str, tags: t.Mapping[str, str] = TAGS) -> str:
        containers = [{"name": family, "image": image, "memory": 64}]
        listed = [{"key": key, "value": text} for key, text in tags.items()]
        request = {"family": family, "containerDefinitions": containers, **({"tags": listed} if listed else {})}
        return str(self.ecs.register_task_definition(**request)["taskDefinition"]["taskDefinitionArn"])

    def record_next(self) -> None:
        """What a release of the next image leaves, without its calls."""
        reference = f"{self.address}@{self.put_next()}"
        revision = self.register("web", reference).rpartition("/")[2]
        images = [["web", reference, reference.partition("@")[2]]]
        self.versions.append({"task_definition": revision, "images": images})
        before, after = ([{}, *self.versions])[-2:]
        services = {"web": {"state": "updated", "before": before, "after": after}}
        record = history.Record(id="x", run="x", cluster="shop", outcome="succeeded", services=services)
        tags = [{"Key": key, "Value": text} for key, text in TAGS.items()]
        name = f"/slipway/shop/release/{len(self.images)}"
        self.ssm.put_parameter(Name=name, Value=history.encoded(record)[0], Type="String", Tags=tags)

    def revisions(self, family: str = "web", status: str = "ACTIVE") -> set[int]:
        arns = self.ecs.list_task_definitions(familyPrefix=family, status=status)["taskDefinitionArns"]
        return {int(arn.rpartition(":")[2]) for arn in arns}

    def digests(self, repository: str = "shop/web") -> set[str]:
        return {one["imageDigest"] for one in self.ecr.describe_images(repositoryName=repository)["imageDetails"]}
