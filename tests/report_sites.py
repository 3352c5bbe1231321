# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sites as `project_info` with `details: true` returns them, of any size, for tests of the report and its picture."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Json = dict[str, t.Any]

REGION, ACCOUNT = "ap-northeast-2", "123456789012"
ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
NOW = "2026-11-29T12:00:00+00:00"
TAGS = {"slipway:project": "shop"}
ROLES = {
    "network": "ecs_network",
    "registry": "ecr_registry",
    "docker_instance": "docker_instance",
    "cluster": "ecs_cluster",
    "discovery": "service_discovery",
    "load_balancer": "ecs_load_balancer",
    "service": "ecs_app",
}
WORDS = ("catalogue", "basket", "search", "payments", "accounts", "mailer", "images", "reviews", "stock", "invoices")


def resource(kind: str, tag: str, identity: str, name: str, **details: t.Any) -> Json:
    """One resource of the reader."""
    basic = {"kind": kind, "tag": tag, "role": ROLES[tag], "id": identity, "name": name, "arn": identity}
    return {**basic, "tags": TAGS, "holds": "", "uses": [], "details": details}


def service_names(number: int) -> list[str]:
    names = [
        "web",
        "worker",
        *(f"{word}-{kind}" for kind in ("api", "jobs", "admin", "sync", "cache") for word in WORDS),
    ]
    return names[:number]


