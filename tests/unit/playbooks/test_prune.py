# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook prune, without the variables of a site: what it prints, and that it deletes what it has listed."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import boto3

from ansible_collections.slipway.aws.tests import plays
from ansible_collections.slipway.aws.tests.unit.ecs.pruning import Shop

ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-central-1"
KEYS = {"access_key": "key", "secret_key": "b2f0c1d4e7a9"}


def play(address: str, *options: str, **variables: t.Any) -> str:
    given = {
        "slipway_project": "shop",
        "slipway_region": REGION,
        "slipway_endpoint_url": address,
        **{f"slipway_{name}": text for name, text in KEYS.items()},
        "ansible_python_interpreter": sys.executable,
        "ecs_app_keep_releases": 10,
        "prune_keep_days": 0,
        **variables,
    }
    words = ["playbooks/prune.yml", "-i", "localhost,", "-c", "slipway.aws.forkserver", *options]
    done = plays.run(*words, extra=given)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_playbook_deletes_what_it_predicts(start_cloud: t.Callable[..., str]) -> None:
    address = start_cloud()
    keys = {"aws_access_key_id": KEYS["access_key"], "aws_secret_access_key": KEYS["secret_key"]}
    shop = Shop(lambda name: boto3.client(name, endpoint_url=address, region_name=REGION, **keys))
    for _number in range(12):
        shop.record_next()
    predicted = play(address, "--check").splitlines()
    first = shop.images[0]
    assert predicted[:4] == [
        "would delete  release 1 of the history",
        "would delete  release 2 of the history",
        "would delete  task definition web:1",
        f"would delete  image shop/web@{first}",
    ]
    assert "kept          task definition web:2: release 3 needs it" in predicted
    assert first in shop.digests()
    done = json.loads(play(address, prune_format="json"))
    assert done["deleted"]["task_definitions"] == ["web:1"]
    assert first not in shop.digests()
