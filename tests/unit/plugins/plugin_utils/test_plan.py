# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task's result says of the resource that it manages."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.plan import Entry, entries, listing, summary

NAMED = Entry("role", "localhost", "Create the thing", "", "keep")


def kinds(module: str, **result: Any) -> list[str]:
    return [entry.kind for entry in entries(NAMED, module, result)]


@pytest.mark.parametrize(
    ("diff", "kind"),
    [
        ({"before": {}, "after": {"name": "a"}}, "create"),
        ({"before": "", "after": "text"}, "create"),
        ({"before": {"path": "/a", "state": "absent"}, "after": {"path": "/a", "state": "directory"}}, "create"),
        ({"before": {"name": "a"}, "after": {"name": "b"}}, "update"),
        ({"before": {"name": "a"}, "after": {}}, "delete"),
        ([{"after": "text", "after_header": "/a"}, {}], "create"),
        ([{"before": "text", "after": "text"}], "update"),
        ([{"prepared": "whatever"}], "create or update"),
    ],
)
def test_a_diff_says_whether_the_resource_existed(diff: Any, kind: str) -> None:
    assert kinds("slipway.aws.ecr_repository", changed=True, diff=diff) == [kind]


@pytest.mark.parametrize(
    ("module", "result", "kind"),
    [
        ("amazon.aws.ec2_vpc_net", {}, "create"),
        ("amazon.aws.ec2_vpc_net", {"vpc": {"id": "vpc-1"}}, "update"),
        ("amazon.aws.ec2_vpc_route_table", {"route_table": {"id": "rtb-xxxxxxxx"}}, "create"),
        ("amazon.aws.ec2_vpc_igw", {"gateway_id": None, "vpc_id": "unknown"}, "create"),
        ("amazon.aws.ec2_key", {"invocation": {"module_args": {"state": "absent"}}}, "delete"),
        ("ansible.builtin.command", {}, "create"),
        ("ansible.builtin.debug", {"msg": "Would create load balancer shop."}, "create"),
        ("ansible.builtin.debug", {"msg": "Would push an image to shop."}, "create"),
        ("ansible.builtin.debug", {"msg": "Would delete target group shop."}, "delete"),
        ("ansible.builtin.debug", {"msg": "Would install docker.io."}, "update"),
        ("community.aws.ssm_parameter", {"censored": "hidden"}, "create or update"),
    ],
)
def test_without_a_diff_an_identity_or_a_sentence_says_it(module: str, result: dict[str, Any], kind: str) -> None:
    assert kinds(module, changed=True, **result) == [kind]


def test_unchanged_resources_are_kept_and_reads_are_not_listed() -> None:
    assert kinds("amazon.aws.ec2_vpc_net", changed=False) == ["keep"]
    assert kinds("amazon.aws.ec2_vpc_net_info", changed=False) == []
    assert kinds("ansible.builtin.assert", changed=False) == []


def test_a_release_has_an_entry_for_each_service() -> None:
    services = {"web": {"state": "updated"}, "api": {"state": "unchanged"}, "new": {"state": "created"}}
    found = list(entries(NAMED, "slipway.aws.ecs_release", {"changed": True, "services": services}))
    assert [(entry.item, entry.kind) for entry in found] == [("web", "update"), ("api", "keep"), ("new", "create")]


@pytest.mark.parametrize(
    ("prune", "listed"),
    [(False, ["old, 2 running tasks", "full, it contains images"]), (True, ["full, it contains images"])],
)
def test_obsolete_resources_are_listed_unless_a_task_deletes_them(prune: bool, listed: list[str]) -> None:
    obsolete = [
        {"kind": "service", "name": "old", "state": "2 running tasks", "kept_because": ""},
        {"kind": "repository", "name": "full", "state": "", "kept_because": "it contains images"},
    ]
    found = list(
        entries(
            NAMED, "slipway.aws.project_info", {"obsolete": obsolete, "invocation": {"module_args": {"prune": prune}}}
        )
    )
    assert [entry.item for entry in found] == listed
    assert f", {len(listed)} obsolete (deleted with -e slipway_prune=true)." in summary(found)
    assert "obsolete" not in summary([])


def test_the_list_is_by_role_and_the_summary_counts() -> None:
    known = [
        Entry("ecs_network", "localhost", "Create the VPC", "", "create"),
        Entry("ecs_network", "localhost", "Create the subnets", "zone-a", "keep"),
        Entry("docker_host", "docker-EC2", "Add users to the group docker", "ec2-user", "update"),
    ]
    assert listing(known) == [
        "ecs_network",
        "  + Create the VPC",
        "docker_host, on docker-EC2",
        "  ~ Add users to the group docker (ec2-user)",
    ]
    assert summary(known) == "1 to create, 1 to update, 1 to keep."
