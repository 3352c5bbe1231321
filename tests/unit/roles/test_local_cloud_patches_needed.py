# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator still lacks what emulator_patches.py adds. A test that fails here means: remove that patch."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import alb, ec2, ecs, eventbridge, scheduler, servicediscovery, ssm

PUBLIC_KEY = "c3NoLWVkMjU1MTkgQUFBQUMzTnphQzFsWkRJMU5URTVBQUFBSUVyM3RlMXcgYQ=="
TASK = "arn:aws:ecs:eu-central-1:000000000000:task/web/0123456789abcdef"
CONTAINER = {
    "name": "web",
    "image": "web",
    "entryPoint": ["/entry"],
    "user": "1000",
    "workingDirectory": "/srv",
    "readonlyRootFilesystem": True,
    "healthCheck": {"command": ["CMD", "true"]},
    "linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 16}]},
    "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
}
DEFINITION = {"networkMode": "awsvpc", "volumes": [{"name": "data"}], "containerDefinitions": [CONTAINER]}


def run_options() -> dict[str, Any]:
    """What the emulator hands to Docker for the container above."""
    with request_scope("000000000000", "eu-central-1"):
        options: dict[str, Any] = ecs._build_run_kwargs(
            CONTAINER, DEFINITION, {}, {}, None, False, "0123456789abcdef", TASK, None, "arn"
        )
    return options


@pytest.mark.parametrize("option", ["entrypoint", "user", "working_dir", "read_only", "healthcheck", "tmpfs"])
def test_member_of_a_container_definition_does_not_reach_docker(option: str) -> None:
    assert option not in run_options()


def test_volume_of_a_task_is_not_mounted() -> None:
    assert "volumes" not in run_options()


def test_containers_of_a_task_have_networks_of_their_own() -> None:
    assert "container:" not in inspect.getsource(ecs._build_run_kwargs)


def test_a_task_is_inspected_ten_times_a_second() -> None:
    assert "time.sleep(0.1)" in inspect.getsource(ecs._watch_task_lifecycle)


def test_target_groups_lack_members_of_their_protocols() -> None:
    source = inspect.getsource(alb._tg_xml)
    assert all(member not in source for member in ("ProtocolVersion", "IpAddressType", "GrpcCode"))
    assert '"stickiness.type", "Value": "lb_cookie"' in inspect.getsource(alb._create_tg)


def test_rules_lose_members_of_conditions_and_actions() -> None:
    field, place = "Conditions.member.1", "QueryStringConfig.Values.member.1.Value"
    [condition] = alb._parse_conditions({f"{field}.Field": ["query-string"], f"{field}.{place}": ["a"]})
    assert condition == {"Field": "query-string", "Values": []}
    source = inspect.getsource(alb._parse_actions)
    assert all(member not in source for member in ("AuthenticateCognitoConfig", "JwtValidation", "Stickiness"))
    assert "RegexValues" not in inspect.getsource(alb._match_condition)


def test_health_of_a_container_is_ignored() -> None:
    assert "Health" not in inspect.getsource(ecs._maybe_mark_stopped)


def test_other_containers_outlive_the_essential_one() -> None:
    # Without a client it stops nothing.
    assert "_cleanup_task_resources(task, None)" in inspect.getsource(ecs._maybe_mark_stopped)


def test_container_does_not_wait_for_what_it_depends_on() -> None:
    assert "dependsOn" not in inspect.getsource(ecs)


def test_secure_string_reaches_a_container_encrypted() -> None:
    with request_scope("000000000000", "eu-central-1"):
        ssm._put_parameter({"Name": "/ecs/key", "Value": "plain", "Type": "SecureString"})
        container = {"secrets": [{"name": "KEY", "valueFrom": "/ecs/key"}]}
        assert ecs._resolve_container_secrets(container)["KEY"].startswith("ENCRYPTED:")
        assert ssm.resolve_parameter_value("/ecs/key", decrypt=True) == "plain"
        ssm.reset()


