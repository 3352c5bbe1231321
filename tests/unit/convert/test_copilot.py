# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests of Copilot of our own: each type, and each part of them."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.module_utils._convert.copilot.manifest import FormError, schedule, seconds
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError

from .conftest import ConvertFiles, Json, Result

ROOT = Path(__file__).resolve().parents[3]
WEB = "Load Balanced Web Service"


class Convert(t.Protocol):
    """Converts a workspace with one manifest, given as members."""

    def __call__(self, given: Json, files: Json | None = None, **options: t.Any) -> Result: ...


@pytest.fixture
def convert(convert_files: ConvertFiles) -> Convert:
    def converted(given: Json, files: Json | None = None, **options: t.Any) -> Result:
        manifest = {"name": "web", "type": "Backend Service", "image": {"location": "nginx:1.29"}, **given}
        every = {
            "copilot/.workspace": "application: shop\n",
            "copilot/web/manifest.yml": yaml.safe_dump(manifest, sort_keys=False),
        }
        return convert_files("copilot", ".", {**every, **(files or {})}, **options)

    return converted


def groups(found: Result) -> dict[str, Json]:
    return {group["name"]: group for group in found.variables["ecs_load_balancer_target_groups"]}


def test_a_web_service(convert: Convert) -> None:
    found = convert(
        {
            "type": WEB,
            "image": {"build": "web/Dockerfile", "port": 8080},
            "http": {
                "path": "/",
                "alias": "shop.example",
                "healthcheck": {
                    "path": "/ready",
                    "port": 8081,
                    "success_codes": "200,301",
                    "healthy_threshold": 3,
                    "unhealthy_threshold": 2,
                    "interval": "15s",
                    "timeout": "10s",
                    "grace_period": "2m",
                },
                "deregistration_delay": "50s",
            },
            "cpu": 512,
            "memory": 1024,
            "count": 3,
            "exec": True,
            "variables": {"LEVEL": "info", "DEBUG": True},
            "secrets": {"TOKEN": "/shop/token", "DB": {"secretsmanager": "mysql:password::"}},
        }
    )
    service = found.service("web")
    assert service["desired_count"] == 3
    assert service["options"]["enable_execute_command"] is True
    assert service["options"]["health_check_grace_period_seconds"] == 120
    assert service["load_balancers"] == [{"targetGroupArn": "web", "containerName": "web", "containerPort": 8080}]
    definition = service["task_definition"]
    assert (definition["family"], definition["cpu"], definition["memory"]) == ("shop-web", "512", "1024")
    assert groups(found)["web"] == {
        "name": "web",
        "port": 8080,
        "hosts": ["shop.example"],
        "health_check_path": "/ready",
        "health_check_codes": "200,301",
        "healthy_threshold": 3,
        "unhealthy_threshold": 2,
        "health_check_interval": 15,
        "health_check_timeout": 10,
        "health_check_port": "8081",
        "deregistration_delay": 50,
    }
    assert found.variables["ecs_load_balancer_domains"] == ["shop.example"]
    assert found.environment("web") == {
        "COPILOT_APPLICATION_NAME": "shop",
        "COPILOT_SERVICE_NAME": "web",
        "LEVEL": "info",
        "DEBUG": "true",
    }
    assert found.secrets("web") == {"TOKEN": "shop-token", "DB": "mysql:password::"}
    assert found.variables["ecs_app_secrets"] == {
        "shop-token": {"from": "/shop/token"},
        "mysql": {"type": "SecretsManager", "from": "mysql"},
    }
    assert found.container("web")["image"] == "web"
    [image] = found.variables["container_image_images"]
    assert (image["name"], image["repository"]) == ("web", {"name": "shop/web"})
    assert image["path"] == {"__template__": "{{ copilot_directory }}/web"}
    assert found.places == set()


def test_paths_of_the_source_are_relative_to_the_inventory(convert: Convert, tmp_path: t.Any) -> None:
    given = {"image": {"build": "Dockerfile"}}
    found = convert(given, inventory=str(tmp_path / "inventory/shop"))
    assert found.variables["copilot_directory"] == {
        "__template__": "{{ (hostvars.localhost.inventory_dir ~ '/../..') | realpath }}"
    }


