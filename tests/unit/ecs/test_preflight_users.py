# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight reports containers that run as root because nobody says otherwise."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.names import Home
from ansible_collections.slipway.aws.plugins.module_utils._ecs.preflight import images
from ansible_collections.slipway.aws.plugins.module_utils._ecs.preflight.checklist import (
    Account,
    Checklist,
    Desired,
    Key,
    Service,
)

Json = dict[str, t.Any]
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web:1"


def checked(asked: str, container: Json, config: Json) -> list[tuple[str, str]]:
    """The states and messages of the check `user`."""
    definition = {"container_definitions": [{"name": "web", "image": IMAGE, **container}]}
    service = Service("ecs_app_services[0] (web)", "web", {}, definition)
    manifest = {"imageManifest": json.dumps({"config": {"digest": "sha256:1"}})}
    answers = {
        Key("image", IMAGE): manifest,
        Key("image platform", IMAGE, ("sha256:1",)): {"os": "linux", "architecture": "amd64", **config},
    }
    account = Account(Home("aws", "eu-central-1", "123456789012"), datetime.datetime.now(datetime.UTC), answers)
    checklist = Checklist(Desired("shop", [service], site={"root_user": asked}), account)
    images.check(checklist, service)
    assert not account.wanted
    return [(one.state, one.text) for one in checklist.results if one.check == "user"]


@pytest.mark.parametrize("config", [{}, {"config": None}, {"config": {"User": ""}}, {"config": {"User": "0:0"}}])
def test_an_image_of_root_is_a_warning_or_refused(config: Json) -> None:
    ((warned, text),) = checked("warn", {}, config)
    ((refused, same),) = checked("refuse", {}, config)
    assert (warned, refused, text) == ("WARN", "FAIL", same)
    assert "Add USER to its Dockerfile, or set user in the container or in ecs_app_container_defaults." in text
    assert checked("allow", {}, config) == []


@pytest.mark.parametrize(
    ("container", "user"), [({}, "1000"), ({}, "www-data:www-data"), ({"user": "1000"}, ""), ({"user": "0"}, "root")]
)
def test_another_user_or_one_that_the_container_names_is_fine(container: Json, user: str) -> None:
    assert checked("refuse", container, {"config": {"User": user}}) == []
