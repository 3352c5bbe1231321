# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a strategy means for ECS and for the load balancer, and what is refused."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import problems_of
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_app_strategies as strategies
from ansible_collections.slipway.aws.tests.unit.plugins.plugin_utils.test_ecs_app import ACCOUNT, planned, service

Json = dict[str, Any]

BALANCERS = [{"targetGroupArn": "web", "containerName": "web", "containerPort": 8000}]
SHIFTING = {"web": {"arn": "arn:web", "alternate_arn": "arn:web-2", "production_rule": "arn:rule", "test_rule": ""}}
TRAFFIC = {
    "percent": 25,
    "minutes": 2,
    "bake_minutes": 3,
    "alarms": ["errors"],
    "pause": ["POST_SCALE_UP"],
    "pause_minutes": 30,
    "pause_action": "continue",
}


def released(**members: Any) -> Json:
    """The service as the module gets it."""
    balancer = {**ACCOUNT["load_balancer"], "shifting": SHIFTING, "alternates": {"web": "arn:web-2"}}
    cluster = {**ACCOUNT["cluster"], "load_balancer_role_arn": "arn:aws:iam::1:role/shop-load-balancing"}
    account = {"load_balancer": balancer, "cluster": cluster}
    found = planned(service(load_balancers=BALANCERS, **members), account=account)
    assert found["problems"] == []
    return dict(found["services"][0])


@pytest.mark.parametrize("strategy", ["canary", "linear", "blue_green"])
def test_a_strategy_is_what_the_api_takes(strategy: str) -> None:
    given = TRAFFIC if strategy != "blue_green" else {"bake_minutes": 3}
    made = released(strategy=strategy, traffic=given)
    shape = botocore.session.get_session().get_service_model("ecs").shape_for("DeploymentConfiguration")
    configuration = made["deployment_configuration"]
    assert problems_of(shape, configuration, "deployment_configuration") == []
    assert (configuration["strategy"], configuration["bakeTimeInMinutes"]) == (strategy.upper(), 3)
    assert configuration["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    [balancer] = made["load_balancers"]
    assert balancer == {
        **BALANCERS[0],
        "targetGroupArn": "arn:web",
        "advancedConfiguration": {
            "alternateTargetGroupArn": "arn:web-2",
            "productionListenerRule": "arn:rule",
            "roleArn": "arn:aws:iam::1:role/shop-load-balancing",
        },
    }


def test_steps_alarms_and_pauses_are_given_to_ecs() -> None:
    configuration = released(strategy="canary", traffic=TRAFFIC)["deployment_configuration"]
    assert configuration["canaryConfiguration"] == {"canaryPercent": 25.0, "canaryBakeTimeInMinutes": 2}
    assert configuration["alarms"] == {"alarmNames": ["errors"], "enable": True, "rollback": True}
    [hook] = configuration["lifecycleHooks"]
    assert hook["timeoutConfiguration"] == {"timeoutInMinutes": 30, "action": "CONTINUE"}


def test_without_a_strategy_nothing_is_shifted() -> None:
    for made in (released(), released(strategy="rolling")):
        assert made["load_balancers"] == [{**BALANCERS[0], "targetGroupArn": "arn:aws:web"}]
        assert made["deployment_configuration"] == {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def test_own_options_of_a_service_win() -> None:
    own = {"bakeTimeInMinutes": 60}
    made = released(strategy="blue_green", options={"deployment_configuration": own, "load_balancers": []})
    assert made["deployment_configuration"] == {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 60}
    assert made["load_balancers"] == []


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"strategy": "recreate"}, "strategy: expected one of rolling, blue_green, canary, linear, got 'recreate'."),
        (
            {"strategy": "canary", "load_balancers": []},
            "strategy: expected load_balancers, whose traffic canary shifts",
        ),
        (
            {"strategy": "blue_green", "traffic": {"percent": 5}},
            "traffic.percent: expected a strategy that supports it",
        ),
        ({"traffic": {"bake_minutes": 5}}, "traffic.bake_minutes: expected a strategy that supports it, got rolling."),
        ({"strategy": "linear", "traffic": {"percent": 1}}, "traffic.percent: expected 3 to 100, got 1."),
        ({"strategy": "canary", "traffic": {"minutes": 2000}}, "traffic.minutes: expected 0 to 1440, got 2000."),
        (
            {"strategy": "canary", "traffic": {"pause": ["POST_SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT"]}},
            "traffic.pause[1]: expected one of PRE_SCALE_UP, POST_SCALE_UP, POST_TEST_TRAFFIC_SHIFT,",
        ),
        ({"strategy": "canary", "traffic": {"pause_minutes": 5}}, "traffic.pause_minutes: expected stages in"),
    ],
)
def test_what_ecs_would_refuse_is_named(members: Json, text: str) -> None:
    problems = list(strategies.problems({"name": "web", "load_balancers": BALANCERS, **members}))
    assert [one for one in problems if text in one], problems
