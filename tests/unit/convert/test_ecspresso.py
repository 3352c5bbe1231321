# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configurations of ecspresso of our own, with its templates, plugins and Jsonnet."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._convert.ecspresso.definitions import OPTIONS
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SERVICE

from .conftest import ConvertFiles, Json, Result

CONFIG = """\
region: eu-central-1
cluster: shop
service: web
service_definition: service.json
task_definition: task.json
timeout: 10m30s
"""
TASK = '{"family": "web", "containerDefinitions": [{"name": "web", "image": "nginx:1.29", "memory": 64}]}'
STATE = {
    "version": 4,
    "outputs": {
        "hosts": {"value": ["a.example", "b.example"]},
        "password": {"value": "hunter2", "sensitive": True},
    },
    "resources": [
        {
            "mode": "managed",
            "type": "aws_subnet",
            "name": "private",
            "instances": [
                {"index_key": "a", "attributes": {"id": "subnet-0a", "vpc_id": "vpc-01"}},
                {"index_key": "b", "attributes": {"id": "subnet-0b", "vpc_id": "vpc-01"}},
            ],
        },
        {
            "mode": "data",
            "type": "aws_security_group",
            "name": "tasks",
            "instances": [{"attributes": {"id": "sg-01"}}],
        },
        {
            "module": 'module.net["eu"]',
            "mode": "managed",
            "type": "aws_lb_target_group",
            "name": "web",
            "instances": [
                {
                    "index_key": 0,
                    "attributes": {"arn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/1"},
                }
            ],
        },
        {
            "mode": "managed",
            "type": "aws_db_instance",
            "name": "main",
            "instances": [
                {
                    "attributes": {"password": "hunter2", "address": "db.example"},
                    "sensitive_attributes": [[{"type": "get_attr", "value": "password"}]],
                }
            ],
        },
    ],
}


class Convert(t.Protocol):
    """Converts one configuration with the given definitions."""

    def __call__(self, service: str = "{}", task: str = TASK, config: str = CONFIG, **options: t.Any) -> Result: ...


@pytest.fixture
def convert(convert_files: ConvertFiles) -> Convert:
    def converted(service: str = "{}", task: str = TASK, config: str = CONFIG, **options: t.Any) -> Result:
        files = {"ecspresso.yml": config, "service.json": service, "task.json": task, **options.pop("files", {})}
        return convert_files("ecspresso", "ecspresso.yml", files, **options)

    return converted


def template(value: t.Any) -> str:
    """The expression of a value that is a template."""
    assert set(value) == {"__template__"}, value
    return str(value["__template__"])


def task_with(**members: t.Any) -> str:
    container = {"name": "web", "image": "nginx:1.29", "memory": 64, **members}
    return json.dumps({"family": "web", "containerDefinitions": [container]})


def test_every_member_of_a_service_has_its_option(convert: Convert) -> None:
    given: Json = {
        "desiredCount": 2,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "loadBalancers": [{"targetGroupArn": "arn:aws:x", "containerName": "web", "containerPort": 80}],
        "deploymentConfiguration": {"maximumPercent": 200, "deploymentCircuitBreaker": {"enable": True}},
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-0a"], "securityGroups": ["sg-01"]}},
        "healthCheckGracePeriodSeconds": 0,
        "enableECSManagedTags": True,
        "enableExecuteCommand": False,
        "propagateTags": "SERVICE",
        "tags": [{"key": "team", "value": "web"}],
        "placementStrategy": [],
        "serviceName": "web",
        "runningCount": 2,
    }
    service = convert(json.dumps(given)).service("web")
    assert service["desired_count"] == 2
    assert service["load_balancers"] == given["loadBalancers"]
    assert service["options"] == {
        "launch_type": "FARGATE",
        "platform_version": "1.4.0",
        "deployment_configuration": given["deploymentConfiguration"],
        "network_configuration": given["networkConfiguration"],
        "health_check_grace_period_seconds": 0,
        "enable_ecs_managed_tags": True,
        "enable_execute_command": False,
        "propagate_tags": "SERVICE",
        "tags": {"team": "web"},
    }


