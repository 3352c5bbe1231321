# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wrong relations and limits in an account of an emulator: preflight finds each, and says what is wrong.

All wrong services are checked in one run, as is the one that fits, so that the account is built and read once.
"""

from __future__ import annotations

import re
import typing as t

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import aws_call
from ansible_collections.slipway.aws.plugins.module_utils._ecs.preflight import api, read_flow
from ansible_collections.slipway.aws.tests.unit.ecs.preflights import Shop, build, changed

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
DEFINITION = {"family": "web", "containerDefinitions": [{"name": "web", "image": "httpd", "memory": 64}]}
pytestmark = pytest.mark.own_cloud("the account is built once for all tests")


class Case(t.NamedTuple):
    """What of the service that fits is different, the check that fails, and what its message says.

    <name> in a value stands for what the account has under this name.
    """

    name: str
    changes: Json
    check: str
    message: str


def hooked(function: str, role: str | None = "<hooks>") -> Json:
    """A function that is called before the new tasks are started."""
    hook = {"hookTargetArn": function, "lifecycleStages": ["PRE_SCALE_UP"], **({"roleArn": role} if role else {})}
    return {"deployment_configuration": {"lifecycleHooks": [hook]}}


CASES = [
    # IAM
    Case(
        "role-missing",
        {"definition.executionRoleArn": "arn:aws:iam::<account>:role/nobody"},
        "role",
        "got nobody. Create",
    ),
    Case(
        "task-role-missing",
        {"definition.taskRoleArn": "nobody"},
        "role",
        "expected an existing IAM role, got nobody",
    ),
    Case(
        "role-of-account",
        {"definition.taskRoleArn": "arn:aws:iam::999999999999:role/task"},
        "role",
        "expected a role in account <account>",
    ),
    Case(
        "role-none", {"definition.executionRoleArn": None}, "role", "expected a role, because the task uses log group"
    ),
    Case(
        "trust-of-instances",
        {"definition.executionRoleArn": "<of-instances>"},
        "trust",
        "with a trust policy for ec2.amazonaws.com. Allow",
    ),
    Case(
        "trust-denied",
        {"definition.executionRoleArn": "<denied>"},
        "trust",
        "with a statement that denies it to ecs-tasks.amazonaws.com",
    ),
    Case(
        "trust-of-account",
        {"definition.taskRoleArn": "<of-others>"},
        "trust",
        "a condition aws:SourceAccount of 999999999999",
    ),
    Case(
        "trust-of-region",
        {"definition.taskRoleArn": "<of-region>"},
        "trust",
        "a condition aws:SourceArn of arn:aws:ecs:us",
    ),
    Case(
        "trust-of-ecs",
        {"balancer.advancedConfiguration": {"alternateTargetGroupArn": "<web>", "roleArn": "<task>"}},
        "trust",
        "expected a role that ecs.amazonaws.com can assume, got task",
    ),
    Case(
        "no-login",
        {"definition.executionRoleArn": "<without-login>"},
        "permissions",
        "got without-login without ecr:GetAuthorizationToken on \\*",
    ),
    Case(
        "no-pull",
        {"definition.executionRoleArn": "<without-pull>"},
        "permissions",
        "got without-pull without ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer on",
    ),
    Case(
        "no-logs",
        {"definition.executionRoleArn": "<without-logs>"},
        "permissions",
        "without logs:CreateLogStream, logs:PutLogEvents on arn:aws:logs:.*:log-group:/shop/web:log-stream:\\*",
    ),
    Case(
        "no-secrets",
        {"definition.executionRoleArn": "<without-secrets>"},
        "permissions",
        "without secretsmanager:GetSecretValue on <database>",
    ),
    Case(
        "no-parameters",
        {"definition.executionRoleArn": "<without-parameters>"},
        "permissions",
        "without ssm:GetParameters on arn:aws:ssm:eu-central-1:<account>:parameter/shop/key",
    ),
    Case(
        "no-files",
        {
            "definition.executionRoleArn": "<without-files>",
            "container.environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::shop-config/web.env"}],
        },
        "permissions",
        "without s3:GetObject on arn:aws:s3:::shop-config/web.env",
    ),
    Case(
        "no-sessions",
        {"definition.taskRoleArn": "<idle>", "enable_execute_command": True},
        "permissions",
        "can use enable_execute_command, got idle without ssmmessages:CreateControlChannel",
    ),
    Case(
        "no-create-group",
        {"definition.executionRoleArn": "<without-logs>", "log.awslogs-create-group": "true"},
        "permissions",
        "without logs:CreateLogGroup on",
    ),
    # Images
    Case(
        "image-tag",
        {"container.image": "<image>/shop/web:2"},
        "image",
        "expected an existing image in repository shop/web, got",
    ),
    Case(
        "image-digest",
        {"container.image": "<image>/shop/web@sha256:" + "0" * 64},
        "image",
        "Push",
    ),
    Case(
        "repository",
        {"container.image": "<image>/shop/api:1"},
        "image",
        "expected an existing image in repository shop/api",
    ),
    Case(
        "image-platform",
        {"container.image": "<image>/shop/web:arm"},
        "platform",
        "expected an image for linux/amd64, got .*/shop/web:arm for linux/arm64",
    ),
    Case(
        "task-platform",
        {"definition.runtimePlatform": {"cpuArchitecture": "ARM64"}},
        "platform",
        "expected an image for linux/arm64, got .*/shop/web:1 for linux/amd64",
    ),
    # Network
    Case(
        "subnet",
        {"network.subnets": ["subnet-0123456789abcdef0"]},
        "network",
        "expected an existing subnet, got subnet-",
    ),
    Case(
        "security-group",
        {"network.securityGroups": ["sg-0123456789abcdef0"]},
        "network",
        "expected an existing security group, got sg-0123456789abcdef0",
    ),
    Case(
        "group-of-vpc",
        {"network.securityGroups": ["<stranger>"]},
        "vpc",
        "expected subnets and security groups in one VPC, got <a> in <vpc>, <b> in <vpc>, <stranger> in <other>",
    ),
    Case("subnets-of-vpcs", {"network.subnets": ["<a>", "<foreign>"]}, "vpc", "<foreign> in <other>"),
    Case("no-network", {"network_configuration": None}, "network", "expected network_configuration with subnets"),
    Case(
        "addresses",
        {"network.subnets": ["<tiny>"], "desired_count": 100000},
        "addresses",
        "expected 100000 free addresses",
    ),
    Case(
        "no-route", {"network.subnets": ["<isolated>"]}, "route", "expected a route from the tasks to ecr.api, got none"
    ),
    Case(
        "no-route-to-logs",
        {"network.subnets": ["<isolated>"]},
        "route",
        "container web, logConfiguration: expected a route",
    ),
    Case(
        "no-route-to-secrets", {"network.subnets": ["<isolated>"]}, "route", "a route from the tasks to secretsmanager"
    ),
    Case("nat-deleted", {"network.subnets": ["<lost>"]}, "route", "sends 0.0.0.0/0 to .*nat-"),
    Case(
        "no-public-address",
        {"network.subnets": ["<public a>", "<public b>"]},
        "route",
        "the tasks have no public address",
    ),
    Case("no-egress", {"network.securityGroups": ["<mute>"]}, "route", "allow no outbound traffic on port 443"),
    # Load balancer
    Case(
        "no-ingress",
        {"network.securityGroups": ["<closed>"]},
        "traffic",
        "allow no inbound traffic on port 8080 from load balancer shop",
    ),
    Case(
        "target-group",
        {"balancer.targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:<account>:targetgroup/no/0123456789ab"},
        "target group",
        "expected an existing target group, got arn",
    ),
    Case(
        "target-type",
        {"balancer.targetGroupArn": "<hosts>"},
        "target group",
        "target type ip with network mode awsvpc, got hosts of instance",
    ),
    Case(
        "target-type-of-hosts",
        {
            "definition.networkMode": "bridge",
            "definition.requiresCompatibilities": ["EC2"],
            "launch_type": "EC2",
            "network_configuration": None,
        },
        "target group",
        "target type instance with network mode bridge, got web of ip",
    ),
    Case(
        "unused-group",
        {"balancer.targetGroupArn": "<unused>"},
        "target group",
        "got unused with none. Create a listener",
    ),
    Case(
        "group-of-other-vpc",
        {"balancer.targetGroupArn": "<elsewhere>"},
        "target group",
        "expected a target group in <vpc>, where the tasks are, got elsewhere in <other>",
    ),
    Case(
        "alternate-group",
        {"balancer.advancedConfiguration": {"alternateTargetGroupArn": "<hosts>"}},
        "target group",
        "alternateTargetGroupArn: expected a target group of target type ip",
    ),
    Case(
        "rule",
        {
            "balancer.advancedConfiguration": {
                "alternateTargetGroupArn": "<web>",
                "productionListenerRule": "<rule>",
            }
        },
        "listener rule",
        "expected an existing listener rule, got arn",
    ),
    # Stores
    Case(
        "parameter",
        {"container.secrets": [{"name": "A", "valueFrom": "/shop/no"}]},
        "secret",
        "expected an existing parameter",
    ),
    Case(
        "parameter-arn",
        {"container.secrets": [{"name": "A", "valueFrom": "arn:aws:ssm:eu-central-1:<account>:parameter/shop/no"}]},
        "secret",
        "expected an existing parameter, got /shop/no",
    ),
    Case(
        "secret",
        {
            "container.secrets": [
                {"name": "A", "valueFrom": "arn:aws:secretsmanager:eu-central-1:<account>:secret:shop/no-AbCdEf"}
            ]
        },
        "secret",
        "expected an existing secret, got arn",
    ),
    Case(
        "secret-deleted",
        {"container.secrets": [{"name": "A", "valueFrom": "<deleted>"}]},
        "secret",
        "got shop/deleted, which is scheduled for deletion. Restore",
    ),
    Case(
        "secret-stage",
        {"container.secrets": [{"name": "A", "valueFrom": "<database>::AWSPREVIOUS:"}]},
        "secret",
        "expected a secret with a value for stage AWSPREVIOUS, got shop/database with AWSCURRENT",
    ),
    Case(
        "secret-version",
        {"container.secrets": [{"name": "A", "valueFrom": "<database>:::no"}]},
        "secret",
        "expected an existing version of secret shop/database, got no",
    ),
    Case(
        "registry-credentials",
        {
            "container.repositoryCredentials": {
                "credentialsParameter": "arn:aws:secretsmanager:eu-central-1:<account>:secret:hub-AbCdEf"
            }
        },
        "secret",
        "repositoryCredentials: expected an existing secret",
    ),
    Case("log-group", {"log.awslogs-group": "/shop/no"}, "log group", "expected an existing log group, got /shop/no"),
    Case("log-region", {"log.awslogs-region": "us-east-1"}, "log group", "got us-east-1:/shop/web"),
    Case("log-prefix", {"log.awslogs-stream-prefix": None}, "log group", "expected the options awslogs-stream-prefix"),
    Case(
        "environment-file",
        {"container.environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::shop-config/no.env"}]},
        "environment file",
        "expected an existing S3 object",
    ),
    Case(
        "environment-bucket",
        {"container.environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::shop-none/web.env"}]},
        "environment file",
        "got arn:aws:s3:::shop-none/web.env",
    ),
    Case(
        "file-system",
        {"definition.volumes": [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-0123456789abcdef0"}}]},
        "storage",
        "expected an existing EFS file system",
    ),
    Case(
        "mount-target",
        {"definition.volumes": [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "<partly>"}}]},
        "storage",
        "in each zone of the tasks, got none in eu-central-1b",
    ),
    Case(
        "mount-target-closed",
        {
            "definition.volumes": [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "<files>"}}],
            "network.securityGroups": ["<closed>"],
        },
        "storage",
        "that allows the tasks on port 2049",
    ),
    Case(
        "access-point",
        {
            "definition.volumes": [
                {
                    "name": "data",
                    "efsVolumeConfiguration": {
                        "fileSystemId": "<files>",
                        "transitEncryption": "ENABLED",
                        "authorizationConfig": {"accessPointId": "<point of partly>"},
                    },
                }
            ]
        },
        "storage",
        "expected an access point of <files>, got <point of partly> of <partly>",
    ),
    Case(
        "encryption",
        {
            "definition.volumes": [
                {
                    "name": "data",
                    "efsVolumeConfiguration": {"fileSystemId": "<files>", "authorizationConfig": {"iam": "ENABLED"}},
                }
            ]
        },
        "storage",
        "expected transitEncryption ENABLED",
    ),
    # Capacity and names
    Case(
        "provider",
        {"launch_type": None, "capacity_provider_strategy": [{"capacityProvider": "hosts", "weight": 1}]},
        "capacity",
        "expected a capacity provider of the cluster \\(FARGATE, FARGATE_SPOT\\), got hosts",
    ),
    Case(
        "no-hosts",
        {"launch_type": "EC2", "definition.requiresCompatibilities": ["EC2"]},
        "capacity",
        "expected container instances in the cluster for launch type EC2",
    ),
    Case(
        "compatibility",
        {"definition.requiresCompatibilities": ["EC2"]},
        "capacity",
        "expected FARGATE, where the service runs, got EC2",
    ),
    Case(
        "alarm",
        {"deployment_configuration": {"alarms": {"alarmNames": ["no"], "enable": True, "rollback": True}}},
        "alarm",
        "expected an existing alarm, got no",
    ),
    Case(
        "namespace",
        {"service_connect_configuration": {"enabled": True, "namespace": "nowhere"}},
        "namespace",
        "expected an existing namespace, got nowhere",
    ),
    Case(
        "no-namespace",
        {"service_connect_configuration": {"enabled": True}},
        "namespace",
        "expected a namespace, because the cluster has no default namespace",
    ),
    Case(
        "registry",
        {"service_registries": [{"registryArn": "arn:aws:servicediscovery:eu-central-1:<account>:service/srv-no"}]},
        "discovery",
        "expected an existing discovery service",
    ),
    Case(
        "registry-port",
        {"service_registries": [{"registryArn": "<ports>"}]},
        "discovery",
        "because ports has SRV records",
    ),
    Case(
        "registry-type",
        {
            "service_registries": [{"registryArn": "<addresses>", "containerName": "web", "containerPort": 8080}],
            "definition.networkMode": "bridge",
            "definition.requiresCompatibilities": ["EC2"],
            "launch_type": "EC2",
            "network_configuration": None,
        },
        "discovery",
        "expected a discovery service with SRV records in network mode bridge, got addresses with A",
    ),
    # Limits
    Case("cpu", {"definition.cpu": "300"}, "limits", "cpu: expected one of Fargate's sizes"),
    Case("memory", {"definition.memory": "4096"}, "limits", "memory: expected one of Fargate's sizes with cpu 256"),
    Case("family", {"definition.family": "a.b"}, "limits", "family: expected a family"),
    Case("service-name", {"name": "a.b"}, "limits", "name: expected 1 to 255 letters"),
    Case("count", {"desired_count": -1}, "limits", "desired_count: expected 0 or more"),
    Case(
        "host-port",
        {"container.portMappings": [{"containerPort": 8080, "hostPort": 80}]},
        "limits",
        "hostPort: expected 8080 or none in network mode awsvpc, got 80",
    ),
    Case(
        "container", {"balancer.containerName": "api"}, "limits", "containerName: expected one of the task's containers"
    ),
    Case(
        "container-port",
        {"balancer.containerPort": 80},
        "limits",
        "containerPort: expected a port of portMappings of web",
    ),
    Case(
        "port-name",
        {
            "service_connect_configuration": {
                "enabled": True,
                "namespace": "shop.internal",
                "services": [{"portName": "grpc"}],
            }
        },
        "limits",
        "portName: expected one of the names in portMappings \\(http\\), got 'grpc'",
    ),
    Case(
        "groups",
        {"network.securityGroups": ["<tasks>"] * 6},
        "limits",
        "securityGroups: expected 0 to 5 elements, got 6",
    ),
    Case("subnets", {"network.subnets": ["<a>"] * 17}, "limits", "subnets: expected 1 to 16 elements, got 17"),
    Case(
        "health-check",
        {"container.healthCheck": {"command": ["CMD", "true"], "interval": 1}},
        "limits",
        "interval: expected 5",
    ),
    Case(
        "spot-and-hosts",
        {
            "launch_type": None,
            "capacity_provider_strategy": [
                {"capacityProvider": "FARGATE", "weight": 1},
                {"capacityProvider": "hosts", "weight": 1},
            ],
        },
        "limits",
        "expected either Fargate providers or other providers, got both",
    ),
    # Hooks of deployments
    Case(
        "hook-missing",
        hooked("arn:aws:lambda:eu-central-1:<account>:function:nobody"),
        "hook",
        "hookTargetArn: expected an existing Lambda function, got arn:aws:lambda:.*:nobody. Create",
    ),
    Case("hook-no-function", hooked("arn:aws:sns:eu-central-1:<account>:topic"), "hook", "expected the ARN of a L"),
    Case("hook-no-role", hooked("<hook>", None), "permissions", "expected a role that can invoke the function, got n"),
    Case("hook-role-missing", hooked("<hook>", "nobody"), "role", "expected an existing IAM role, got nobody"),
    Case(
        "hook-trust", hooked("<hook>", "<task>"), "trust", "expected a role that ecs.amazonaws.com can assume, got task"
    ),
    Case(
        "hook-denied",
        hooked("<hook>", "<idle-of-ecs>"),
        "permissions",
        "expected a role that can invoke the function, got idle-of-ecs without lambda:InvokeFunction on <hook>. Allow",
    ),
]


def filled(shop: Shop, value: t.Any) -> t.Any:
    """The value, with ids for names."""
    if isinstance(value, dict):
        return {name: filled(shop, member) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(shop, one) for one in value]
    if not isinstance(value, str):
        return value
    rule = shop.ids["load balancer"].replace(":loadbalancer/", ":listener-rule/") + "/0123456789abcdef/0123456789abcdef"
    known = {**shop.ids, "image": shop.image("").rstrip("/"), "rule": rule}
    for name, one in known.items():
        value = value.replace(f"<{name}>", one)
    return value


@pytest.fixture(scope="module")
def shop(start_cloud: t.Callable[..., str]) -> Shop:
    return build(Shop(start_cloud(MINISTACK_REGION="eu-central-1")))


@pytest.fixture(scope="module")
def found(shop: Shop) -> Json:
    """The checks of all wrong services, by their place."""
    services = [changed(shop.service(case.name), filled(shop, case.changes)) for case in CASES]
    checks = shop.preflight(services=services)["preflight"]["checks"]
    return {
        case.name: [one for one in checks if f"services[{number}]" in one["place"]] for number, case in enumerate(CASES)
    }


def test_a_service_that_fits_passes(shop: Shop) -> None:
    result = shop.preflight(services=[shop.service()])
    assert [one["text"] for one in result["preflight"]["checks"] if one["state"] in ("FAIL", "WARN")] == []
    assert (result["preflight"]["result"], result["exit_code"]) == ("passed", 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_wrong_is_found(shop: Shop, found: Json, case: Case) -> None:
    failed = [one for one in found[case.name] if one["state"] == "FAIL"]
    texts = [one["text"] for one in failed if one["check"] == case.check]
    wanted = filled(shop, case.message)
    assert any(re.search(wanted, text) for text in texts), (wanted, [one["text"] for one in found[case.name]])


class SiteCase(t.NamedTuple):
    """An option beside services, the check that fails, and what its message says."""

    name: str
    option: Json
    check: str
    message: str


ARN = "arn:aws:acm:eu-central-1:<account>:certificate/"
SITE_CASES = [
    SiteCase("cluster", {"cluster": "nowhere"}, "cluster", "expected an existing cluster, got nowhere"),
    SiteCase(
        "certificate",
        {"certificates": [{"arn": f"{ARN}12345678-1234-1234-1234-123456789012"}]},
        "certificate",
        "expected an existing certificate",
    ),
    SiteCase(
        "certificate-region",
        {"certificates": [{"arn": f"{ARN}1".replace("eu-central-1", "us-east-1"), "place": "the_certificate"}]},
        "certificate",
        "the_certificate: expected a certificate in eu-central-1, where the load balancer is, got .* in us-east-1",
    ),
    SiteCase(
        "domain",
        {"domains": [{"name": "shop.example.org"}]},
        "hosted zone",
        "expected a public hosted zone for shop.example.org, got none",
    ),
    SiteCase(
        "zone",
        {"domains": [{"name": "shop.example.org", "hosted_zone_id": "<zone>"}]},
        "hosted zone",
        "expected a public hosted zone for shop.example.org, got hosted zone <zone> of example.com",
    ),
    SiteCase("bucket", {"buckets": [{"name": "shop-none"}]}, "bucket", "expected an existing bucket, got shop-none"),
    SiteCase(
        "balancer",
        {"load_balancers": [{"name": "nobody", "place": "the_balancer"}]},
        "load balancer",
        "the_balancer: expected an existing load balancer, got nobody",
    ),
    SiteCase(
        "balancer-vpc",
        {"load_balancers": [{"name": "<foreign balancer>"}]},
        "load balancer",
        "expected a load balancer in <vpc>, where the tasks are, got foreign in <other>",
    ),
    SiteCase(
        "balancer-tags-vpc",
        {"load_balancers": [{"name": "", "tags": {"team": "search", "stage": "test"}, "place": "the_tags"}]},
        "load balancer",
        "the_tags: expected a load balancer in <vpc>, where the tasks are, got foreign in <other>",
    ),
    SiteCase(
        "balancer-tags-listener",
        {"load_balancers": [{"tags": {"team": "web"}, "listeners": ["<listener 80>", "nobody"]}]},
        "listener",
        "expected listeners of shop, got nobody, which it does not have",
    ),
    SiteCase(
        "balancer-tags-none",
        {"load_balancers": [{"tags": {"team": "web", "stage": "live"}, "place": "the_tags"}]},
        "load balancer",
        "the_tags: expected one load balancer with team=web, stage=live, got none",
    ),
    SiteCase(
        "balancer-tags-two",
        {"load_balancers": [{"tags": {"stage": "test"}}]},
        "load balancer",
        "expected one load balancer with stage=test, got (shop, foreign|foreign, shop)",
    ),
    SiteCase(
        "balancer-type",
        {"load_balancers": [{"name": "network"}]},
        "load balancer",
        "expected an Application Load Balancer, got network of type network",
    ),
    SiteCase(
        "balancer-listeners",
        {"load_balancers": [{"name": "quiet", "listeners_place": "the_listeners"}]},
        "listener",
        "the_listeners: expected a listener on port 443 or 80 of quiet, got ports none",
    ),
    SiteCase(
        "balancer-listener",
        {"load_balancers": [{"name": "quiet", "listeners": ["<listener 80>"]}]},
        "listener",
        "expected listeners of quiet, got <listener 80>, which it does not have",
    ),
    SiteCase(
        "balancer-of-group",
        {"load_balancers": [{"name": "<quiet balancer>", "listeners": []}]},
        "target group",
        "expected a target group that quiet can use, got web, which <load balancer> uses",
    ),
    SiteCase(
        "group-missing",
        {"target_groups": [{"name": "nobody", "place": "the_group"}]},
        "target group",
        "the_group: expected an existing target group, got nobody",
    ),
    SiteCase(
        "group-vpc",
        {"target_groups": [{"name": "<elsewhere>"}]},
        "target group",
        "expected a target group in <vpc>, where the tasks are, got elsewhere in <other>",
    ),
    SiteCase(
        "problem",
        {"problems": ["ecs_app_services[0]: expected A, got B. Do C."]},
        "variables",
        "expected A, got B. Do C",
    ),
    SiteCase(
        "task-definition",
        {"services": [{"name": "web", "task_definition": "nobody:7"}]},
        "limits",
        "task_definition: expected an existing task definition, got nobody:7",
    ),
]


@pytest.mark.parametrize("case", SITE_CASES, ids=lambda case: case.name)
def test_what_is_wrong_beside_services_is_found(shop: Shop, case: SiteCase) -> None:
    found = shop.preflight(**{"services": [shop.service()], **filled(shop, case.option)})["preflight"]
    texts = [one["text"] for one in found["checks"] if (one["state"], one["check"]) == ("FAIL", case.check)]
    assert any(re.search(filled(shop, case.message), text) for text in texts), found["checks"]


def test_two_services_of_one_name_are_found(shop: Shop) -> None:
    found = shop.preflight(services=[shop.service(), shop.service()])["preflight"]
    failed = [one["text"] for one in found["checks"] if one["state"] == "FAIL"]
    assert failed == ["services, web: expected each name once, got it 2 times."]


def test_what_others_own_and_fits_passes(shop: Shop) -> None:
    """A hook, a load balancer by its ARN with listeners, by its name and by tags, and target groups."""
    service = changed(shop.service(), filled(shop, hooked("<hook>")))
    pause = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
    service["deployment_configuration"]["lifecycleHooks"].append(pause)
    balancers = [
        *({"name": "<load balancer>", "listeners": ["<listener 80>", "<listener 81>"]}, {"name": "shop"}),
        {"tags": {"team": "web"}, "place": "the_tags"},
    ]
    options = {"load_balancers": balancers, "target_groups": [{"name": "<unused>"}, {"name": "hosts"}], "rules": 100}
    found = shop.preflight(services=[service], **filled(shop, options))["preflight"]
    assert [one["text"] for one in found["checks"] if one["state"] in ("FAIL", "WARN")] == []
    texts = [one["text"] for one in found["checks"] if one["state"] == "OK"]
    for said in ("Lambda function hook exists", "hooks can invoke", "load balancer shop exists", "group hosts exists"):
        assert any(said in text for text in texts), texts


def test_members_of_secrets_are_known_where_the_run_sets_them(shop: Shop) -> None:
    """No value is read for it."""
    secret = shop.ids["database"]
    wanted = [{"name": "A", "valueFrom": f"{secret}:user::"}, {"name": "B", "valueFrom": f"{secret}:pasword::"}]
    service = changed(shop.service(), {"container.secrets": wanted})
    found = shop.preflight(services=[service])["preflight"]
    unknown = [one["text"] for one in found["checks"] if one["state"] == "UNKNOWN" and one["check"] == "secret"]
    assert [re.sub("database-?[^ ]*", "database", text).partition(": ")[2] for text in unknown] == [
        f"whether secret shop/database has the member {member} is unknown: preflight does not read the value of the"
        " secret."
        for member in ("user", "pasword")
    ]
    found = shop.preflight(services=[service], secret_members={secret: ["password", "user"]})["preflight"]
    failed = [one["text"] for one in found["checks"] if one["state"] == "FAIL"]
    assert len(failed) == 1
    assert "secrets B: expected a member of secret shop/database" in failed[0]
    assert "(password, user), got pasword. Correct valueFrom" in failed[0]


def test_a_secret_in_place_of_its_name_is_not_shown(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where parameters or a role cannot be read, and also for the password of a registry."""
    wrong = {
        "container.secrets": [{"name": "PASSWORD", "valueFrom": "hunter2-h7x"}],
        "container.repositoryCredentials": {"credentialsParameter": "me:hunter2-h7x"},
        "container.logConfiguration": {"logDriver": "splunk", "secretOptions": [{"name": "t", "valueFrom": "hunter2"}]},
    }
    without_role = {"definition.executionRoleArn": None, **wrong}
    services = [changed(shop.service(), wrong), changed(shop.service("api"), without_role)]
    found = shop.preflight(services=services)
    said = [one["text"] for one in found["preflight"]["checks"] if (one["state"], one["check"]) == ("FAIL", "secret")]
    assert len(said) == 6
    assert "secrets PASSWORD: expected the path or ARN of an existing secret, got something else, which is" in said[0]
    assert "hunter2" not in repr(found)
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "not allowed"}}, "DescribeParameters")
    monkeypatch.setattr(api, "parameters", aws_call(lambda *_arguments: throw(denied)))
    monkeypatch.setitem(read_flow.BATCHED, "parameter", read_flow.BATCHED["parameter"]._replace(call=api.parameters))
    assert "hunter2" not in repr(shop.preflight(services=services))


