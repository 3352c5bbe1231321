# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which image, user and type a new instance gets, and what is refused."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.tests.proxies.base import Answer, Proxy, Request, refusal

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud

ROLE = [{"ansible.builtin.import_role": {"name": "slipway.aws.docker_instance"}}]
CANONICAL = "/aws/service/canonical/ubuntu/server"
# Public record: Terraform's AWS provider repeats RunInstances after it.
NO_ROLE = (
    'IAM Instance Profile "arn:aws:iam::000000000000:instance-profile/ecs-docker-instance" has no associated IAM Roles'
)
NO_INSTANCE = (
    b'<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>0</requestId><reservationSet/>'
    b"</DescribeInstancesResponse>"
)
CHOSEN = [
    ({}, "t3.small", "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "ec2-user"),
    (
        {"docker_instance_image": "ubuntu_22.04", "docker_instance_architecture": "arm64"},
        "t4g.small",
        f"{CANONICAL}/22.04/stable/current/arm64/hvm/ebs-gp2/ami-id",
        "ubuntu",
    ),
]
REFUSED = [
    (
        {"docker_instance_image": "ubuntu_20.04"},
        "docker_instance_image: expected one of amazon_linux_2023,",
    ),
    (
        {"docker_instance_architecture": "riscv"},
        "docker_instance_architecture: expected one of x86_64, arm64,",
    ),
    (
        {"docker_instance_permissions_boundary": "shop"},
        "docker_instance_permissions_boundary: expected the ARN of a managed",
    ),
    ({"docker_instance_type": "m7g.large"}, "docker_instance_type: expected an instance type for x86_64"),
]


def in_variants(cases: list[t.Any]) -> t.Iterator[t.Any]:
    """Each takes seconds: the daily tests run the first one."""
    return (pytest.param(*case, marks=pytest.mark.variants) for case in cases)


@pytest.mark.variants
@pytest.mark.parametrize(("variables", "kind", "parameter", "user"), [CHOSEN[0], *in_variants(CHOSEN[1:])])
def test_image_follows_from_distribution_and_processor(
    cloud: Cloud, tmp_path: Path, variables: dict[str, str], kind: str, parameter: str, user: str
) -> None:
    tell = {"ansible.builtin.debug": {"msg": "user {{ docker_instance_result.user }}."}}
    options = {"ecs_network_result": {}, "docker_instance_directory": str(tmp_path), **variables}
    run = cloud.play([*ROLE, tell], "--check", "-v", **options)
    assert run.code == 0, run.output
    assert f"docker-EC2 ({kind}) from resolve:ssm:{parameter}" in run.output
    assert f"user {user}." in run.output


@pytest.mark.parametrize(("variables", "message"), [REFUSED[0], *in_variants(REFUSED[1:])])
def test_wrong_variable_is_refused(cloud: Cloud, tmp_path: Path, variables: dict[str, str], message: str) -> None:
    run = cloud.play(ROLE, docker_instance_directory=str(tmp_path / "none"), ecs_network_result={}, **variables)
    assert run.code != 0
    assert message in " ".join(run.output.split())
    assert not (tmp_path / "none").exists()


@pytest.mark.variants
def test_a_new_instance_profile_may_take_ec2_a_while(cloud: Cloud, tmp_path: Path) -> None:
    """EC2 knows neither the profile nor its role at once, nor does it find the new instance by its tags."""
    ec2 = cloud.client("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["SecurityGroups"][0]
    passing = {"RunInstances": 1, "DescribeInstances": 1}

    def before(request: Request) -> Answer | None:
        is_read = request.operation == "DescribeInstances"
        is_by_tags = any(name.startswith("Filter") for name in request.members) and proxy.calls["RunInstances"] > 1
        if not passing.get(request.operation) or (is_read and not is_by_tags):
            return None
        passing[request.operation] -= 1
        if is_read:
            return Answer(200, {"Content-Type": "text/xml"}, NO_INSTANCE)
        return refusal(request, "InvalidParameterValue", NO_ROLE)

    with Proxy(cloud.address, before) as proxy:
        run = cloud._replace(address=proxy.address).play(
            ROLE,
            docker_instance_directory=str(tmp_path),
            docker_instance_image_id="ami-1",
            docker_instance_subnet_id=subnet["SubnetId"],
            docker_instance_security_group_ids=[group["GroupId"]],
            docker_instance_address_type="private",
            docker_instance_timeout=3,
            ecs_network_result={},
        )
    assert (proxy.calls["RunInstances"], passing["DescribeInstances"]) == (2, 0), run.output
    # Nothing runs here to connect to.
    assert "expected an SSH server" in " ".join(run.output.split())


def test_check_mode_predicts_the_connection_to_an_instance_that_a_killed_run_left(cloud: Cloud, tmp_path: Path) -> None:
    subnet = cloud.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    tags = [{"Key": "slipway:project", "Value": "killed"}, {"Key": "Name", "Value": "docker-EC2"}]
    cloud.client("ec2").run_instances(
        ImageId="ami-1",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    options = {
        "docker_instance_project": "killed",
        "docker_instance_directory": str(tmp_path),
        "ecs_network_result": {},
    }
    run = cloud.play(
        [{"ansible.builtin.import_role": {"name": "slipway.aws.docker_instance", "tasks_from": "find"}}],
        "--check",
        "-v",
        **options,
    )
    assert run.code == 0, run.output
    assert f"Would create a line of {tmp_path}/known_hosts." in run.output
    assert f"Would create {tmp_path}/ssh_config." in run.output
    assert not list(tmp_path.iterdir())


@pytest.mark.variants
def test_instance_that_was_reached_over_ssh_is_kept_for_sessions(cloud: Cloud, tmp_path: Path) -> None:
    """Its role gets the permissions in place; without an agent, as here, the run says what to look for."""
    ec2, iam = cloud.client("ec2"), cloud.client("iam")
    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])["SecurityGroups"][0]
    options = {
        "docker_instance_project": "sessions",
        "docker_instance_directory": str(tmp_path),
        "docker_instance_image_id": "ami-1",
        "docker_instance_subnet_id": subnet["SubnetId"],
        "docker_instance_security_group_ids": [group["GroupId"]],
        "docker_instance_timeout": 3,
        "ecs_network_result": {},
    }

    def instances() -> list[str]:
        filters = [{"Name": "tag:slipway:project", "Values": ["sessions"]}]
        found = ec2.describe_instances(Filters=filters)["Reservations"]
        return [instance["InstanceId"] for one in found for instance in one["Instances"]]

    over_ssh = cloud.play(ROLE, docker_instance_address_type="private", **options)
    assert "expected an SSH server" in " ".join(over_ssh.output.split())
    [before] = instances()
    sessions = {**options, "docker_instance_connection": "session_manager"}
    planned = cloud.play(ROLE, "--check", **sessions)
    assert planned.code == 0, planned.output
    assert iam.list_role_policies(RoleName="sessions-docker-instance")["PolicyNames"] == []
    run = cloud.play(ROLE, **sessions)
    message = " ".join(run.output.split())
    assert "expected an SSM Agent that is connected to Session Manager, got none. Timed out after 3 s" in message
    assert "needs a route to ssm and ssmmessages" in message
    assert instances() == [before]
    policy = iam.get_role_policy(RoleName="sessions-docker-instance", PolicyName="session-manager")["PolicyDocument"]
    assert [one["Action"] for one in policy["Statement"]] == [
        [
            "ssm:UpdateInstanceInformation",
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ]
    ]
    # Back again, the role loses them.
    cloud.play(ROLE, docker_instance_address_type="private", **options)
    assert iam.list_role_policies(RoleName="sessions-docker-instance")["PolicyNames"] == []
