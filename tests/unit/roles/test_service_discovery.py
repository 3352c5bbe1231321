# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of services are created once, found again and deleted; a namespace of others with the same name is kept."""

from __future__ import annotations

import typing as t

import pytest

Json = dict[str, t.Any]
SITE = {"slipway_project": "shop", "service_discovery_services": ["database"]}


def role(entry: str, name: str = "service_discovery", **variables: t.Any) -> Json:
    return {
        "name": entry,
        "ansible.builtin.include_role": {"name": f"slipway.aws.{name}", "tasks_from": entry},
        "vars": variables,
    }


def that(*conditions: str) -> Json:
    return {"name": "Verify", "ansible.builtin.assert": {"that": list(conditions)}}


def namespaces(cloud: t.Any) -> list[str]:
    listed = cloud.client("servicediscovery").list_namespaces()["Namespaces"]
    return sorted(namespace["Name"] for namespace in listed)


@pytest.mark.witness("service_discovery")
@pytest.mark.variants
def test_names_are_created_once_and_deleted(cloud: t.Any) -> None:
    network = {"vpc_id": cloud.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]}
    site = {**SITE, "ecs_network_result": network}
    predicted = cloud.play(
        [role("main"), that("service_discovery_result.services.database == 'unknown'")], "--check", **site
    )
    assert (predicted.code, predicted.changed, namespaces(cloud)) == (0, 1, []), predicted.output
    found = that(
        "service_discovery_result.namespace == 'shop.internal'",
        "service_discovery_result.services.database is match('arn:')",
    )
    made = cloud.play([role("main"), role("main"), role("find"), found], **site)
    assert (made.code, made.changed, namespaces(cloud)) == (0, 1, ["shop.internal"]), made.output
    gone = cloud.play(
        [role("absent"), role("absent"), role("find"), that("not service_discovery_result.services")], **site
    )
    assert (gone.code, gone.changed, namespaces(cloud)) == (0, 1, []), gone.output


def test_a_namespace_of_others_is_kept(cloud: t.Any) -> None:
    client = cloud.client("servicediscovery")
    client.create_private_dns_namespace(Name="shop.internal", Vpc="vpc-0123456789abcdef0")
    site = {**SITE, "ecs_network_result": {"vpc_id": "vpc-0123456789abcdef0"}}
    refused = cloud.play([role("absent"), role("main")], **site)
    assert (refused.code, namespaces(cloud)) == (2, ["shop.internal"]), refused.output
    assert "tag slipway:project=shop, got shop.internal without this tag." in " ".join(refused.output.split())


def test_a_page_needs_a_load_balancer(cloud: t.Any) -> None:
    nothing = {"ecs_cluster_result": {"name": "shop"}, "ecs_load_balancer_result": {"url": ""}}
    refused = cloud.play([role("main", "ecs_verify", **nothing)], slipway_project="shop")
    assert refused.code == 2
    assert "Create them with --tags load_balancer or --tags docker_instance, or remove the checks." in " ".join(
        refused.output.split()
    )