def throw(error: Exception) -> t.Any:
    raise error


def test_what_the_run_creates_is_not_missing(shop: Shop) -> None:
    """A service of which nothing exists, in a run that creates it all."""
    wanted = {
        "definition.executionRoleArn": "new-execution",
        "definition.taskRoleArn": "new-task",
        "network.subnets": ["private subnets"],
        "network.securityGroups": ["new-tasks"],
        "balancer.targetGroupArn": "new-web",
        "container.image": "<image>/new/web:1",
        "container.secrets": [{"name": "KEY", "valueFrom": "/new/key"}],
        "log.awslogs-group": "/new/web",
    }
    creates = {
        "IAM role": ["new-execution", "new-task"],
        "subnet": ["private subnets"],
        "security group": ["new-tasks"],
        "target group": ["new-web"],
        "image": [shop.image("new/web:1")],
        "parameter": ["/new/key"],
        "log group": ["/new/web"],
        "cluster": ["new"],
    }
    service = changed(shop.service(), filled(shop, wanted))
    found = shop.preflight(services=[service], cluster="new", creates=creates)["preflight"]
    assert [one for one in found["checks"] if one["state"] in ("FAIL", "WARN")] == []
    # The same run without what it creates: everything is missing.
    counts = shop.preflight(services=[service], cluster="new")["preflight"]["counts"]
    assert counts["FAIL"] == 9