def test_every_option_for_a_member_exists() -> None:
    assert set(OPTIONS.values()) <= set(SERVICE)


def test_the_cluster_and_the_network_belong_to_others(convert: Convert) -> None:
    found = convert()
    assert found.variables["ecs_cluster_arn"] == "shop"
    assert found.variables["slipway_region"] == "eu-central-1"
    # Services name subnets and security groups themselves.
    assert found.variables["ecs_network_create"] is False
    assert found.variables["ecs_load_balancer_target_groups"] == []
    assert found.variables["ecs_app_wait_timeout"] == 630
    # Nothing is built or created for it.
    assert found.variables["container_image_images"] == []
    assert (found.variables["ecs_cluster_task_role"], found.variables["ecs_cluster_log_groups"]) == ("", [])


def test_an_answer_of_aws_is_a_definition_too(convert: Convert) -> None:
    answer = {
        "taskDefinition": {
            **json.loads(TASK),
            "taskDefinitionArn": "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:7",
            "revision": 7,
            "status": "ACTIVE",
            "compatibilities": ["EC2"],
            "requiresAttributes": [{"name": "x"}],
            "volumes": [],
            "pidMode": None,
        }
    }
    assert convert(task=json.dumps(answer)).service("web")["task_definition"] == json.loads(TASK)


def test_the_environment_is_read_in_each_run(convert: Convert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG", "v1")
    found = convert(task=task_with(image="shop:{{ must_env `TAG` }}-{{ env `FLAVOR` `slim` }}"))
    assert template(found.container("web")["image"]) == "shop:{{ env_tag }}-{{ env_flavor }}"
    assert "lookup('ansible.builtin.env', 'TAG') or undef(" in template(found.variables["env_tag"])
    assert template(found.variables["env_flavor"]) == "{{ lookup('ansible.builtin.env', 'FLAVOR') or 'slim' }}"


def test_a_number_may_be_a_template(convert: Convert) -> None:
    found = convert('{"desiredCount": {{ env `COUNT` `3` }} }')
    assert template(found.service("web")["desired_count"]) == "{{ env_count }}"


def test_what_looks_like_a_template_of_jinja_stays_text(convert: Convert) -> None:
    text = "{{ `{{ literal }}` }} and {{ env `TAG` `v1` }}"
    found = convert(task=task_with(command=[text]))
    assert template(found.container("web")["command"][0]) == "{{ '{{' }} literal }} and {{ env_tag }}"


@pytest.mark.parametrize(("stage", "count"), [("prod", 4), ("test", 1)])
def test_a_condition_is_evaluated_once(
    convert: Convert, monkeypatch: pytest.MonkeyPatch, stage: str, count: int
) -> None:
    monkeypatch.setenv("STAGE", stage)
    service = """\
    {
      {{- /* more in production */ -}}
      {{ if eq (env `STAGE` `test`) "prod" }} "desiredCount": 4 {{ else }} "desiredCount": 1 {{ end }},
      "tags": [{"key": "tag", "value": "{{ env `TAG` `v1` }}"}]
    }"""
    found = convert(service)
    assert found.service("web")["desired_count"] == count
    assert template(found.service("web")["options"]["tags"]["tag"]) == "{{ env_tag }}"
    assert [place for place in found.places if place.endswith("environment variable STAGE")]


def test_variables_and_pipelines(convert: Convert) -> None:
    service = (
        """{{ $name := printf "%s-%d" "web" 2 }}{"tags": [{"key": "name", "value": "{{ $name | print "x-" }}"}]}"""
    )
    assert convert(service).service("web")["options"]["tags"] == {"name": "x-web-2"}


def test_values_of_a_state_of_terraform(convert: Convert) -> None:
    config = CONFIG + "plugins: [{name: tfstate, config: {path: terraform.tfstate}, func_prefix: net_}]\n"
    service = json.dumps(
        {
            "loadBalancers": [
                {"targetGroupArn": '{{ net_tfstate `module.net["eu"].aws_lb_target_group.web[0].arn` }}'}
            ],
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": [
                        "{{ net_tfstate `aws_subnet.private['a'].id` }}",
                        "{{ net_tfstatef `aws_subnet.private['%s'].id` (env `ZONE` `b`) }}",
                    ],
                    "securityGroups": ["{{ net_tfstate `data.aws_security_group.tasks.id` }}"],
                }
            },
            "tags": [{"key": "host", "value": "{{ net_tfstate `output.hosts[1]` }}"}],
        }
    ).replace('\\"', '"')
    found = convert(service, config=config, files={"terraform.tfstate": json.dumps(STATE)})
    options = found.service("web")["options"]
    assert found.service("web")["load_balancers"][0]["targetGroupArn"].endswith(":targetgroup/web/1")
    assert options["network_configuration"]["awsvpcConfiguration"]["subnets"] == ["subnet-0a", "subnet-0b"]
    assert options["tags"] == {"host": "b.example"}


