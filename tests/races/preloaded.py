# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Imported by the process that forks those of modules, so that each of them starts at once."""

from __future__ import annotations

import functools
import gc

import boto3
import botocore.hooks
import botocore.loaders
import botocore.session

from ansible_collections.slipway.aws.plugins.modules import ecs_release
from ansible_collections.slipway.aws.tests.races import module_process

__all__ = ["ecs_release", "module_process"]

CLIENTS = ("ecs", "elbv2", "ssm", "sts", "ecr")


def preload() -> None:
    """Read botocore's models, and keep what each session would compute again."""
    read = functools.cache(botocore.loaders.JSONFileLoader().load_file)
    listed = functools.cache(botocore.session.get_session().get_component("data_loader").list_available_services)
    alias = functools.cache(botocore.hooks.EventAliaser(botocore.hooks.HierarchicalEmitter())._alias_event_name)
    setattr(botocore.loaders.JSONFileLoader, "load_file", lambda _self, path: read(path))  # noqa: B010
    setattr(botocore.loaders.Loader, "list_available_services", lambda _self, type_name: listed(type_name))  # noqa: B010
    setattr(botocore.hooks.EventAliaser, "_alias_event_name", lambda _self, name: alias(name))  # noqa: B010
    for name in CLIENTS:
        boto3.client(name, region_name="eu-central-1", aws_access_key_id="key", aws_secret_access_key="key")
    gc.collect()
    gc.freeze()


preload()