def test_a_network_without_nat_needs_an_endpoint_for_each_destination(shop: Shop) -> None:
    network = {"nat": "none", "endpoints": ["ecr.api", "ecr.dkr", "s3", "logs", "ssm"]}
    service = changed(shop.service(), {"network.subnets": ["new"], "network.securityGroups": ["tasks"]})
    creates = {"subnet": ["new"], "security group": ["tasks"]}
    found = shop.preflight(services=[service], network=network, creates=creates)["preflight"]
    assert [one["text"] for one in found["checks"] if one["state"] == "FAIL"] == [
        "services[0] web, container web, secrets DATABASE: expected a route to secretsmanager, got neither a NAT"
        " gateway nor an endpoint for it. Add secretsmanager to ecs_network_endpoints, or set ecs_network_nat."
    ]


def test_names_of_a_network_become_ids(shop: Shop) -> None:
    network = {
        "vpc_filters": {"vpc-id": shop.ids["vpc"]},
        "subnets": {"private subnets": {"subnet-id": [shop.ids["a"], shop.ids["b"]]}},
        "security_groups": ["tasks"],
    }
    names = {"network.subnets": ["private subnets"], "network.securityGroups": ["tasks"]}
    found = shop.preflight(services=[changed(shop.service(), names)], network=network)["preflight"]
    assert found["result"] == "passed"
    assert f"web: subnets and security groups are in {shop.ids['vpc']}" in [one["text"] for one in found["checks"]]