def test_a_build_with_all_of_its_parts(convert: Convert) -> None:
    build = {
        "dockerfile": "web/prod.Dockerfile",
        "context": "web",
        "target": "prod",
        "args": {"V": 1},
        "cache_from": ["x"],
    }
    found = convert({"image": {"build": build}})
    [image] = found.variables["container_image_images"]
    assert (image["dockerfile"], image["build_args"], image["target"]) == ("prod.Dockerfile", {"V": "1"}, "prod")
    assert "source has changed" in found.note("web.image.build.cache_from")


def test_images_are_built_for_the_processor_of_the_tasks(convert: Convert) -> None:
    found = convert({"image": {"build": "Dockerfile"}, "platform": "linux/arm64"})
    assert found.variables["docker_instance_architecture"] == "arm64"
    other = "name: api\ntype: Backend Service\nimage: {build: Dockerfile}\n"
    mixed = convert({"image": {"build": "Dockerfile"}, "platform": "linux/arm64"}, {"copilot/api/manifest.yml": other})
    assert "docker_instance_architecture" not in mixed.variables
    assert "web run on ARM64 and api on X86_64" in mixed.note("images")


def test_rules_and_targets_in_sidecars(convert: Convert) -> None:
    found = convert(
        {
            "type": WEB,
            "image": {"location": "nginx:1.29", "port": 80},
            "http": {
                "path": "api",
                "target_container": "proxy",
                "additional_rules": [{"path": "admin/v1", "target_port": 8082}, {"path": "/", "stickiness": True}],
                "allowed_source_ips": ["192.0.2.0/24"],
                "version": "grpc",
            },
            "sidecars": {"proxy": {"image": "envoy:1.30", "port": 443}},
        }
    )
    assert found.service("web")["load_balancers"] == [
        {"targetGroupArn": "web", "containerName": "proxy", "containerPort": 443},
        {"targetGroupArn": "web-2", "containerName": "web", "containerPort": 8082},
        {"targetGroupArn": "web-3", "containerName": "web", "containerPort": 80},
    ]
    assert groups(found)["web"]["paths"] == ["/api", "/api/*"]
    assert groups(found)["web"]["protocol"] == "HTTPS"
    assert groups(found)["web"]["protocol_version"] == "GRPC"
    [condition] = groups(found)["web"]["conditions"]
    assert condition == {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24"]}}
    assert groups(found)["web-3"]["attributes"] == {"stickiness.enabled": "true"}
    assert groups(found)["web-2"]["paths"] == ["/admin/v1", "/admin/v1/*"]
    # The first one gets what matches no rule.
    assert next(iter(groups(found))) == "web-3"
    # Ports that requests reach are ports of the container.
    assert [port["containerPort"] for port in found.container("web")["portMappings"]] == [80, 8082]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (None, {"desired_count": 1}),
        (0, {"desired_count": 0}),
        ({"spot": 2}, {"desired_count": 2, "options": {"FARGATE_SPOT": (None, 1)}}),
        (
            {"range": "1-10", "cpu_percentage": 70, "cooldown": {"in": "60s", "out": "30s"}},
            {
                "scaling": {
                    "min_capacity": 1,
                    "max_capacity": 10,
                    "cpu_utilization": 70,
                    "scale_in_cooldown": 60,
                    "scale_out_cooldown": 30,
                }
            },
        ),
        (
            {"range": {"min": 1, "max": 5, "spot_from": 3}, "memory_percentage": {"value": 80}, "requests": 100},
            {
                "scaling": {"min_capacity": 1, "max_capacity": 5, "memory_utilization": 80, "requests_per_target": 100},
                "options": {"FARGATE_SPOT": (None, 1), "FARGATE": (2, 0)},
            },
        ),
    ],
)
def test_counts(convert: Convert, count: t.Any, expected: Json) -> None:
    service = convert({"count": count}).service("web")
    strategy = (service.get("options") or {}).get("capacity_provider_strategy") or []
    providers = {one["capacityProvider"]: (one.get("base"), one["weight"]) for one in strategy}
    assert providers == expected.get("options", {})
    assert service.get("desired_count") == expected.get("desired_count")
    assert service.get("scaling") == expected.get("scaling")