@pytest.mark.parametrize("address", ["output.password", "aws_db_instance.main.password"])
def test_what_terraform_calls_sensitive_is_not_written(convert: Convert, address: str) -> None:
    config = CONFIG + "plugins: [{name: tfstate, config: {path: terraform.tfstate}}]\n"
    task = task_with(command=["--connect", "{{ tfstate `" + address + "` }}"])
    found = convert(task=task, config=config, files={"terraform.tfstate": json.dumps(STATE)})
    variable = f"tfstate_{address.replace('.', '_')}"
    assert template(found.container("web")["command"][1]) == f"{{{{ {variable} }}}}"
    assert "sensitive" in found.note(variable)
    assert "hunter2" not in json.dumps(found.given)


def test_what_is_not_known_has_to_be_filled_in(convert: Convert) -> None:
    config = CONFIG + "plugins: [{name: tfstate, config: {url: 's3://states/shop'}}, {name: cloudformation}]\n"
    task = task_with(image="{{ tfstate `aws_ecr_repository.web.repository_url` }}:{{ cfn_output `stack` `Tag` }}")
    found = convert(task=task, config=config)
    assert template(found.container("web")["image"]) == (
        "{{ tfstate_aws_ecr_repository_web_repository_url }}:{{ cfn_output_stack_tag }}"
    )
    for variable in ("tfstate_aws_ecr_repository_web_repository_url", "cfn_output_stack_tag"):
        assert f"undef(hint='{variable}: expected" in template(found.site["variables"]["to_fill_in"][variable])
    assert "terraform state pull" in found.note("tfstate_aws_ecr_repository_web_repository_url")
    assert "CloudFormation" in found.note("cfn_output_stack_tag")


def test_parameters_and_secrets_are_passed_by_reference(convert: Convert) -> None:
    task = task_with(
        environment=[{"name": "LEVEL", "value": "{{ ssm `/shop/level` }}"}],
        secrets=[
            {"name": "TOKEN", "valueFrom": "{{ secretsmanager_arn `shop/token` }}:key::"},
            {"name": "KEY", "valueFrom": "/shop/key"},
        ],
        command=["{{ ssm `/shop/hosts` 1 }}"],
    )
    found = convert(task=task)
    assert found.secrets("web") == {"LEVEL": "shop-level", "TOKEN": "shop-token:key::", "KEY": "/shop/key"}
    assert found.variables["ecs_app_secrets"] == {
        "shop-token": {"type": "SecretsManager", "from": "shop/token"},
        "shop-level": {"from": "/shop/level"},
    }
    read = "lookup('amazon.aws.ssm_parameter', '/shop/hosts', decrypt=false, region=slipway_region).split(',')[1]"
    assert template(found.variables["ssm_shop_hosts_1"]) == f"{{{{ {read} }}}}"
    assert "ssm:GetParameters" in found.note("web.containerDefinitions.web.environment.LEVEL")


