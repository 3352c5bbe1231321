# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role ecs_cluster with hosts of its own, run by ansible-playbook against moto: from an empty account to hosts, to
Fargate, to hosts again, and to nothing."""

from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass, field

import botocore.session
import pytest
from botocore.validate import ParamValidator
from moto.server import ThreadedMotoServer

from ansible_collections.slipway.aws.tests.proxies.base import Answer, LostError, Proxy, Request

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud, Run

Json = dict[str, t.Any]

HOSTS = {"ecs_cluster_hosting": "ec2"}
REFUSED: list[tuple[Json, str]] = [
    ({"ecs_cluster_hosting": "ecs"}, "ecs_cluster_hosting: expected one of fargate, ec2, got 'ecs'"),
    ({"ecs_cluster_architecture": "ARM"}, "ecs_cluster_architecture: expected one of X86_64, ARM64, got 'ARM'"),
    (
        {"ecs_cluster_default_strategy": [{"capacityProvider": "hosts-ecs", "weight": 1}]},
        "ecs_cluster_default_strategy: expected one or more of FARGATE, FARGATE_SPOT, got hosts-ecs.",
    ),
    (
        {"ecs_cluster_default_strategy": [{"capacityProvider": "FARGATE"}]},
        "expected one capacity provider with a weight of 1 or more, got none.",
    ),
    (
        {
            **HOSTS,
            "ecs_cluster_default_strategy": [
                {"capacityProvider": "FARGATE", "weight": 1},
                {"capacityProvider": "hosts-ecs", "weight": 1},
            ],
        },
        "expected either Fargate providers or other providers, got both: FARGATE, hosts-ecs.",
    ),
    ({**HOSTS, "ecs_cluster_hosts": "ecs-hosts"}, "aws, ecs or fargate, got 'ecs-hosts'."),
    ({**HOSTS, "ecs_cluster_instances_min": 5}, "expected ascending numbers from 0, the last at least 1, got 5, 5, 4."),
    ({**HOSTS, "ecs_cluster_target_capacity": 101}, "ecs_cluster_target_capacity: expected 1 to 100, got 101."),
    (
        {**HOSTS, "ecs_cluster_instance_type": "t4g.small"},
        "expected an instance type for X86_64, such as t3.medium, got t4g.small (ARM64).",
    ),
    (
        {**HOSTS, "ecs_cluster_instance_volume_size": 8},
        "ecs_cluster_instance_volume_size: expected 30 to 16384, got 8.",
    ),
    ({"slipway_permissions_boundary": "shop-boundary"}, "managed policy, such as arn:aws:iam::123456789012:policy"),
    ({**HOSTS, "ecs_cluster_instance_image": "latest"}, "the name of a parameter, got 'latest'."),
]


@dataclass
class Story:
    """How each play ended, and what was there after it."""

    network: Json
    played: dict[str, Run] = field(default_factory=dict)
    states: dict[str, Json] = field(default_factory=dict)


def entry(name: str, **variables: t.Any) -> Json:
    role = {"name": "slipway.aws.ecs_cluster", "tasks_from": name}
    return {"name": name, "ansible.builtin.include_role": role, "vars": variables}


def refusal(variables: Json) -> Json:
    rescue = [{"name": "It is refused", "ansible.builtin.debug": {"msg": "refused"}}]
    return {"name": "One case", "block": [entry("main", **variables)], "rescue": rescue}


def network_of(cloud: Cloud) -> Json:
    """The default VPC of the region, as the role ecs_network would publish it."""
    ec2 = cloud.client("ec2")
    subnets = ec2.describe_subnets()["Subnets"][:2]
    inside = [{"Name": "vpc-id", "Values": [subnets[0]["VpcId"]]}]
    group = ec2.describe_security_groups(Filters=inside)["SecurityGroups"][0]["GroupId"]
    ids = [subnet["SubnetId"] for subnet in subnets]
    return {"vpc_id": subnets[0]["VpcId"], "private_subnet_ids": ids, "security_group_ids": {"tasks": group}}


def state_of(cloud: Cloud) -> Json:
    """All that the role may make."""
    ec2, iam, ecs, asg = (cloud.client(service) for service in ("ec2", "iam", "ecs", "autoscaling"))
    clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"] or ["none"], include=["TAGS"])[
        "clusters"
    ]
    active = [cluster for cluster in clusters if cluster["status"] == "ACTIVE"]
    providers = ecs.describe_capacity_providers(capacityProviders=["hosts-ecs"], include=["TAGS"])["capacityProviders"]
    templates = ec2.describe_launch_templates()["LaunchTemplates"]
    versions = [ec2.describe_launch_template_versions(LaunchTemplateId=one["LaunchTemplateId"]) for one in templates]
    return {
        "clusters": active,
        "providers": providers,
        "groups": asg.describe_auto_scaling_groups()["AutoScalingGroups"],
        "templates": [version["LaunchTemplateVersions"] for version in versions],
        "profiles": iam.list_instance_profiles()["InstanceProfiles"],
        "roles": sorted(role["RoleName"] for role in iam.list_roles()["Roles"]),
        "logs": [group["logGroupName"] for group in cloud.client("logs").describe_log_groups()["logGroups"]],
    }


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud

    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield Cloud(f"http://{host}:{port}", tmp_path_factory.mktemp("playbook"))
    server.stop()


@pytest.fixture(scope="module")
def story(moto: Cloud) -> Story:
    story = Story(network_of(moto))
    obsolete = [entry("main"), entry("delete_obsolete_hosts")]

    def play(name: str, tasks: list[Json], *options: str, **variables: t.Any) -> None:
        story.played[name] = moto.play(tasks, *options, ecs_network_result=story.network, **variables)
        story.states[name] = state_of(moto)

    story.states["empty"] = state_of(moto)
    play("predicted", [entry("main")], "--check", **HOSTS)
    play("created", [entry("main")], **HOSTS)
    play("again", [entry("main")], **HOSTS)
    play("fargate", obsolete)
    play("fargate again", obsolete, "--check")
    play("removed", [entry("main", **HOSTS), entry("absent", **HOSTS)])
    return story


@pytest.mark.variants
def test_invalid_variables_are_refused_before_anything_is_created(moto: Cloud) -> None:
    before = state_of(moto)
    run = moto.play([refusal(case) for case, _text in REFUSED], ecs_network_result=network_of(moto))
    printed = " ".join(run.output.split())
    assert [text for _case, text in REFUSED if text not in printed] == []
    assert state_of(moto) == before


@pytest.mark.variants
def test_lost_answers_to_requests_that_create_are_recovered(moto: Cloud) -> None:
    losing = ["CreateRole", "CreateLogGroup"]

    def after(request: Request, answer: Answer) -> Answer:
        if request.operation in losing:
            losing.remove(request.operation)
            raise LostError
        return answer

    logs = {"ecs_cluster_log_groups": [{"name": "/lost", "retention": 7}]}
    with Proxy(moto.address, after=after) as proxy:
        run = moto._replace(address=proxy.address).play([entry("main")], **logs)
    try:
        assert (run.code, losing) == (0, []), run.output
        assert run.changed >= 2
        assert moto.client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"] == 7
    finally:
        deleted = moto.play([entry("absent")], **logs)
        assert deleted.code == 0, deleted.output


@pytest.mark.variants
def test_check_mode_predicts_the_run(story: Story) -> None:
    predicted, created = story.played["predicted"], story.played["created"]
    assert (predicted.code, created.code) == (0, 0), predicted.output + created.output
    assert story.states["predicted"] == story.states["empty"]
    assert predicted.changed == created.changed == 9


@pytest.mark.variants
def test_a_rerun_is_unchanged(story: Story) -> None:
    assert (story.played["again"].code, story.played["again"].changed) == (0, 0), story.played["again"].output
    assert story.states["again"]["templates"] == story.states["created"]["templates"]


@pytest.mark.variants
def test_hosts_have_the_settings_of_the_variables(story: Story) -> None:
    created = story.states["created"]
    (cluster,), (provider,), (group,), ((version,),) = (
        created[kind] for kind in ("clusters", "providers", "groups", "templates")
    )
    assert sorted(cluster["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT", "hosts-ecs"]
    assert [item["capacityProvider"] for item in cluster["defaultCapacityProviderStrategy"]] == ["hosts-ecs"]
    settings = provider["autoScalingGroupProvider"]
    assert settings["autoScalingGroupArn"] == group["AutoScalingGroupARN"]
    assert (settings["managedScaling"]["status"], settings["managedTerminationProtection"]) == ("ENABLED", "ENABLED")
    assert (group["MinSize"], group["MaxSize"], len(group["Instances"])) == (1, 4, 1)
    assert group["NewInstancesProtectedFromScaleIn"]
    assert sorted(group["VPCZoneIdentifier"].split(",")) == sorted(story.network["private_subnet_ids"])
    data = version["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"]
    assert "\nECS_CLUSTER=ecs\n" in base64.b64decode(data["UserData"]).decode()
    model = botocore.session.get_session().get_service_model("ec2")
    assert not ParamValidator().validate(data, model.shape_for("RequestLaunchTemplateData")).has_errors()


@pytest.mark.variants
def test_back_on_fargate_the_hosts_are_deleted(story: Story) -> None:
    assert story.played["fargate"].code == 0, story.played["fargate"].output
    left = story.states["fargate"]
    assert [left[kind] for kind in ("providers", "groups", "templates", "profiles")] == [[], [], [], []]
    assert left["roles"] == ["ecs-execution", "ecs-task"]
    (cluster,) = left["clusters"]
    assert sorted(cluster["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT"]
    again = story.played["fargate again"]
    assert (again.code, again.changed) == (0, 0), again.output


@pytest.mark.variants
def test_absent_deletes_everything(story: Story) -> None:
    assert story.played["removed"].code == 0, story.played["removed"].output
    assert story.states["removed"] == story.states["empty"]