def test_the_response_time_does_not_scale(convert: Convert) -> None:
    found = convert({"count": {"range": "2-4", "response_time": "2s"}})
    assert "requests_per_target" in found.note("web.count.response_time")
    # Without another target there is nothing to scale by.
    assert found.service("web")["desired_count"] == 2


def test_a_worker_follows_its_queue(convert: Convert) -> None:
    found = convert(
        {
            "type": "Worker Service",
            "subscribe": {"topics": [{"name": "orders", "service": "api"}]},
            "count": {
                "range": "0-10",
                "queue_delay": {"acceptable_latency": "10m", "msg_processing_time": "250ms", "cooldown": {"in": "90s"}},
            },
        }
    )
    assert found.service("web")["scaling"] == {
        "min_capacity": 0,
        "max_capacity": 10,
        "queue": {"name": {"__template__": "{{ queue_web }}"}, "messages_per_task": 2400.0},
        "scale_in_cooldown": 90,
    }
    assert found.variables["ecs_cluster_container_insights"] == "enabled"
    assert "queue" in found.note("web.subscribe")
    assert "to_fill_in.yml" in found.note("queue_web")
    assert found.environment("web")["COPILOT_QUEUE_URI"] == {"__template__": "{{ copilot_queue_uri_web }}"}


def test_a_job_is_a_schedule(convert: Convert) -> None:
    found = convert({"type": "Scheduled Job", "on": {"schedule": "@daily"}, "retries": 3, "timeout": "1h"})
    assert found.variables["ecs_app_schedules"] == [{"name": "web", "service": "web", "schedule": "cron(0 0 * * ? *)"}]
    assert found.service("web")["desired_count"] == 0
    assert "run_schedule" in found.note("web.retries")
    assert "timeout" in found.note("web.timeout")


def test_a_disabled_job_stays_disabled(convert: Convert) -> None:
    [one] = convert({"type": "Scheduled Job", "on": {"schedule": "none"}}).variables["ecs_app_schedules"]
    assert one["enabled"] is False


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("@hourly", "cron(0 * * * ? *)"),
        ("@weekly", "cron(0 0 ? * 1 *)"),
        ("@every 5m", "rate(5 minutes)"),
        ("@every 1h30m", "rate(90 minutes)"),
        ("@every 60s", "rate(1 minute)"),
        ("rate(2 hours)", "rate(2 hours)"),
        ("cron(0 8 ? * MON-FRI *)", "cron(0 8 ? * MON-FRI *)"),
        ("30 4 * * *", "cron(30 4 * * ? *)"),
        ("0 9 * * 1-5", "cron(0 9 ? * 2-6 *)"),
        ("0 9 * * 0,6", "cron(0 9 ? * 1,7 *)"),
        ("0 9 * * MON", "cron(0 9 ? * MON *)"),
        ("0 9 1 */2 *", "cron(0 9 1 */2 ? *)"),
    ],
)
def test_schedules(given: str, expected: str) -> None:
    assert schedule(given) == (expected, True)


@pytest.mark.parametrize("given", ["@every 90s", "@sometimes", "0 9 1 * 1", "0 9 * *"])
def test_wrong_schedules_are_refused(given: str) -> None:
    with pytest.raises(FormError):
        schedule(given)


@pytest.mark.parametrize(("given", "expected"), [("1h30m", 5400), ("250ms", 0.25), (45, 45), ("4d", 345600)])
def test_durations(given: t.Any, expected: float) -> None:
    assert seconds(given) == expected