def test_values_that_look_like_secrets_are_in_no_file(convert: Convert) -> None:
    task = task_with(
        environment=[
            {"name": "DB_PASSWORD", "value": "hunter2"},
            {"name": "API_TOKEN", "value": "{{ must_env `API_TOKEN` }}"},
            {"name": "LEVEL", "value": "info"},
        ]
    )
    found = convert(task=task)
    assert found.secrets("web") == {"DB_PASSWORD": "db-password", "API_TOKEN": "api-token"}
    assert found.environment("web") == {"LEVEL": "info"}
    values = found.variables["ecs_app_secret_values"]
    assert "lookup('ansible.builtin.env', 'DB_PASSWORD') or undef(" in template(values["db-password"])
    assert template(values["api-token"]) == "{{ env_api_token }}"
    assert "by reference" in found.note("web.containerDefinitions.web.environment.DB_PASSWORD")
    assert "hunter2" not in json.dumps(found.given)


def test_codedeploy_is_a_note(convert: Convert) -> None:
    config = CONFIG + "appspec: {version: '0.0'}\ncodedeploy: {application_name: shop}\nfilter_command: fzf\n"
    found = convert('{"deploymentController": {"type": "CODE_DEPLOY"}, "desiredCount": 1}', config=config)
    assert "blue_green" in found.note("web.deploymentController")
    assert "deployment_controller" not in found.service("web").get("options", {})
    for member in ("appspec", "codedeploy", "filter_command"):
        assert [place for place in found.places if place.endswith(f"ecspresso.yml: {member}")], member


def test_a_member_without_an_option_is_a_note(convert: Convert) -> None:
    assert "No option" in convert('{"somethingNew": 1}').note("web.somethingNew")


def test_a_daemon_has_no_count(convert: Convert) -> None:
    service = convert('{"schedulingStrategy": "DAEMON", "desiredCount": 3}').service("web")
    assert service["options"] == {"scheduling_strategy": "DAEMON"}
    assert "desired_count" not in service


def test_a_definition_that_is_only_run_is_a_service_without_tasks(convert: Convert) -> None:
    found = convert(config="region: eu-central-1\ncluster: shop\ntask_definition: task.json\n")
    assert found.service("web")["desired_count"] == 0
    assert [place for place in found.places if place.endswith("ecspresso.yml: service")]


def test_definitions_in_yaml(convert: Convert) -> None:
    config = CONFIG.replace("task.json", "task.yml")
    task = "family: web\ncontainerDefinitions:\n  - {name: web, image: 'nginx:{{ env `TAG` `v1` }}', memory: 64}\n"
    assert template(convert(config=config, files={"task.yml": task}).container("web")["image"]) == "nginx:{{ env_tag }}"


# Jsonnet


def test_values_in_yaml_are_as_they_stand(convert: Convert) -> None:
    """Dates have no JSON, and YAML 1.1 takes more for numbers than AWS wants to have."""
    task = """\
    family: web
    containerDefinitions:
      - name: web
        image: nginx:{{ env `TAG` `v1` }}
        environment: [{name: DAY, value: 2024-01-01}, {name: ON, value: 1.10}, {name: OCTAL, value: 0123}]
    """
    config = CONFIG.replace("task.json", "task.yml")
    found = convert(config=config, files={"task.yml": task})
    assert found.environment() == {"DAY": "2024-01-01", "ON": "1.10", "OCTAL": "0123"}


def test_secrets_in_commands_and_drivers_are_in_no_file(convert: Convert) -> None:
    logs = {"logDriver": "splunk", "options": {"splunk-token": "hunter2hunter2"}}
    command = ["serve", "--password", "hunter2hunter2", "--token", "{{ must_env `TOKEN` }}"]
    found = convert(task=task_with(command=command, logConfiguration=logs))
    assert "hunter2" not in str(found)
    assert template(found.container("web")["command"][2]) == "{{ secret_web_web_command_password }}"
    assert "expected the value of" in template(found.variables["secret_web_web_command_password"])
    # What is read from the environment stays so.
    assert template(found.container("web")["command"][4]) == "{{ env_token }}"


