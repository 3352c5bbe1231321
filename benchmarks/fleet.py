"""The services that are released: what they are, and how they come into an empty account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.cloud import REGION, Cloud

CLUSTER = "bench"
# What DescribeServices takes at once.
BATCH = 10

Json = dict[str, Any]


@dataclass(frozen=True)
class Service:
    """A service and the image that it is to run."""

    name: str
    image: str


@dataclass(frozen=True)
class Fleet:
    """Services of one cluster, each with a family of its own that has some revisions, the last of them running."""

    size: int
    revisions: int

    def _names(self) -> list[str]:
        return [f"service-{number:03}" for number in range(1, self.size + 1)]

    def now(self) -> list[Service]:
        """As it runs: a release of these changes nothing."""
        return [Service(name, image(name, self.revisions)) for name in self._names()]

    def wanted(self, changed: int) -> list[Service]:
        """As it shall be: so many of the services have a new image."""
        return [
            Service(service.name, image(service.name, self.revisions + 1)) if number < changed else service
            for number, service in enumerate(self.now())
        ]

    def create(self, cloud: Cloud) -> None:
        cloud.call("CreateCluster", clusterName=CLUSTER)
        for service in self.now():
            for revision in range(1, self.revisions + 1):
                former = Service(service.name, image(service.name, revision))
                cloud.call("RegisterTaskDefinition", **task_definition(former))
            cloud.call("CreateService", **service_options(service), taskDefinition=f"{service.name}:{self.revisions}")


def image(name: str, revision: int) -> str:
    return f"registry.example/{name}:1.{revision}"


def task_definition(service: Service) -> Json:
    """A task definition of usual size: one container with ten variables, a port and logs."""
    options = {"awslogs-group": "/ecs/bench", "awslogs-region": REGION, "awslogs-stream-prefix": service.name}
    container = {
        "name": "web",
        "image": service.image,
        "essential": True,
        "environment": [{"name": f"SETTING_{number}", "value": f"value {number}"} for number in range(10)],
        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    return {
        "family": service.name,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::000000000000:role/bench-execution",
        "containerDefinitions": [container],
    }


def service_options(service: Service) -> Json:
    """All of CreateService but the task definition."""
    network = {"subnets": ["subnet-0a", "subnet-0b"], "securityGroups": ["sg-0a"], "assignPublicIp": "DISABLED"}
    return {
        "cluster": CLUSTER,
        "serviceName": service.name,
        "desiredCount": 1,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": network},
    }


def running(cloud: Cloud, names: list[str]) -> list[Service]:
    """The services with the images that they run."""
    found: list[Service] = []
    for start in range(0, len(names), BATCH):
        for service in cloud.call("DescribeServices", cluster=CLUSTER, services=names[start : start + BATCH])[
            "services"
        ]:
            answer = cloud.call("DescribeTaskDefinition", taskDefinition=service["taskDefinition"])
            containers = answer["taskDefinition"]["containerDefinitions"]
            found.append(Service(service["serviceName"], containers[0]["image"]))
    return found