def test_storage(convert: Convert) -> None:
    found = convert(
        {
            "storage": {
                "ephemeral": 100,
                "readonly_fs": True,
                "volumes": {
                    "shared": {
                        "path": "/data",
                        "read_only": False,
                        "efs": {"id": "fs-1", "root_dir": "/web", "auth": {"iam": False}},
                    },
                    "own": {"path": "/own", "efs": {"uid": 1000, "gid": 1000}},
                    "scratch": {"path": "/scratch"},
                },
            },
            "sidecars": {"sync": {"image": "sync:1", "mount_points": [{"source_volume": "scratch", "path": "/in"}]}},
        }
    )
    definition = found.service("web")["task_definition"]
    assert definition["ephemeralStorage"] == {"sizeInGiB": 100}
    shared, own, scratch = definition["volumes"]
    assert shared["efsVolumeConfiguration"] == {
        "fileSystemId": "fs-1",
        "transitEncryption": "ENABLED",
        "rootDirectory": "/web",
        "authorizationConfig": {"iam": "DISABLED"},
    }
    assert own["efsVolumeConfiguration"]["fileSystemId"] == {"__template__": "{{ efs_web_own }}"}
    assert scratch == {"name": "scratch"}
    container = found.container("web")
    assert container["readonlyRootFilesystem"] is True
    assert [(mount["containerPath"], mount["readOnly"]) for mount in container["mountPoints"]] == [
        ("/data", False),
        ("/own", True),
        ("/scratch", True),
    ]
    assert found.container("web", "sync")["mountPoints"] == [
        {"sourceVolume": "scratch", "containerPath": "/in", "readOnly": True}
    ]
    assert "Slipway does not" in found.note("efs_web_own")
    assert "access point" in found.note("web.storage.volumes.own.efs")


def test_containers(convert: Convert) -> None:
    found = convert(
        {
            "image": {
                "location": "nginx:1.29",
                "port": 80,
                "credentials": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:registry",
                "labels": {"team": "web"},
                "depends_on": {"init": "success"},
                "healthcheck": {"command": ["CMD", "true"], "interval": "20s", "retries": 4, "start_period": "1m"},
            },
            "entrypoint": "/bin/entry --level 'a b'",
            "command": ["run", "all"],
            "platform": "linux/arm64",
            "sidecars": {
                "init": {
                    "image": "init:1",
                    "port": "9000/udp",
                    "essential": False,
                    "variables": {"A": 1},
                    "secrets": {"KEY": "KEY"},
                    "labels": {"x": "y"},
                    "command": "echo hello",
                }
            },
        }
    )
    container, sidecar = found.container("web"), found.container("web", "init")
    assert container["entryPoint"] == ["/bin/entry", "--level", "a b"]
    assert container["command"] == ["run", "all"]
    assert container["dependsOn"] == [{"containerName": "init", "condition": "SUCCESS"}]
    assert container["dockerLabels"] == {"team": "web"}
    assert container["repositoryCredentials"]["credentialsParameter"].endswith("secret:registry")
    assert container["healthCheck"] == {
        "command": ["CMD", "true"],
        "interval": 20,
        "timeout": 5,
        "retries": 4,
        "startPeriod": 60,
    }
    assert found.service("web")["task_definition"]["runtimePlatform"] == {
        "operatingSystemFamily": "LINUX",
        "cpuArchitecture": "ARM64",
    }
    assert sidecar["portMappings"] == [{"containerPort": 9000, "protocol": "udp"}]
    assert sidecar["essential"] is False
    assert sidecar["command"] == ["echo", "hello"]
    assert found.environment("web", "init") == {"A": "1"}
    assert found.secrets("web", "init") == {"KEY": "KEY"}


def test_services_find_each_other_by_the_same_names(convert: Convert) -> None:
    given = {
        "image": {"location": "nginx:1.29", "port": 80},
        "network": {"connect": {"alias": "shop-web"}},
        "environments": {"prod": {}},
    }
    found = convert(given, environment="prod")
    assert found.variables["service_discovery_namespace"] == "prod.shop.local"
    assert found.variables["service_discovery_services"] == ["web"]
    options = found.service("web")["options"]
    assert options["service_registries"] == [{"registryArn": "web"}]
    connect = options["service_connect_configuration"]
    assert connect["enabled"] is True
    [target] = connect["services"]
    assert target["clientAliases"] == [{"port": 80, "dnsName": "shop-web"}]
    assert target["portName"] == found.container("web")["portMappings"][0]["name"]


def test_the_network_of_one_service(convert: Convert) -> None:
    vpc = {"placement": {"subnets": ["subnet-0a"]}, "security_groups": ["sg-01"]}
    found = convert({"network": {"vpc": vpc}})
    network = found.service("web")["options"]["network_configuration"]["awsvpcConfiguration"]
    assert network["subnets"] == ["subnet-0a"]
    assert network["securityGroups"] == {
        "__template__": "{{ [ecs_network_result.security_group_ids.tasks | default('unknown')] + ['sg-01'] }}"
    }
    public = convert({"network": {"vpc": {"placement": "public"}}})
    assert "private subnets" in public.note("web.network.vpc.placement")


