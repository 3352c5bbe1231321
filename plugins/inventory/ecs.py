# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ecs
short_description: Containers that run on Amazon ECS as hosts
version_added: 0.2.0
author: The Slipway authors (@slipway)
description:
  - One host for each container that runs, or for each task. It reads the tasks of all clusters, or of those named, in
    one or more regions at the same time.
  - The name of a host consists of its service, or its task definition's family if it has no service, the first 8
    characters of the task's ID, and the container, for example C(web-3f2a9c1d-nginx). Hosts that would share a name
    have the whole ID.
  - Hosts belong to groups of their region, cluster, service, family, container, version, zone, launch type, health
    and tags, for example C(service_web), C(cluster_shop), C(zone_eu_central_1a), C(health_healthy) and
    C(tag_team_web). In names of groups, Ansible replaces what is neither a letter nor a digit by C(_).
  - The version of a container is the tag in the reference to its image. If that has only a digest, it is a tag that
    the image has in Amazon ECR, other than C(latest) if possible. The digest is in C(ecs_digest).
  - Ansible connects to the hosts with P(slipway.aws.ecs_exec#connection), in the same account; I(access_key) and
    I(secret_key) have to be in the environment for that. Use I(compose) to set another C(ansible_connection).
  - If the credentials do not allow a call, a warning names the missing permission, and the hosts that could be read
    are returned.
  - The name of the file has to end with C(ecs.yml) or C(ecs.yaml).
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [slipway.aws.ecs]
  regions:
    description: The regions to read. Without any, the region of the connection.
    type: list
    elements: str
    default: []
  clusters:
    description:
      - Names or ARNs of the clusters to read. Without any, all clusters.
      - The inventory fails if a cluster does not exist in any of the regions.
    type: list
    elements: str
    default: []
  services:
    description: Names of the services whose tasks become hosts. Without any, all tasks do, also those of no service.
    type: list
    elements: str
    default: []
  containers:
    description:
      - Names of the containers that become hosts. Without any, all containers do.
      - Modules need Python in a container; M(ansible.builtin.raw) and M(ansible.builtin.script) do without.
    type: list
    elements: str
    default: []
  hosts:
    description:
      - What becomes a host.
      - A host of a task has no container; its variable C(ecs_containers) lists those that run.
    type: str
    choices: [container, task]
    default: container
extends_documentation_fragment:
  - inventory_cache
  - constructed
  - amazon.aws.boto3
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.assume_role.plugins
notes:
  - Requires the permissions C(ecs:ListTasks) and C(ecs:DescribeTasks), C(ecs:ListClusters) without I(clusters), and
    C(ecr:DescribeImages) for the versions of images that are referred to by their digest.
  - A file reads one account. For several, put a file for each, with its own I(assume_role_arn) or I(profile), into
    one folder and pass that to Ansible.
  - ECS returns tags of tasks that were started with them or whose service propagates tags.
seealso:
  - module: slipway.aws.ecs_cluster_info
  - plugin: slipway.aws.ecs_exec
    plugin_type: connection
"""

EXAMPLES = r"""
# ecs.yml: every container of all clusters in one region.
# ansible-inventory -i ecs.yml --graph
plugin: slipway.aws.ecs
region: eu-central-1

---
# The containers of two services, in two regions, and a group of those that are not healthy.
plugin: slipway.aws.ecs
regions: [eu-central-1, us-east-1]
clusters: [shop]
services: [web, worker]
groups:
  to_check: ecs_health != 'healthy'

---
# One host for each task, of another account, kept in a cache for a minute, with groups by revision.
plugin: slipway.aws.ecs
region: eu-central-1
assume_role_arn: arn:aws:iam::123456789012:role/read-only
hosts: task
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /tmp/ecs-inventory
cache_timeout: 60
keyed_groups:
  - key: ecs_family ~ '_' ~ ecs_revision
    prefix: revision
"""

import typing as t

from ansible.errors import AnsibleParserError
from ansible_collections.amazon.aws.plugins.plugin_utils.inventory import AWSInventoryBase

from ansible_collections.slipway.aws.plugins.module_utils._core import calls
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._ecs.hosts import flow, model

Hosts = dict[str, dict[str, t.Any]]


class InventoryModule(AWSInventoryBase):  # type: ignore[misc]  # amazon.aws has no types
    NAME = "slipway.aws.ecs"

    def verify_file(self, path: str) -> bool:
        return bool(super().verify_file(path)) and path.endswith(("ecs.yml", "ecs.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache=cache)
        is_cached, hosts = self.get_cached_result(path, cache)
        if not is_cached:
            hosts = self._read()
        for name, variables in hosts.items():
            self._add(name, variables)
        self.update_cached_result(path, cache, hosts)

    def _read(self) -> Hosts:
        regions = self.get_option("regions") or [self.region]
        clients = {region: flow.Clients(self._client("ecs", region), self._client("ecr", region)) for region in regions}
        reader = flow.Reader(clients, self.get_option("clusters"), self.get_option("services"))
        try:
            found = reader.read()
        except SlipwayError as error:
            raise AnsibleParserError(error.msg) from error
        for warning in found.warnings:
            self.warn(warning)
        containers = self.get_option("containers")
        return model.hosts(found.tasks, found.images, self.get_option("hosts") == "task", containers)

    def _client(self, service: str, region: str | None) -> t.Any:
        # amazon.aws has refused a Python without it, with a message.
        from botocore.config import Config

        return calls.watch(self.client(service, region=region, config=Config(**calls.settings({}))))

    def _connection(self) -> dict[str, str]:
        """How Ansible reaches a container: in the account that this inventory reads. Keys are no variables of hosts."""
        named = {name: self.get_option(name) for name in ("assume_role_arn", "endpoint_url", "profile")}
        options = {f"ansible_ecs_exec_{name}": str(value) for name, value in named.items() if value}
        return {"ansible_connection": "slipway.aws.ecs_exec", **options}

    def _add(self, name: str, variables: dict[str, t.Any]) -> None:
        self.inventory.add_host(name)
        for key, value in {**variables, **self._connection()}.items():
            self.inventory.set_variable(name, key, value)
        for group in model.groups(variables):
            self.inventory.add_child(self.inventory.add_group(self._sanitize_group_name(group)), name)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)