def test_jsonnet_with_its_functions(convert: Convert, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNT", "2")
    service = """\
    local env = std.native('env');
    local stage = std.extVar('stage');
    {
      desiredCount: std.parseInt(env('COUNT', '1')),
      tags: [{key: 'stage', value: stage}, {key: 'tag', value: std.native('must_env')('TAG')}],
      healthCheckGracePeriodSeconds: std.extVar('grace'),
    }
    """
    config = CONFIG.replace("service.json", "service.jsonnet").replace("task.json", "task.jsonnet")
    task = "(import 'lib.libsonnet') + { containerDefinitions: [{ name: 'web', image: 'nginx:{{ env `TAG` `x` }}' }] }"
    found = convert(
        config=config,
        files={"service.jsonnet": service, "task.jsonnet": task, "lib.libsonnet": "{ family: 'web' }"},
        jsonnet_strings={"stage": "prod"},
        jsonnet_code={"grace": "30"},
    )
    element = found.service("web")
    # Computed from the environment: the value that it has now, and a note.
    assert element["desired_count"] == 2
    assert [place for place in found.places if place.endswith("environment variable COUNT")]
    assert element["options"]["tags"]["stage"] == "prod"
    assert template(element["options"]["tags"]["tag"]) == "{{ env_tag }}"
    assert element["options"]["health_check_grace_period_seconds"] == 30
    assert element["task_definition"]["family"] == "web"


def test_a_missing_value_of_jsonnet_is_named(convert: Convert) -> None:
    config = CONFIG.replace("service.json", "service.jsonnet")
    with pytest.raises(SlipwayError, match=r"expected a value for std.extVar\('stage'\), got none.*jsonnet_strings"):
        convert(config=config, files={"service.jsonnet": "{ tags: std.extVar('stage') }"})


# Several


def test_a_directory_has_a_service_for_each_configuration(convert_files: ConvertFiles) -> None:
    files = {
        "web/ecspresso.yml": CONFIG,
        "web/service.json": "{}",
        "web/task.json": TASK,
        "worker.yml": CONFIG.replace("service: web", "service: worker").replace("task.json", "web/task.json"),
        "service.json": "{}",
    }
    found = convert_files("ecspresso", ".", files, project="shop")
    assert [service["name"] for service in found.site["services"]] == ["web", "worker"]
    assert found.site["name"] == found.variables["slipway_project"] == "shop"


def test_two_clusters_are_two_inventories(convert_files: ConvertFiles) -> None:
    files = {
        "web.yml": CONFIG,
        "worker.yml": CONFIG.replace("cluster: shop", "cluster: other"),
        "service.json": "{}",
        "task.json": TASK,
    }
    with pytest.raises(
        SlipwayError, match=r"cluster: expected the same value in all files, got shop .*other .*"
    ) as refused:
        convert_files("ecspresso", ".", files)
    assert refused.value.code == "source_invalid"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"task.json": "{"}, "task.json: expected JSON, got"),
        ({"task.json": "[]"}, "task.json: expected a dictionary, got list"),
        ({"task.json": '{"containerDefinitions": []}'}, "expected a family in the task definition, got none"),
        ({"task.json": '{"family": "{{ nothing `x` }}"}'}, "expected one of the functions .* got nothing"),
        ({"task.json": '{"family": "{{ if true }}"}'}, "end"),
        ({"task.json": '{"family": "{{ range $i := x }}"}'}, "got {{ range }}"),
        ({"ecspresso.yml": "region: eu-central-1\ncluster: shop\n"}, "expected task_definition, got none"),
        ({"ecspresso.yml": CONFIG.replace("service: web", "service: '{{ must_env `NAME` }}'")}, "value for NAME"),
        ({"ecspresso.yml": CONFIG.replace("task.json", "missing.json")}, "missing.json: expected a file"),
    ],
)
def test_what_cannot_be_read_is_refused(convert_files: ConvertFiles, files: dict[str, str], message: str) -> None:
    every = {"ecspresso.yml": CONFIG, "service.json": "{}", "task.json": TASK, **files}
    with pytest.raises(SlipwayError, match=message) as refused:
        convert_files("ecspresso", "ecspresso.yml", every)
    assert refused.value.code == "source_invalid"