def test_deployments(convert: Convert) -> None:
    found = convert({"deployment": {"rolling": "recreate", "rollback_alarms": ["slow"]}})
    assert found.service("web")["options"]["deployment_configuration"] == {
        "minimumHealthyPercent": 0,
        "maximumPercent": 100,
        "alarms": {"alarmNames": ["slow"], "enable": True, "rollback": True},
    }
    created = convert({"deployment": {"rollback_alarms": {"cpu_utilization": 70}}})
    assert "CloudWatch" in created.note("web.deployment.rollback_alarms")


def test_logging(convert: Convert) -> None:
    found = convert(
        {
            "logging": {
                "retention": 90,
                "destination": {"Name": "datadog"},
                "secretOptions": {"apikey": "DATADOG_KEY"},
                "configFilePath": "/extra.conf",
                "enableMetadata": False,
            }
        }
    )
    driver = found.container("web")["logConfiguration"]
    assert driver == {
        "logDriver": "awsfirelens",
        "options": {"Name": "datadog"},
        "secretOptions": [{"name": "apikey", "valueFrom": "DATADOG_KEY"}],
    }
    router = found.container("web", "firelens_log_router")["firelensConfiguration"]
    assert router["options"] == {
        "enable-ecs-log-metadata": "false",
        "config-file-type": "file",
        "config-file-value": "/extra.conf",
    }
    assert found.variables["ecs_cluster_log_groups"] == [{"name": "/ecs/shop", "retention": 90}]


def test_overrides_of_the_task_definition(convert: Convert) -> None:
    found = convert(
        {
            "taskdef_overrides": [
                {"path": "ContainerDefinitions[0].Ulimits[-].Name", "value": "nofile"},
                {"path": "ContainerDefinitions[0].Ulimits[0].SoftLimit", "value": 1024},
                {"path": "ContainerDefinitions[0].DockerLabels.Some-Key", "value": "x"},
                {"path": "ContainerDefinitions[0].LinuxParameters", "value": {"InitProcessEnabled": True}},
            ]
        }
    )
    container = found.container("web")
    assert container["ulimits"] == [{"name": "nofile", "softLimit": 1024}]
    assert container["dockerLabels"] == {"Some-Key": "x"}
    assert container["linuxParameters"] == {"initProcessEnabled": True}
    with pytest.raises(SlipwayError, match=r"manifest of web: expected a list"):
        convert({"taskdef_overrides": [{"path": "ContainerDefinitions[7].Cpu", "value": 1}]})


def test_env_files_and_secrets_in_them(convert: Convert) -> None:
    given = {"env_file": "web/web.env", "variables": {"LEVEL": "debug"}}
    found = convert(given, {"web/web.env": "# all\nLEVEL=info\nREGION=eu\nDB_PASSWORD=hunter2\n"})
    assert {"LEVEL": "debug", "REGION": "eu"}.items() <= found.environment("web").items()
    assert found.secrets("web") == {"DB_PASSWORD": "db-password"}
    assert "by reference" in found.note("web.variables.DB_PASSWORD")
    assert "hunter2" not in json.dumps(found.given)
    assert "not in the workspace" in convert({"env_file": "none.env"}).note("web.env_file")


MANIFEST = """\
name: web
type: Backend Service
image: {build: {dockerfile: Dockerfile, args: {VERSION: 1.10}}}
variables: {VERSION: 1.10, OCTAL: 0123, FLAG: yes, ON: off, AT: 12:30, DAY: 2024-01-01, IS: true, NONE: null}
sidecars: {proxy: {image: "envoy:1", labels: {on: 010}, healthcheck: {command: curl -f localhost}}}
"""


def test_values_of_text_are_as_they_stand(convert: Convert) -> None:
    """YAML 1.1 takes them for numbers, times and truths; Copilot does not."""
    found = convert({}, {"copilot/web/manifest.yml": MANIFEST})
    values = {"VERSION": "1.10", "OCTAL": "0123", "FLAG": "yes", "ON": "off", "AT": "12:30", "DAY": "2024-01-01"}
    assert found.environment().items() >= {**values, "IS": "true", "NONE": ""}.items()
    assert found.variables["container_image_images"][0]["build_args"] == {"VERSION": "1.10"}
    proxy = found.container("web", "proxy")
    assert proxy["dockerLabels"] == {"on": "010"}
    assert proxy["healthCheck"]["command"] == ["CMD-SHELL", "curl -f localhost"]


