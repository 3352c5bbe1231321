# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks with modules of community.aws, converted as text."""

from __future__ import annotations

import ast
import textwrap
import typing as t
from pathlib import Path

import ansible_collections.community.aws as community
import pytest
import yaml

from ansible_collections.slipway.aws.plugins.module_utils._convert.community_aws.options import CONNECTION, MODULES
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError

from .conftest import ConvertFiles, Json, Result

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs/docsite/rst/guide_from_community_aws.rst").read_text(encoding="utf-8")


def spec_of(path: Path, names: tuple[str, ...]) -> dict[str, ast.expr]:
    """The options of a module and their specifications."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        named = isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in names
        if isinstance(node, ast.Assign) and named and isinstance(node.value, ast.Call):
            return {str(word.arg): word.value for word in node.value.keywords}
    raise AssertionError(path)


def options_of(module: str) -> set[str]:
    """All options of a module of community.aws, with their other names."""
    [folder] = community.__path__
    spec = spec_of(Path(folder) / f"plugins/modules/{module}.py", ("argument_spec",))
    aliases = {
        str(alias.value)
        for value in spec.values()
        if isinstance(value, ast.Call)
        for word in value.keywords
        if word.arg == "aliases" and isinstance(word.value, ast.List)
        for alias in word.value.elts
        if isinstance(alias, ast.Constant)
    }
    return set(spec) | aliases


def documented(module: str) -> set[str]:
    text = (ROOT / f"plugins/modules/{module}.py").read_text(encoding="utf-8")
    found = next(
        node.value.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        and getattr(node.targets[0], "id", "") == "DOCUMENTATION"
        and isinstance(node.value, ast.Constant)
    )
    options = yaml.safe_load(str(found))["options"]
    return (
        set(options)
        | {alias for option in options.values() for alias in option.get("aliases", [])}
        | {"tags", "purge_tags"}
    )


@pytest.mark.parametrize("module", MODULES)
def test_every_option_is_converted_or_dropped_with_a_reason(module: str) -> None:
    known = MODULES[module].options
    assert options_of(module) - CONNECTION - {"resource_tags"} - set(known) == set()
    assert [name for name, option in known.items() if not option.to and not option.reason] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_option_becomes_one_that_exists(module: str) -> None:
    converted = {option.to for option in MODULES[module].options.values() if option.to}
    assert converted - documented(MODULES[module].name) == set()


@pytest.mark.parametrize("module", MODULES)
def test_the_guide_names_every_option(module: str) -> None:
    assert [name for name in MODULES[module].options if f"``{name}" not in GUIDE and f" {name}" not in GUIDE] == []


class Convert(t.Protocol):
    """Converts the tasks of a play, and returns those of the converted one."""

    def __call__(self, tasks: str) -> tuple[list[Json], Result]: ...


@pytest.fixture
def convert(convert_files: ConvertFiles) -> Convert:
    def converted(tasks: str) -> tuple[list[Json], Result]:
        play = "- hosts: localhost\n  tasks:\n" + textwrap.indent(textwrap.dedent(tasks), "    ")
        found = convert_files("community_aws", "play.yml", {"play.yml": play})
        return yaml.safe_load(found.content("play.yml"))[0]["tasks"], found

    return converted


def test_comments_order_and_quotes_stay(convert_files: ConvertFiles) -> None:
    text = textwrap.dedent(
        """\
        # The shop.
        - name: 'Deploy'
          hosts: localhost

          tasks:
            - name: "Create the repository"   # first
              community.aws.ecs_ecr:
                name: shop  # its name

                # Scanned.
                scan_on_push: yes
              register: repo

            - ansible.builtin.debug: {msg: "{{ repo.repository.repositoryUri }}"}
        """
    )
    found = convert_files("community_aws", "play.yml", {"play.yml": text})
    expected = (
        text.replace("community.aws.ecs_ecr", "slipway.aws.ecr_repository")
        .replace("scan_on_push: yes", "image_scanning_configuration: {scanOnPush: yes}")
        .replace("repositoryUri", "repository_uri")
    )
    assert found.content("play.yml") == expected


def test_a_task_definition(convert: Convert) -> None:
    tasks, found = convert(
        """\
        - name: Register
          community.aws.ecs_taskdefinition:
            state: present
            family: web
            launch_type: FARGATE
            task_role_arn: ""
            network_mode: default
            force_create: true
            containers:
              - name: web
                dependsOn: [{containerName: db, condition: start}]
          register: definition
        - debug:
            msg: "{{ definition.taskdefinition.taskDefinitionArn }}
              {{ definition['taskdefinition']['containerDefinitions'][0].name }}"
          when: definition.taskdefinition.revision > 1
        """
    )
    assert tasks[0]["slipway.aws.ecs_task_definition"] == {
        "state": "present",
        "family": "web",
        "requires_compatibilities": ["FARGATE"],
        "container_definitions": [{"name": "web", "dependsOn": [{"containerName": "db", "condition": "START"}]}],
    }
    assert tasks[1]["debug"]["msg"] == (
        "{{ definition.task_definition.arn }} {{ definition.task_definition.container_definitions[0].name }}"
    )
    assert tasks[1]["when"] == "definition.task_definition.revision > 1"
    assert "force_new_deployment" in found.note("play.yml: Register.force_create")


def test_a_service(convert: Convert) -> None:
    tasks, found = convert(
        """\
        - name: Update
          community.aws.ecs_service:
            name: web
            state: present
            desired_count: 2
            network_configuration:
              # Private.
              subnets: [subnet-0a]
              security_groups:
                - sg-01
                - web
              assign_public_ip: false
            deployment_configuration:
              minimum_healthy_percent: 50
              deployment_circuit_breaker: {enable: true, rollback: true}
            capacity_provider_strategy:
              - {capacity_provider: FARGATE, weight: 1}
            service_registries:
              - arn: "{{ registry }}"
                container_port: 80
            purge_placement_strategy: true
            force_deletion: true
        """
    )
    assert tasks[0]["slipway.aws.ecs_service"] == {
        "name": "web",
        "state": "present",
        "desired_count": 2,
        "network_configuration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-0a"],
                "securityGroups": ["sg-01", "web"],
                "assignPublicIp": "DISABLED",
            }
        },
        "deployment_configuration": {
            "minimumHealthyPercent": 50,
            "deploymentCircuitBreaker": {"enable": True, "rollback": True},
        },
        "capacity_provider_strategy": [{"capacityProvider": "FARGATE", "weight": 1}],
        "service_registries": [{"registryArn": "{{ registry }}", "containerPort": 80}],
        "force": True,
    }
    assert "web is a name" in found.note("play.yml: Update.network_configuration")
    assert "empty list" in found.note("play.yml: Update.purge_placement_strategy")
    assert "wait: false" in found.note("play.yml: Update")


def test_templates_in_options(convert: Convert) -> None:
    tasks, found = convert(
        """\
        - name: Update
          community.aws.ecs_service:
            name: web
            state: present
            network_configuration: "{{ network }}"
            deployment_configuration: "{{ deployment }}"
            wait: false
        - name: Create
          community.aws.ecs_ecr:
            name: web
            image_tag_mutability: "{{ mutability }}"
        """
    )
    assert tasks[0]["slipway.aws.ecs_service"]["network_configuration"] == "{{ network }}"
    assert "awsvpcConfiguration" in found.note("play.yml: Update.network_configuration")
    assert "AWS's spelling" in found.note("play.yml: Update.deployment_configuration")
    assert tasks[1]["slipway.aws.ecr_repository"]["image_tag_mutability"] == "{{ (mutability) | upper }}"


def test_deletions_wait_as_long_as_before(convert: Convert) -> None:
    tasks, _found = convert(
        """\
        - community.aws.ecs_service:
            name: web
            delay: 5
            state: deleting
            repeat: 20
        """
    )
    assert tasks[0]["slipway.aws.ecs_service"] == {"name": "web", "state": "absent", "wait_timeout": 100}


def test_a_cluster_and_its_instances(convert: Convert) -> None:
    tasks, _found = convert(
        """\
        - community.aws.ecs_cluster:
            name: shop
            state: present
            capacity_provider_strategy:
              - capacity_provider: FARGATE
            purge_capacity_providers: true
          register: cluster
        - name: Wait
          community.aws.ecs_cluster:
            name: "{{ cluster.cluster.clusterName }}"
            state: has_instances
            delay: 3
            repeat: 7
        """
    )
    assert tasks[0]["slipway.aws.ecs_cluster"] == {
        "name": "shop",
        "state": "present",
        "default_capacity_provider_strategy": [{"capacityProvider": "FARGATE"}],
    }
    assert tasks[1] == {
        "name": "Wait",
        "slipway.aws.ecs_cluster_info": {"names": ["{{ cluster.cluster.name }}"]},
        "register": "cluster_info",
        "until": "(cluster_info.clusters | first).registered_container_instances_count > 0",
        "retries": 7,
        "delay": 3,
    }


def test_a_repository(convert: Convert) -> None:
    tasks, _found = convert(
        """\
        - community.aws.ecs_ecr:
            name: shop
            image_tag_mutability: immutable
            purge_policy: true
            purge_lifecycle_policy: false
            encryption_configuration:
              encryption_type: KMS
              kms_key: "{{ key }}"
            force_absent: true
        """
    )
    assert tasks[0]["slipway.aws.ecr_repository"] == {
        "name": "shop",
        "image_tag_mutability": "IMMUTABLE",
        "policy": {},
        "encryption_configuration": {"encryptionType": "KMS", "kmsKey": "{{ key }}"},
        "force": True,
    }


def test_tasks_that_run(convert: Convert) -> None:
    tasks, found = convert(
        """\
        - name: Migrate
          community.aws.ecs_task:
            operation: run
            task_definition: migrate
            network_configuration: {subnets: [subnet-0a], assign_public_ip: true}
          register: migration
        - debug: {var: "migration.task[0].taskArn"}
        - name: Stop it
          community.aws.ecs_task:
            operation: stop
            task_definition: migrate
            task: "{{ migration.task[0].taskArn }}"
        """
    )
    assert tasks[0]["slipway.aws.ecs_task_run"] == {
        "task_definition": "migrate",
        "network_configuration": {"awsvpcConfiguration": {"subnets": ["subnet-0a"], "assignPublicIp": "ENABLED"}},
    }
    assert tasks[1]["debug"]["var"] == "migration.tasks[0].task_arn"
    assert tasks[2]["community.aws.ecs_task"]["task"] == "{{ migration.tasks[0].task_arn }}"
    assert "is unchanged" in found.note("play.yml: Stop it")


def test_what_only_reads_and_tags(convert: Convert) -> None:
    tasks, found = convert(
        """\
        - community.aws.ecs_service_info: {cluster: shop, service: web, details: true}
          register: services
        - community.aws.ecs_taskdefinition_facts:
            task_definition: web
          register: definition
        - debug:
            msg: "{{ services.services[0].desiredCount }} {{ definition.task_definition_arn }}
              {{ definition.container_definitions[0].memory_reservation }}"
        - community.aws.ecs_tag:
            cluster_name: shop
            tags: {team: web}
        - name: Tag the service
          community.aws.ecs_tag: {cluster_name: shop, resource: web, resource_type: service, tags: {a: b}}
        """
    )
    assert tasks[0]["slipway.aws.ecs_service_info"] == {"cluster": "shop", "names": "web"}
    assert tasks[1]["slipway.aws.ecs_task_definition_info"] == {"family": "web"}
    assert tasks[2]["debug"]["msg"] == (
        "{{ services.services[0].desired_count }} {{ definition.task_definitions[0].arn }}"
        " {{ definition.task_definitions[0].container_definitions[0].memoryReservation }}"
    )
    assert tasks[3]["slipway.aws.ecs_cluster"] == {"name": "shop", "purge_tags": False, "tags": {"team": "web"}}
    assert "community.aws.ecs_tag" in tasks[4]
    assert "is unchanged" in found.note("play.yml: Tag the service")


def test_an_unknown_member_of_a_result_is_a_note(convert: Convert) -> None:
    _tasks, found = convert(
        """\
        - community.aws.ecs_ecr: {name: shop}
          register: repo
        - debug: {msg: "{{ repo.created }} {{ repo is changed }} {{ repo.changed }}"}
        """
    )
    assert found.places == {"play.yml: repo.created"}


def test_each_of_a_loop(convert: Convert) -> None:
    tasks, _found = convert(
        """\
        - community.aws.ecs_ecr: {name: "{{ item }}"}
          loop: [a, b]
          register: repos
        - debug: {msg: "{{ repos.results[1].repository.repositoryArn }}"}
        """
    )
    assert tasks[1]["debug"]["msg"] == "{{ repos.results[1].repository.repository_arn }}"


def test_loops_over_the_results_of_loops(convert: Convert) -> None:
    tasks, _found = convert(
        """\
        - community.aws.ecs_taskdefinition: {family: "{{ item }}", state: present}
          loop: [a, b]
          register: made
        - debug: {msg: "{{ item.taskdefinition.taskDefinitionArn }} {{ item.item }}"}
          loop: "{{ made.results }}"
        - debug: {msg: "{{ pair.1.taskdefinition.family }} {{ item.taskdefinition }}"}
          with_together: ["{{ names }}", "{{ made.results }}"]
          loop_control: {loop_var: pair}
        - debug: {msg: "{{ made.results | map(attribute='taskdefinition.taskDefinitionArn') | list }}"}
        """
    )
    messages = [task["debug"]["msg"] for task in tasks[1:]]
    assert messages[0] == "{{ item.task_definition.arn }} {{ item.item }}"
    assert messages[1] == "{{ pair[1].task_definition.family }} {{ item.taskdefinition }}"
    assert messages[2] == "{{ made.results | map(attribute='task_definition.arn') | list }}"


def test_a_longer_name_in_one_line_stays_one_value(convert: Convert) -> None:
    tasks, _found = convert(
        """\
        - community.aws.ecs_taskdefinition_info: {task_definition: web}
          register: read
        - debug: {var: read.cpu}
        - debug:
            var: read.memory
        """
    )
    assert [task["debug"] for task in tasks[1:]] == [
        {"var": "read.task_definitions[0].cpu"},
        {"var": "read.task_definitions[0].memory"},
    ]


def test_what_stays_as_it_is_is_a_note(convert: Convert) -> None:
    _tasks, found = convert(
        """\
        - community.aws.ecs_ecr: {name: shop}
        - name: all
          community.aws.ecs_service: "{{ everything }}"
        - local_action: {module: community.aws.ecs_cluster, name: shop}
        - action: ecs_ecr name=shop
        - community.aws.ecs_attribute: {cluster: shop}
        - name: merged
          vars: {options: &options {region: eu-central-1}}
          community.aws.ecs_cluster:
            <<: *options
            name: shop
        """
    )
    assert {
        "play.yml: all",
        "play.yml: community.aws.ecs_cluster",
        "play.yml: ecs_ecr",
        "play.yml: community.aws.ecs_attribute",
        "play.yml: merged.<<",
    } <= found.places


def test_blocks_handlers_defaults_and_free_form(convert_files: ConvertFiles) -> None:
    text = textwrap.dedent(
        """\
        - hosts: localhost
          module_defaults:
            group/aws:
              region: eu-central-1
            community.aws.ecs_service: {cluster: shop, delay: 3}
          tasks:
            - block:
                - ecs_cluster: name=shop state=present
              rescue:
                - local_action: {module: debug, msg: failed}
              always:
                - community.aws.ecs_ecr:
                    name: shop
          handlers:
            - community.aws.ecs_service:
                name: web
                state: absent
        """
    )
    found = convert_files("community_aws", "play.yml", {"play.yml": text})
    [play] = yaml.safe_load(found.content("play.yml"))
    assert play["module_defaults"] == {
        "group/aws": {"region": "eu-central-1"},
        "group/slipway.aws.aws": {"region": "eu-central-1"},
        "slipway.aws.ecs_service": {"cluster": "shop"},
    }
    block = play["tasks"][0]
    assert block["block"] == [{"slipway.aws.ecs_cluster": {"name": "shop", "state": "present"}}]
    assert block["always"] == [{"slipway.aws.ecr_repository": {"name": "shop"}}]
    assert play["handlers"] == [{"slipway.aws.ecs_service": {"name": "web", "state": "absent"}}]


def test_a_role_is_converted_as_a_whole(convert_files: ConvertFiles) -> None:
    files = {
        "tasks/main.yml": "- community.aws.ecs_ecr:\n    name: shop\n  register: repo\n- import_tasks: show.yml\n",
        "tasks/show.yml": '- debug: {msg: "ecs_ecr {{ repo.repository.repositoryUri }}"}\n',
        "defaults/main.yml": "ecs_ecr: shop\n",
    }
    found = convert_files("community_aws", ".", files)
    assert {Path(one["path"]).name for one in found.given["files"]} == {"main.slipway.yml", "show.slipway.yml"}
    assert "repo.repository.repository_uri" in found.content("show.yml")


def test_what_is_no_yaml_is_refused(convert_files: ConvertFiles) -> None:
    with pytest.raises(SlipwayError, match="expected YAML") as refused:
        convert_files("community_aws", "play.yml", {"play.yml": "- hosts: [\n"})
    assert refused.value.code == "source_invalid"
    assert "play.yml: " in str(refused.value)
