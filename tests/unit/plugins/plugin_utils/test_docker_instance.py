# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the variables of the role docker_instance, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.docker_instance import instance_architecture, settings

PARAMETER = "/aws/service/debian/release/13/latest/amd64"
VARIABLES: dict[str, Any] = {
    "project": "shop",
    "tags": {"critical": True},
    "region": "eu-west-1",
    "name": "docker-EC2",
    "architecture": "x86_64",
    "type": "t3.small",
    "image_id": f"resolve:ssm:{PARAMETER}",
    "volume_size": 30,
    "permissions_boundary": "",
    "directory": "/tmp/shop",
}


def of(**changed: Any) -> dict[str, Any]:
    return settings({f"docker_instance_{name}": value for name, value in (VARIABLES | changed).items()}, PARAMETER)


def test_an_instance_is_found_by_the_tags_that_it_gets() -> None:
    known = of()
    assert known["problems"] == []
    assert known["tags"] == {"critical": "true", "slipway:project": "shop"}
    assert known["filters"]["tag:slipway:project"] == "shop"
    assert known["role_tags"]["slipway:region"] == "eu-west-1"
    assert known["role_tags"]["slipway:role"] == "docker_instance"
    assert (known["known_hosts"], known["key_prefix"]) == ("/tmp/shop/known_hosts", "shop-docker-EC2-")


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"name": "docker host"}, "name: expected letters, digits, dots, underscores and hyphens"),
        ({"image_id": "debian"}, "image_id: expected an id such as ami-0123456789abcdef0"),
        ({"permissions_boundary": "shop"}, "permissions_boundary: expected the ARN of a managed policy"),
        ({"volume_size": 4}, "volume_size: expected at least 8 GiB"),
        ({"type": "m7g.large"}, "type: expected a type with the processor x86_64"),
        ({"architecture": "arm64"}, "type: expected a type with the processor arm64"),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_expected(changed: dict[str, Any], problem: str) -> None:
    assert [one.startswith(f"docker_instance_{problem}") for one in of(**changed)["problems"]] == [True]


def test_an_image_of_ones_own_may_have_any_processor() -> None:
    assert of(image_id="ami-1", type="m7g.large")["problems"] == []


@pytest.mark.parametrize(
    ("kind", "architecture"),
    [
        *(
            (kind, "ARM64")
            for kind in (
                "t4g.small",
                "m7g.large",
                "c7gn.xlarge",
                "x2gd.large",
                "is4gen.large",
                "a1.large",
                "g5g.xlarge",
            )
        ),
        *(
            (kind, "X86_64")
            for kind in ("t3.small", "m7i-flex.large", "g4dn.xlarge", "g6e.xlarge", "c7a.large", "u7i-12tb.224xlarge")
        ),
    ],
)
def test_instance_types_have_an_architecture(kind: str, architecture: str) -> None:
    assert instance_architecture(kind) == architecture