def test_exports_of_a_stack_are_filled_in_wherever_they_are(convert: Convert) -> None:
    groups = {"security_groups": {"groups": ["sg-1", {"from_cfn": "net-Group"}]}}
    found = convert({"network": {"vpc": groups}, "secrets": {"KEY": {"from_cfn": "app-Key"}}})
    network = found.service()["options"]["network_configuration"]["awsvpcConfiguration"]
    expected = (
        "{{ [ecs_network_result.security_group_ids.tasks | default('unknown')] + ['sg-1', cfn_export_net_group] }}"
    )
    assert network["securityGroups"] == {"__template__": expected}
    name = found.secrets()["KEY"]
    assert found.variables["ecs_app_secrets"][name] == {"from": {"__template__": "{{ cfn_export_app_key }}"}}
    assert {"cfn_export_net_group", "cfn_export_app_key"} <= found.variables.keys()


def test_secrets_in_commands_are_in_no_file(convert: Convert) -> None:
    logging = {"destination": {"Name": "datadog", "apikey": "hunter2hunter2"}}
    found = convert({"command": ["serve", "--token", "hunter2hunter2"], "logging": logging})
    assert "hunter2" not in str(found)
    assert found.container()["command"][2] == {"__template__": "{{ secret_web_web_command_token }}"}
    assert "Ansible Vault" in found.note("secret_web_web_command_token")


def test_an_environment_overrides(convert: Convert, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "image": {"build": "Dockerfile", "port": 80},
        "count": {"range": "1-2", "cpu_percentage": 50},
        "variables": {"STAGE": "${COPILOT_ENVIRONMENT_NAME}", "TAG": "${TAG}", "TEXT": r"\${TAG}"},
        "environments": {
            "prod": {"image": {"location": "shop:1"}, "count": 4, "variables": {"MORE": "yes"}},
            "test": {"cpu": 512},
        },
    }
    found = convert(given, environment="prod")
    assert found.site["name"] == "shop-prod"
    assert found.container("web")["image"] == "shop:1"
    assert found.container("web")["portMappings"] == [{"containerPort": 80}]
    assert found.variables["container_image_images"] == []
    assert found.service("web")["desired_count"] == 4
    environment = found.environment("web")
    assert (environment["STAGE"], environment["MORE"], environment["TEXT"]) == ("prod", "yes", "${TAG}")
    assert environment["TAG"] == {"__template__": "{{ env_tag }}"}
    assert "copilot_environment" in convert(given).note("environment")
    with pytest.raises(SlipwayError, match=r"copilot_environment: expected one of prod, test, got stage"):
        convert(given, environment="stage")


def test_the_environment_s_own_manifest(convert: Convert) -> None:
    own = """\
    name: prod
    type: Environment
    network:
      vpc:
        id: vpc-1
        subnets:
          public: [{id: subnet-a}, {id: subnet-b}]
          private: [{id: subnet-c}, {id: subnet-d}]
        flow_logs: true
    observability: {container_insights: true}
    http:
      public:
        certificates: ["arn:aws:acm:eu-central-1:123456789012:certificate/1"]
        access_logs: {bucket_name: logs, prefix: web}
    cdn: true
    """
    found = convert({}, {"copilot/environments/prod/manifest.yml": own}, environment="prod")
    expected = {
        "ecs_network_vpc_id": "vpc-1",
        "ecs_network_public_subnet_ids": ["subnet-a", "subnet-b"],
        "ecs_network_private_subnet_ids": ["subnet-c", "subnet-d"],
        "ecs_cluster_container_insights": "enabled",
        "ecs_load_balancer_certificate_arn": "arn:aws:acm:eu-central-1:123456789012:certificate/1",
        "ecs_load_balancer_access_logs_bucket": "logs",
        "ecs_load_balancer_access_logs_prefix": "web",
    }
    assert expected.items() <= found.variables.items()
    assert {"prod.cdn", "prod.network.vpc.flow_logs"} <= found.places