def test_a_denied_read_is_unknown_with_its_permission(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "not allowed"}}, "GetRole")
    call = botocore.client.BaseClient._make_api_call

    def refuse(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation in ("GetRole", "DescribeSubnets", "SimulatePrincipalPolicy", "DescribeParameters"):
            raise denied
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)
    found = shop.preflight(services=[shop.service()])["preflight"]
    unknown = {one["permission"] for one in found["checks"] if one["state"] == "UNKNOWN"} - {""}
    assert unknown == {"iam:GetRole", "ec2:DescribeSubnets", "ssm:DescribeParameters"}
    assert found["result"] == "passed"


@pytest.mark.witness("ecs_preflight")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_the_module_fails_where_it_is_asked_to(run: RunModule) -> None:
    boto3.client("ecs").create_cluster(clusterName="shop", capacityProviders=["FARGATE"])
    options = {"cluster": "shop", "services": [{"name": "web", "task_definition": {"definition": DEFINITION}}]}
    assert run("ecs_preflight", **options)["preflight"]["result"] == "failed"
    failed = run("ecs_preflight", fail=True, **options)
    assert (failed["failed"], failed["code"]) == (True, "checks_failed")
    assert "Preflight: 1 check failed. Nothing was changed.\nservices[0] web, launch_type: expected" in failed["msg"]
    provider = [{"capacityProvider": "hosts", "weight": 1}]
    options["services"][0]["capacity_provider_strategy"] = provider
    assert not run("ecs_preflight", fail=True, creates={"capacity provider": ["hosts"]}, **options).get("failed")
