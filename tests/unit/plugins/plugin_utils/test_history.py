# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of releases, and the revision in git."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

from ansible_collections.slipway.aws.plugins.plugin_utils.git import revision_of
from ansible_collections.slipway.aws.plugins.plugin_utils.history import table

Json = dict[str, t.Any]
RELEASE: Json = {
    "number": 2,
    "action": "release",
    "to": None,
    "resumes": None,
    "resumed_by": None,
    "outcome": "succeeded",
    "code": None,
    "started_at": "2026-11-30T12:00:00Z",
    "ended_at": "2026-11-30T12:01:30Z",
    "seconds": 90.4,
    "by": "arn:aws:sts::123456789012:assumed-role/deployer/ci",
    "host": "me@laptop",
    "revision": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567-dirty",
    "services": [],
    "problem": None,
}


def version(revision: str, digest: str) -> Json:
    image = {"container": "web", "image": "web:1", "digest": f"sha256:{digest * 64}"}
    return {"task_definition": revision, "images": [image]}


def lines(*releases: Json, limit: int = 20, width: int = 120) -> list[str]:
    return [line.text for line in table({"project": "shop", "releases": releases}, width, limit)]


def test_a_release_has_its_services_with_what_changed() -> None:
    services = [
        {"name": "web", "state": "updated", "before": version("web:1", "a"), "after": version("web:2", "b")},
        {"name": "new", "state": "created", "before": None, "after": version("new:1", "c")},
        {"name": "still", "state": "rolled_back", "before": version("s:1", "d"), "after": version("s:1", "d")},
    ]
    assert lines({**RELEASE, "services": services}) == [
        "  RELEASE  STARTED (UTC)        SECONDS  OUTCOME    GIT            BY",
        "  2        2026-11-30 12:00:00  90       succeeded  0a1b2c3-dirty  deployer/ci (me@laptop)",
        "    web    updated  web:1 -> web:2  web @aaaaaaaaaaaa -> @bbbbbbbbbbbb",
        "    new    created  new:1  web @cccccccccccc",
        "    still  rolled back  s:1",
    ]


def test_a_promotion_says_where_its_images_come_from() -> None:
    origin = {"project": "shop-staging", "region": "eu-central-1", "account": "123456789012", "release": 12}
    found = "    promoted from shop-staging in eu-central-1, account 123456789012"
    assert lines({**RELEASE, "promoted_from": origin})[2] == f"{found}, release 12"
    assert lines({**RELEASE, "promoted_from": {**origin, "release": None}})[2] == found


def test_what_needs_attention_and_what_refers_to_others_is_marked() -> None:
    unfinished = {**RELEASE, "outcome": "unfinished", "ended_at": None, "seconds": None, "resumed_by": 3}
    back = {**RELEASE, "number": 3, "action": "rollback", "resumes": 2, "revision": None}
    shown = lines({**back, "to": 1}, back, unfinished, {**RELEASE, "problem": "its record cannot be read"}, limit=4)
    assert [line[:55].rstrip() for line in shown[1:4]] == [
        "  3        2026-11-30 12:00:00  90       succeeded, rol",
        "  3        2026-11-30 12:00:00  90       succeeded, rol",
        "! 2        2026-11-30 12:00:00  -        unfinished, se",
    ]
    assert ["rollback to 1" in shown[1], "rollback of 2" in shown[2], "see 3" in shown[3]] == [True] * 3
    assert shown[-1] == "    its record cannot be read"


def test_who_released_is_never_cut() -> None:
    services = [{"name": "web", "state": "updated", "before": version("web:1", "a"), "after": version("web:2", "a")}]
    shown = lines({**RELEASE, "services": services}, width=80)
    assert shown == [
        "  RELEASE  STARTED (UTC)        SECONDS  OUTCOME    GIT",
        "  2        2026-11-30 12:00:00  90       succeeded  0a1b2c3-dirty",
        "    by deployer/ci (me@laptop)",
        "    web  updated  web:1 -> web:2",
    ]
    assert "BY" in lines(RELEASE, width=max(map(len, lines(RELEASE))))[0]


def test_an_empty_history_and_a_limit_are_said() -> None:
    assert lines() == ["shop: no release is recorded."]
    assert lines(RELEASE, RELEASE, limit=1)[-1] == "  1 more"


def test_the_revision_is_that_of_the_inventory(tmp_path: Path) -> None:
    repository = tmp_path / "site"
    repository.mkdir()

    def git(*arguments: str) -> str:
        who = ["-c", "user.email=a@example.com", "-c", "user.name=a"]
        done = subprocess.run(["git", *who, *arguments], cwd=repository, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    (repository / "hosts").write_text("localhost\n")
    for command in (["init"], ["add", "hosts"], ["commit", "-m", "one"]):
        git(*command)
    commit = git("rev-parse", "HEAD")
    variables = {"inventory_dir": str(repository), "playbook_dir": str(tmp_path)}
    assert revision_of(variables) == commit
    (repository / "hosts").write_text("other\n")
    assert revision_of(variables) == f"{commit}-dirty"
    assert revision_of({"inventory_dir": None, "playbook_dir": str(tmp_path)}) == ""
    assert revision_of({"playbook_dir": "/a/ansible_collections/slipway/aws/playbooks"}) == ""
