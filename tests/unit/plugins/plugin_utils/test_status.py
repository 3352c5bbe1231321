# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status as a table: it fits the terminal, loses nothing that matters, and shows trouble first."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._project.status.model import status
from ansible_collections.slipway.aws.plugins.plugin_utils.status import BAD, BUSY, age, table
from ansible_collections.slipway.aws.tests.unit.project.projects import (
    DIGEST,
    NOW,
    Json,
    balancer,
    behind,
    definition,
    deployment,
    listener,
    project,
    resource,
    service,
    target_group,
    task,
    unknown,
)

METRICS = [
    {"Id": "waiting", "MetricStat": {"Metric": {"Dimensions": [{"Name": "QueueName", "Value": "orders"}]}}},
    {"Id": "backlog", "Expression": "waiting / 2"},
]


def lines(*resources: Json, width: int = 100, unknown: t.Sequence[Json] = ()) -> list[str]:
    return [line.text for line in table(status("ecs", project(*resources, unknown=unknown), NOW), width)]


def line_of(some: list[str], text: str) -> str:
    [found] = [line for line in some if text in line]
    return found


def workshop() -> list[Json]:
    tasks = [task(definition("workshop", 7), django=f"r:1/django@{DIGEST}", nginx=f"r:1/nginx@{DIGEST}")] * 2
    web, family = service("workshop", tasks=tasks, loadBalancers=behind("web"))
    family["details"]["containerDefinitions"] = [{"name": "django", "image": ""}, {"name": "nginx", "image": ""}]
    stored = [{"imageDigest": DIGEST, "imageTags": ["ecr1.0", "src-0123456789abcdef"]}]
    repositories = [resource("repository", name, "ecr_registry", images=stored) for name in ("django", "nginx")]
    return [web, family, *repositories, target_group("web", "healthy", "healthy"), balancer(listener("web"))]


def test_a_service_is_one_line_with_a_line_for_each_further_image_and_address() -> None:
    found = lines(*workshop())
    row = found.index(line_of(found, "workshop "))
    assert found[row].split() == [
        *("workshop", "stable", "2/2", "healthy", "workshop:7", "3", "h", "succeeded"),
        *("django", "ecr1.0", "@1a2b3c4d1a2b"),
    ]
    assert found[row + 1].split() == ["nginx", "ecr1.0", "@1a2b3c4d1a2b"]
    assert found[row + 1].index("nginx") == found[row].index("django")
    assert found[row + 2] == "    http://ecs-web-1.eu-central-1.elb.amazonaws.com/"


def test_a_service_that_scales_has_a_line_with_its_limits_and_its_queue() -> None:
    policy = {"TargetTrackingScalingPolicyConfiguration": {"CustomizedMetricSpecification": {"Metrics": METRICS}}}
    limits = {"scalableTarget": {"MinCapacity": 0, "MaxCapacity": 20}}
    worker = service("worker", desired=0, running=0, **limits, scalingPolicies=[policy])
    web = service("web", **limits, scalingPolicies=[{"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 60}}])
    found = lines(*worker, *web, *service("api"))
    scaled = [line.strip() for line in found if "Scales" in line]
    assert scaled == ["Scales from 0 to 20 tasks", "Scales from 0 to 20 tasks with the queue orders"]
    assert line_of(found, "worker ").split()[1:4] == ["stopped", "0/0", "-"]


LONG = "a-service-whose-name-has-all-of-the-characters-that-ecs-allows-in-one" * 3


@pytest.mark.parametrize("width", [80, 100, 160])
def test_lines_fit_the_terminal_and_long_names_are_complete(width: int) -> None:
    trouble = [{"message": f"(service {LONG}) was unable to place a task. {'No host had enough memory. ' * 9}"}]
    found = lines(
        *workshop(), *service("web", desired=3, running=1, events=trouble), *service(LONG), *service("a"), width=width
    )
    assert [line for line in found if len(line) > width and " " in line.strip()[:width]] == []
    assert found.count(f"  {LONG}") == 1
    assert line_of(found, "django ecr1.0 @1a2b3c4d1a2b")


def test_fifty_services_stay_readable_and_trouble_comes_first() -> None:
    some = [one for number in range(48) for one in service(f"service-{number:02}")]
    failing = service("zebra", running=0)
    deploying = service("yak", deployments=[deployment(definition("yak", 7), rolloutState="IN_PROGRESS")])
    found = table(status("ecs", project(*some, *failing, *deploying), NOW), 100)
    marked = [line for line in found if line.text.startswith(("! ", "~ "))]
    assert [(line.text.split()[1], line.kind) for line in marked] == [("zebra", BAD), ("yak", BUSY)]
    texts = [line.text for line in found]
    assert texts.index(marked[0].text) < texts.index(marked[1].text) < texts.index(line_of(texts, "service-00"))
    assert len(found) < 60
    assert "50 services, 100 resources, 1 deploying, 1 needing attention" in texts


def test_services_of_two_clusters_are_named_with_their_cluster() -> None:
    found = lines(*service("web", cluster="one"), *service("web", cluster="two"))
    assert [line.split()[0] for line in found if "web" in line] == ["one/web", "two/web"]


def test_an_older_revision_shows_the_newest_one() -> None:
    web, family = service("web")
    family["details"]["taskDefinitionArn"] = definition("web", 9)
    assert " 7 of 9 " in line_of(lines(web, family, width=75), "succeeded")


def test_a_wide_terminal_shows_families_too() -> None:
    assert " workshop:7 " in line_of(lines(*workshop(), width=140), "succeeded")


def test_what_is_unknown_is_never_absent() -> None:
    found = lines(unknown=[unknown("service", "ecs:DescribeServices"), unknown("IAM role", "iam:ListRoles")])
    assert "Services: unknown, see below." in found
    assert "IAM role: requires iam:ListRoles, AWS answered ListRoles" in line_of(found, "iam:ListRoles")
    assert "No services." not in found
    assert "No services." in lines()


def test_a_load_balancer_that_may_not_be_read_leaves_the_address_unknown() -> None:
    denied = [unknown("load balancer", "elasticloadbalancing:DescribeLoadBalancers")]
    found = lines(*service("web", loadBalancers=behind("web")), unknown=denied)
    assert "    Address: unknown" in found


def test_what_an_emulator_does_not_have_is_one_line() -> None:
    missing = [{**unknown("service", "application-autoscaling:DescribeScalableTargets"), "code": "unsupported"}]
    found = lines(*service("web"), unknown=missing)
    assert found[-1] == "This endpoint does not support application-autoscaling:DescribeScalableTargets."
    assert "UNKNOWN" not in "\n".join(found)


def test_other_resources_have_a_line_for_each_kind_and_trouble_one_of_its_own() -> None:
    subnets = [
        resource("subnet", f"ecs-{number}", "ecs_network", State="available", CidrBlock="10.0.0.0/24")
        for number in range(9)
    ]
    broken = resource("NAT gateway", "ecs-a", "ecs_network", State="failed")
    found = lines(*subnets, broken)
    assert line_of(found, "subnet").startswith("  subnet       9 ecs-0 (10.0.0.0/24), ecs-1 (10.0.0.0/24), ")
    assert line_of(found, "subnet").endswith(", +6")
    assert line_of(found, "NAT gateway") == "! NAT gateway  ecs-a (failed)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (7200, "2 h"), (86400 * 3, "3 d"), (None, "unknown")],
)
def test_ages_have_one_unit(seconds: int | None, text: str) -> None:
    assert age(seconds) == text