def test_what_is_not_ecs_is_a_note(convert: Convert) -> None:
    for kind in ("Request-Driven Web Service", "Static Site"):
        found = convert({"type": kind})
        assert found.site["services"] == []
        assert found.note("web")


def test_addresses_of_the_first_target_group_are_a_note(convert: Convert) -> None:
    found = convert({"type": WEB, "http": {"path": "/", "allowed_source_ips": ["192.0.2.0/24"]}})
    assert "security group" in found.note("web.http.allowed_source_ips")


def test_every_option_of_a_target_group_exists(convert: Convert) -> None:
    role = yaml.safe_load((ROOT / "roles/ecs_load_balancer/meta/argument_specs.yml").read_text(encoding="utf-8"))
    options = role["argument_specs"]["main"]["options"]["ecs_load_balancer_target_groups"]["options"]
    check = {"path": "/", "port": 1, "success_codes": "200", "healthy_threshold": 2, "unhealthy_threshold": 2}
    times = {"interval": "9s", "timeout": "5s", "grace_period": "1m"}
    rule = {
        "path": "/",
        "alias": "shop.example",
        "healthcheck": {**check, **times},
        "deregistration_delay": "9s",
        "stickiness": True,
        "allowed_source_ips": ["192.0.2.0/24"],
        "version": "http2",
    }
    found = convert({"type": WEB, "image": {"location": "nginx:1.29", "port": 443}, "http": rule})
    assert set(groups(found)["web"]) <= set(options)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"nlb": {"port": "80/tcp"}}, "web.nlb"),
        ({"publish": {"topics": [{"name": "orders"}]}}, "web.publish"),
        ({"observability": {"tracing": "awsxray"}}, "web.observability.tracing"),
        ({"something": {"new": 1}}, "web.something"),
        ({"image": {"location": "x:1", "new": 1}}, "web.image.new"),
        ({"http": {"path": "/", "redirect_to_https": False}}, "web.http.redirect_to_https"),
        ({"variables": {"HOST": {"from_cfn": "stack-Host"}}}, "cfn_export_stack_host"),
    ],
)
def test_nothing_is_left_out_silently(convert: Convert, given: Json, place: str) -> None:
    assert convert(given).note(place)


def test_templates_of_cloudformation_are_notes(convert: Convert) -> None:
    found = convert(
        {}, {"copilot/web/addons/db.yml": "Resources: {}\n", "copilot/web/overrides/cfn.patches.yml": "[]\n"}
    )
    assert {"copilot/web/addons", "copilot/web/overrides"} <= found.places


def test_an_internal_load_balancer(convert: Convert) -> None:
    given = {"image": {"location": "nginx:1.29", "port": 80}, "http": {"path": "/"}}
    assert convert(given).variables["ecs_load_balancer_scheme"] == "internal"
    other = {"copilot/front/manifest.yml": yaml.safe_dump({"name": "front", "type": WEB, **given})}
    both = convert(given, other)
    assert "ecs_load_balancer_scheme" not in both.variables
    assert "one load balancer" in both.note("web.http")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"type": "Frontend"}, "manifest of web: expected a type of Load Balanced Web Service, .*, got Frontend"),
        ({"type": "Scheduled Job", "on": {"schedule": "daily"}}, "manifest of web: expected @daily .*, got 'daily'"),
        (
            {"http": {"path": "/", "deregistration_delay": "soon"}},
            "expected a duration such as 90s or 1h30m, got 'soon'",
        ),
    ],
)
def test_what_is_wrong_is_refused(convert: Convert, given: Json, message: str) -> None:
    with pytest.raises(SlipwayError, match=message) as refused:
        convert(given)
    assert refused.value.code == "source_invalid"


@pytest.mark.parametrize("given", [{"count": "many"}, {"env_file": {"a": "b"}}, {"sidecars": ["proxy"]}])
def test_a_wrong_form_is_refused_by_the_name_of_the_service(convert: Convert, given: Json) -> None:
    with pytest.raises(SlipwayError, match="manifest of web: expected values in the forms that Copilot documents"):
        convert(given)


def test_a_directory_without_manifests_is_refused(convert_files: ConvertFiles) -> None:
    with pytest.raises(SlipwayError, match="expected a Copilot workspace"):
        convert_files("copilot", ".", {"README.md": "x"})