@dataclass(frozen=True)
class Site:
    """What a site has; `resources()` is what the reader returns of it."""

    services: int = 2
    zones: int = 2
    clusters: tuple[str, ...] = ("shop",)
    balanced: bool = True
    private: bool = True
    owned_network: bool = True
    hosts: int = 0
    docker_host: bool = True
    tasks: int = 2
    names: tuple[str, ...] = ()
    troubled: frozenset[str] = field(default_factory=frozenset)

    def resources(self) -> list[Json]:
        found = [*self._services(), *self._balancer(), *self._clusters()]
        if self.owned_network:
            found += self._network()
        if self.docker_host:
            found += self._docker_host()
        return [*found, *self._registry()]

    def all_names(self) -> list[str]:
        return list(self.names) or service_names(self.services)

    def zone_names(self) -> list[str]:
        return [f"{REGION}{letter}" for letter in "abcdef"[: self.zones]]

    def task_subnets(self) -> list[str]:
        return [f"subnet-{'private' if self.private else 'public'}{zone}" for zone in range(self.zones)]

    def _services(self) -> t.Iterator[Json]:
        for number, name in enumerate(self.all_names()):
            cluster = self.clusters[number % len(self.clusters)]
            arn = f"{ECS}:service/{cluster}/{name}"
            groups = [{"targetGroupArn": f"{ELB}:targetgroup/{name}/1", "containerName": "app", "containerPort": 8080}]
            yield resource(
                "service",
                "service",
                arn,
                name,
                **self._service(name, arn, cluster, groups if self.balanced and name != "worker" else []),
            )
            yield resource("task definition", "service", name, name, **self._definition(name))

    def _service(self, name: str, arn: str, cluster: str, groups: list[Json]) -> Json:
        tasks = [self._task(name, cluster, number) for number in range(self.tasks)]
        running = sum(task["lastStatus"] == "RUNNING" for task in tasks)
        bad = name in self.troubled
        deployment = {
            "id": "ecs-svc/1234567890",
            "status": "PRIMARY",
            "taskDefinition": f"{ECS}:task-definition/{name}:7",
            "desiredCount": self.tasks,
            "runningCount": running,
            "pendingCount": self.tasks - running,
            "failedTasks": 3 if bad else 0,
            "createdAt": "2026-11-28T09:30:00+00:00",
            "updatedAt": "2026-11-28T09:33:10+00:00",
            "rolloutState": "IN_PROGRESS" if bad else "COMPLETED",
            "rolloutStateReason": "ECS deployment ecs-svc/1234567890 completed.",
        }
        events = [("2026-11-28T09:33:10+00:00", f"(service {name}) has reached a steady state.")]
        if bad:
            reason = "(reason Health checks failed with these codes: [502])"
            events.insert(
                0,
                (
                    "2026-11-29T11:58:00+00:00",
                    f"(service {name}) (port 8080) is unhealthy in (target-group) due to {reason}.",
                ),
            )
        subnets = {"subnets": self.task_subnets(), "assignPublicIp": "DISABLED" if self.private else "ENABLED"}
        return {
            "serviceArn": arn,
            "serviceName": name,
            "clusterArn": f"{ECS}:cluster/{cluster}",
            "status": "ACTIVE",
            "desiredCount": self.tasks,
            "runningCount": running,
            "pendingCount": self.tasks - running,
            "launchType": "EC2" if self.hosts else "FARGATE",
            "taskDefinition": deployment["taskDefinition"],
            "deployments": [deployment],
            "createdAt": "2026-10-01T08:00:00+00:00",
            "events": [{"id": f"{name}{n}", "createdAt": at, "message": text} for n, (at, text) in enumerate(events)],
            "loadBalancers": groups,
            "networkConfiguration": {"awsvpcConfiguration": subnets},
            "tasks": tasks,
        }

    def _task(self, name: str, cluster: str, number: int) -> Json:
        zone = number % self.zones
        starting = name in self.troubled and number == self.tasks - 1
        place = [{"name": "subnetId", "value": self.task_subnets()[zone]}]
        container = {
            "name": "app",
            "image": f"{REGISTRY}/{name}@sha256:{digest(name)}",
            "imageDigest": f"sha256:{digest(name)}",
            "lastStatus": "RUNNING",
            "healthStatus": "UNHEALTHY" if starting else "HEALTHY",
        }
        return {
            "taskArn": f"{ECS}:task/{cluster}/{number:032x}",
            "clusterArn": f"{ECS}:cluster/{cluster}",
            "taskDefinitionArn": f"{ECS}:task-definition/{name}:7",
            "group": f"service:{name}",
            "availabilityZone": self.zone_names()[zone],
            "lastStatus": "PENDING" if starting else "RUNNING",
            "desiredStatus": "RUNNING",
            "healthStatus": "UNKNOWN" if starting else "HEALTHY",
            "launchType": "EC2" if self.hosts else "FARGATE",
            "cpu": "256",
            "memory": "512",
            "startedAt": "2026-11-28T09:31:00+00:00",
            "attachments": [{"type": "ElasticNetworkInterface", "status": "ATTACHED", "details": place}],
            "containers": [container],
        }

    def _definition(self, name: str) -> Json:
        container = {
            "name": "app",
            "image": f"{REGISTRY}/{name}@sha256:{digest(name)}",
            "environment": [{"name": "PASSWORD", "value": "not-for-the-report"}],
        }
        return {
            "taskDefinitionArn": f"{ECS}:task-definition/{name}:7",
            "family": name,
            "revision": 7,
            "cpu": "256",
            "memory": "512",
            "networkMode": "awsvpc",
            "runtimePlatform": {"cpuArchitecture": "X86_64"},
            "containerDefinitions": [container],
        }

    def _balancer(self) -> t.Iterator[Json]:
        if not self.balanced:
            return
        arn = f"{ELB}:loadbalancer/app/shop/1"
        names = [name for name in self.all_names() if name != "worker"]
        rules = [
            {
                "RuleArn": f"{ELB}:listener-rule/{name}",
                "Priority": "default" if number == 0 else str(number * 10),
                "IsDefault": number == 0,
                "Conditions": []
                if number == 0
                else [{"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{name}/*"]}}],
                "Actions": [{"Type": "forward", "TargetGroupArn": f"{ELB}:targetgroup/{name}/1"}],
            }
            for number, name in enumerate(names)
        ]
        listener = {
            "ListenerArn": f"{ELB}:listener/1",
            "Port": 80,
            "Protocol": "HTTP",
            "DefaultActions": rules[0]["Actions"] if rules else [],
            "Rules": rules,
        }
        places = [
            {"ZoneName": zone, "SubnetId": f"subnet-public{number}"} for number, zone in enumerate(self.zone_names())
        ]
        yield resource(
            "load balancer",
            "load_balancer",
            arn,
            "shop",
            LoadBalancerArn=arn,
            LoadBalancerName="shop",
            DNSName=f"shop-1234567890.{REGION}.elb.amazonaws.com",
            Scheme="internet-facing",
            Type="application",
            VpcId="vpc-1",
            State={"Code": "active"},
            AvailabilityZones=places,
            Listeners=[listener],
        )
        for name in names:
            yield self._target_group(name, arn)

    def _target_group(self, name: str, balancer: str) -> Json:
        bad = name in self.troubled
        health = [
            {
                "Target": {"Id": f"10.0.{10 + number}.5", "Port": 8080},
                "TargetHealth": {"State": "unhealthy" if bad and number == self.tasks - 1 else "healthy"},
            }
            for number in range(self.tasks)
        ]
        arn = f"{ELB}:targetgroup/{name}/1"
        return resource(
            "target group",
            "load_balancer",
            arn,
            name,
            TargetGroupArn=arn,
            TargetGroupName=name,
            Port=8080,
            Protocol="HTTP",
            TargetType="ip",
            VpcId="vpc-1",
            LoadBalancerArns=[balancer],
            TargetHealth=health,
        )

    def _clusters(self) -> t.Iterator[Json]:
        for name in self.clusters:
            arn = f"{ECS}:cluster/{name}"
            yield resource("cluster", "cluster", arn, name, clusterArn=arn, clusterName=name, status="ACTIVE")
            yield resource("log group", "cluster", f"/ecs/{name}", f"/ecs/{name}", logGroupName=f"/ecs/{name}")
        for number in range(self.hosts):
            group = [{"Key": "aws:autoscaling:groupName", "Value": "shop-hosts"}]
            place = self.task_subnets()[number % self.zones]
            yield resource(
                "instance",
                "docker_instance",
                f"i-0{number:016x}",
                "shop-host",
                InstanceId=f"i-0{number:016x}",
                InstanceType="m5.large",
                SubnetId=place,
                VpcId="vpc-1",
                State={"Name": "running"},
                Placement={"AvailabilityZone": self.zone_names()[number % self.zones]},
                Tags=group,
            ) | {"tags": {**TAGS, "aws:autoscaling:groupName": "shop-hosts"}}

    def _network(self) -> t.Iterator[Json]:
        tag = "network"
        yield resource("VPC", tag, "vpc-1", "shop", VpcId="vpc-1", CidrBlock="10.0.0.0/16", State="available")
        attached = [{"VpcId": "vpc-1", "State": "available"}]
        yield resource("internet gateway", tag, "igw-1", "shop", InternetGatewayId="igw-1", Attachments=attached)
        public = [f"subnet-public{number}" for number in range(self.zones)]
        yield self._routes("rtb-public", "shop-public", public, {"GatewayId": "igw-1"})
        if self.private:
            yield self._routes("rtb-private", "shop-private", self.task_subnets(), {"NatGatewayId": "nat-1"})
            address = [{"PublicIp": "203.0.113.7", "AllocationId": "eipalloc-1"}]
            place = {"SubnetId": public[0], "VpcId": "vpc-1"}
            yield resource(
                "NAT gateway",
                tag,
                "nat-1",
                "shop",
                NatGatewayId="nat-1",
                State="available",
                NatGatewayAddresses=address,
                **place,
            )
            yield resource("elastic IP", tag, "eipalloc-1", "shop", AllocationId="eipalloc-1", PublicIp="203.0.113.7")
        for number, zone in enumerate(self.zone_names()):
            yield self._subnet(f"subnet-public{number}", f"shop-public-{zone[-1]}", f"10.0.{number}.0/24", zone)
            if self.private:
                yield self._subnet(
                    f"subnet-private{number}", f"shop-private-{zone[-1]}", f"10.0.{10 + number}.0/24", zone
                )

    def _subnet(self, identity: str, name: str, cidr: str, zone: str) -> Json:
        place = {"VpcId": "vpc-1", "CidrBlock": cidr, "AvailabilityZone": zone, "MapPublicIpOnLaunch": False}
        return resource("subnet", "network", identity, name, SubnetId=identity, State="available", **place)

    def _routes(self, identity: str, name: str, subnets: list[str], target: Json) -> Json:
        routes = [
            {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
            {"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **target},
        ]
        associations = [{"SubnetId": subnet, "Main": False} for subnet in subnets]
        place = {"RouteTableId": identity, "VpcId": "vpc-1", "Routes": routes, "Associations": associations}
        return resource("route table", "network", identity, name, **place)

    def _docker_host(self) -> t.Iterator[Json]:
        yield resource(
            "instance",
            "docker_instance",
            "i-0123456789abcdef0",
            "docker-EC2",
            InstanceId="i-0123456789abcdef0",
            InstanceType="t3.small",
            SubnetId="subnet-public0",
            VpcId="vpc-1",
            PublicIpAddress="203.0.113.9",
            State={"Name": "running"},
            Placement={"AvailabilityZone": self.zone_names()[0]},
        )
        yield resource(
            "volume",
            "docker_instance",
            "vol-1",
            "docker-EC2",
            VolumeId="vol-1",
            Size=30,
            VolumeType="gp3",
            Attachments=[{"InstanceId": "i-0123456789abcdef0"}],
        )

    def _registry(self) -> t.Iterator[Json]:
        for name in self.all_names():
            images = [
                {"imageDigest": f"sha256:{digest(name)}", "imageTags": ["v42", "release"], "imagePushedAt": NOW},
                {
                    "imageDigest": f"sha256:{'0' * 64}",
                    "imageTags": ["v41"],
                    "imagePushedAt": "2026-11-20T10:00:00+00:00",
                },
            ]
            yield resource(
                "repository",
                "registry",
                name,
                name,
                repositoryName=name,
                repositoryUri=f"{REGISTRY}/{name}",
                images=images,
            )
        yield resource(
            "parameter",
            "service",
            "/shop/secrets/key",
            "/shop/secrets/key",
            Name="/shop/secrets/key",
            Type="SecureString",
        )


def digest(name: str) -> str:
    """A digest that is always the same for that name."""
    return (name.encode().hex() * 64)[:64]


UNKNOWN: Json = {
    "kind": "target group",
    "tag": "load_balancer",
    "role": "ecs_load_balancer",
    "action": "elasticloadbalancing:DescribeTargetGroups",
    "code": "access_denied",
    "message": "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: "
    "elasticloadbalancing:DescribeTargetGroups",
}


def answer(site: Site, unknown: t.Sequence[Json] = ()) -> Json:
    """What `project_info` with `details: true` returns of it."""
    caller = {"account": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/anna"}
    return {
        "resources": site.resources(),
        "unknown": list(unknown),
        "records": {},
        "caller": caller,
        "region": REGION,
    }