def test_task_of_a_service_is_not_found_by_its_name() -> None:
    assert "servicediscovery" not in inspect.getsource(ecs)
    assert "ecs" not in inspect.getsource(servicediscovery._discover_instances)


@pytest.mark.parametrize("action", ["_list_namespaces", "_list_services"])
def test_filters_of_a_list_are_ignored(action: str) -> None:
    assert "Filters" not in inspect.getsource(getattr(servicediscovery, action))


def test_a_schedule_runs_no_task_and_knows_no_time_zone() -> None:
    assert "ecs" not in inspect.getsource(eventbridge._invoke_target)
    assert "Timezone" not in inspect.getsource(scheduler._tick_schedules)


def test_fingerprint_of_an_imported_key_is_random() -> None:
    def imported() -> str:
        response = ec2._import_key_pair({"KeyName": ["k"], "PublicKeyMaterial": [PUBLIC_KEY]})
        found = re.search(rb"<keyFingerprint>(.*?)</", response[2])
        assert found
        return found[1].decode()

    with request_scope("000000000000", "eu-central-1"):
        assert imported() != imported()
        assert "PublicKey" not in ec2._key_pairs["k"]


def test_instance_cannot_be_given_a_seccomp_profile() -> None:
    assert "security_opt" not in ec2._parse_ec2_docker_flags("--security-opt seccomp=unconfined")


def test_load_balancer_lacks_attributes_that_nobody_has_set() -> None:
    assert "routing.http.drop_invalid_header_fields.enabled" not in inspect.getsource(alb)


def test_protected_load_balancer_is_deleted() -> None:
    assert "deletion_protection" not in inspect.getsource(alb._delete_lb)


def test_load_balancer_is_not_in_the_vpc_of_its_subnets() -> None:
    assert '_p(params, "VpcId"' in inspect.getsource(alb._create_lb)


def test_listener_outlives_its_load_balancer() -> None:
    assert "_listeners" not in inspect.getsource(alb._delete_lb)


def test_target_group_with_an_unknown_name_is_an_empty_list() -> None:
    with request_scope("000000000000", "eu-central-1"):
        status, __, body = alb._describe_tgs({"Names.member.1": ["nothing"]})
    assert status == 200
    assert b"TargetGroupNotFound" not in body


def test_a_capacity_provider_with_an_unknown_name_is_not_named_as_missing() -> None:
    with request_scope("000000000000", "eu-central-1"):
        __, __, body = ecs._describe_capacity_providers({"capacityProviders": ["nothing"]})
    assert b"MISSING" not in body


def test_a_family_stands_for_a_revision_that_is_inactive() -> None:
    with request_scope("000000000000", "eu-central-1"):
        ecs._register_task_definition({"family": "web", "containerDefinitions": [{"name": "web", "image": "web"}]})
        ecs._deregister_task_definition({"taskDefinition": "web:1"})
        assert b"INACTIVE" in ecs._describe_task_definition({"taskDefinition": "web"})[2]
        ecs.reset()


def test_targets_are_healthy_without_a_check() -> None:
    source = inspect.getsource(alb._describe_target_health)
    assert "<State>healthy</State>" in source
    assert "unhealthy" not in source


def test_request_goes_to_one_target_whether_it_answers_or_not() -> None:
    assert "random.choice(registered)" in inspect.getsource(alb._forward_to_tg)


def test_action_of_a_listener_has_an_order_that_nobody_set() -> None:
    assert alb._parse_actions({"DefaultActions.member.1.Type": ["forward"]}) == [{"Type": "forward", "Order": 1}]
    assert "<Order>1</Order>" in alb._action_xml({"Type": "forward"})


def test_the_console_of_an_instance_cannot_be_read() -> None:
    assert "GetConsoleOutput" not in ec2._ACTION_MAP
