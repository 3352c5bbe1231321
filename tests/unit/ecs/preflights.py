# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account with what a service needs, and beside each thing one that does not fit."""

from __future__ import annotations

import copy
import dataclasses
import functools
import io
import json
import typing as t
import zipfile

import boto3

from ansible_collections.slipway.aws.plugins.module_utils._core import calls
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Connection
from ansible_collections.slipway.aws.plugins.module_utils._ecs.preflight import flow
from ansible_collections.slipway.aws.tests.recorded.readers import params_of

Json = dict[str, t.Any]
REGION = "eu-central-1"
ZONES = ("eu-central-1a", "eu-central-1b")
PLATFORMS = "application/vnd.oci.image.index.v1+json"
PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
# What an execution role of the service below may do.
ALLOWED = [
    *("ecr:GetAuthorizationToken", *PULL, "logs:CreateLogStream", "logs:PutLogEvents", "secretsmanager:GetSecretValue"),
    *("ssm:GetParameters", "s3:GetObject"),
]


@dataclasses.dataclass
class Shop:
    """An account at an address; `ids` has what the calls below created, by the names that they gave it."""

    address: str
    ids: dict[str, str] = dataclasses.field(default_factory=dict)

    @functools.cache  # noqa: B019  # as long as the tests of one emulator
    def client(self, service: str, region: str = "") -> t.Any:
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "b2f0c1d4e7a9"}
        place = {"region_name": region or REGION, "endpoint_url": self.address}
        return calls.watch(boto3.client(service, **place, **keys))

    def __hash__(self) -> int:
        return id(self)

    def preflight(self, **options: t.Any) -> Json:
        params = params_of("ecs_preflight", {"cluster": "shop", **options})
        return dict(flow.run(Connection(self.client, params, check_mode=False)))

    # Services

    def service(self, name: str = "web", **changes: t.Any) -> Json:
        """A service of which everything exists and fits."""
        ids = self.ids
        return {
            "name": name,
            "desired_count": 2,
            "launch_type": "FARGATE",
            "network_configuration": {
                "awsvpcConfiguration": {"subnets": [ids["a"], ids["b"]], "securityGroups": [ids["tasks"]]}
            },
            "load_balancers": [{"targetGroupArn": ids["web"], "containerName": "web", "containerPort": 8080}],
            "task_definition": {"definition": self.definition(name)},
            **changes,
        }

    def definition(self, family: str = "web") -> Json:
        ids = self.ids
        log = {"awslogs-group": "/shop/web", "awslogs-region": REGION, "awslogs-stream-prefix": "web"}
        container = {
            "name": "web",
            "image": self.image("shop/web:1"),
            "portMappings": [{"containerPort": 8080, "name": "http"}],
            "logConfiguration": {"logDriver": "awslogs", "options": log},
            "secrets": [
                {"name": "KEY", "valueFrom": "/shop/key"},
                {"name": "DATABASE", "valueFrom": ids["database"]},
            ],
        }
        return {
            "family": family,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": ids["execution"],
            "taskRoleArn": ids["task"],
            "containerDefinitions": [container],
        }

    def image(self, name: str) -> str:
        return f"{self.ids['account']}.dkr.ecr.{REGION}.amazonaws.com/{name}"


def changed(service: Json, changes: t.Mapping[str, t.Any]) -> Json:
    """A copy with other members, named by their paths: `definition.containers.image`, `options.desired_count`."""
    found = copy.deepcopy(service)
    definition = found["task_definition"]["definition"]
    for path, value in changes.items():
        where, _dot, member = path.rpartition(".")
        place = {
            "": found,
            "definition": definition,
            "container": definition["containerDefinitions"][0],
            "log": definition["containerDefinitions"][0]["logConfiguration"]["options"],
            "network": found["network_configuration"]["awsvpcConfiguration"],
            "balancer": found["load_balancers"][0],
        }[where]
        if value is None:
            del place[member]
        else:
            place[member] = value
    return found


def build(shop: Shop) -> Shop:
    """Creates the account."""
    shop.ids["account"] = shop.client("sts").get_caller_identity()["Account"]
    _network(shop)
    _balancer(shop)
    _roles(shop)
    _images(shop)
    _stores(shop)
    _files(shop)
    _names(shop)
    _functions(shop)
    shop.client("ecs").create_cluster(clusterName="shop", capacityProviders=["FARGATE", "FARGATE_SPOT"])
    shop.client("ecs").create_cluster(clusterName="empty")
    return shop


def _network(shop: Shop) -> None:
    ec2, ids = shop.client("ec2"), shop.ids
    for vpc, cidr in (("vpc", "10.0"), ("other", "10.1")):
        ids[vpc] = ec2.create_vpc(CidrBlock=f"{cidr}.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=ids["vpc"])

    def subnet(name: str, cidr: str, zone: int, vpc: str = "vpc") -> None:
        asked = {"VpcId": ids[vpc], "CidrBlock": cidr, "AvailabilityZone": ZONES[zone]}
        ids[name] = ec2.create_subnet(**asked)["Subnet"]["SubnetId"]

    for name, cidr, zone in (
        *(("a", "10.0.1.0/24", 0), ("b", "10.0.2.0/24", 1), ("public a", "10.0.3.0/24", 0)),
        *(("public b", "10.0.4.0/24", 1), ("isolated", "10.0.5.0/24", 0), ("lost", "10.0.6.0/24", 0)),
        ("tiny", "10.0.7.0/28", 0),
    ):
        subnet(name, cidr, zone)
    subnet("foreign", "10.1.1.0/24", 0, "other")
    subnet("foreign b", "10.1.2.0/24", 1, "other")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ids["nat"] = ec2.create_nat_gateway(SubnetId=ids["public a"], AllocationId=address)["NatGateway"]["NatGatewayId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    dead = ec2.create_nat_gateway(SubnetId=ids["public b"], AllocationId=address)["NatGateway"]["NatGatewayId"]

    def table(route: Json, *names: str) -> None:
        made = ec2.create_route_table(VpcId=ids["vpc"])["RouteTable"]["RouteTableId"]
        if route:
            ec2.create_route(RouteTableId=made, DestinationCidrBlock="0.0.0.0/0", **route)
        for name in names:
            ec2.associate_route_table(RouteTableId=made, SubnetId=ids[name])

    table({"GatewayId": gateway}, "public a", "public b")
    table({"NatGatewayId": ids["nat"]}, "a", "b", "tiny")
    table({"NatGatewayId": dead}, "lost")
    table({}, "isolated")
    ec2.delete_nat_gateway(NatGatewayId=dead)
    _groups(shop)


def _groups(shop: Shop) -> None:
    ec2, ids = shop.client("ec2"), shop.ids

    def group(name: str, vpc: str = "vpc") -> None:
        asked = {"GroupName": name, "Description": name, "VpcId": ids[vpc]}
        ids[name] = ec2.create_security_group(**asked)["GroupId"]

    def allow(name: str, port: int, **source: t.Any) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
        ec2.authorize_security_group_ingress(GroupId=ids[name], IpPermissions=[rule])

    for name in ("balancer", "tasks", "closed", "mute", "storage"):
        group(name)
    group("stranger", "other")
    for port in (80, 81):
        allow("balancer", port, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    for name in ("tasks", "mute"):
        allow(name, 8080, UserIdGroupPairs=[{"GroupId": ids["balancer"]}])
    allow("storage", 2049, UserIdGroupPairs=[{"GroupId": ids["tasks"]}])
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.revoke_security_group_egress(GroupId=ids["mute"], IpPermissions=[everything])


def _balancer(shop: Shop) -> None:
    elbv2, ids = shop.client("elbv2"), shop.ids

    def group(name: str, kind: str, vpc: str = "vpc") -> None:
        asked = {"Protocol": "HTTP", "Port": 8080, "VpcId": ids[vpc], "TargetType": kind}
        ids[name] = elbv2.create_target_group(Name=name, **asked)["TargetGroups"][0]["TargetGroupArn"]

    group("web", "ip")
    group("hosts", "instance")
    group("unused", "ip")
    group("elsewhere", "ip", "other")
    asked = {"Subnets": [ids["public a"], ids["public b"]], "SecurityGroups": [ids["balancer"]]}
    ids["load balancer"] = elbv2.create_load_balancer(Name="shop", **asked)["LoadBalancers"][0]["LoadBalancerArn"]
    made = {"Subnets": [ids["foreign"], ids["foreign b"]], "Scheme": "internal"}
    ids["foreign balancer"] = elbv2.create_load_balancer(Name="foreign", **made)["LoadBalancers"][0]["LoadBalancerArn"]
    made = {"Subnets": [ids["a"], ids["b"]], "Scheme": "internal", "SecurityGroups": [ids["balancer"]]}
    ids["quiet balancer"] = elbv2.create_load_balancer(Name="quiet", **made)["LoadBalancers"][0]["LoadBalancerArn"]
    teams = {name: [{"Key": "team", "Value": name}, {"Key": "stage", "Value": "test"}] for name in ("web", "search")}
    elbv2.add_tags(ResourceArns=[ids["foreign balancer"]], Tags=teams["search"])
    elbv2.add_tags(ResourceArns=[ids["load balancer"]], Tags=teams["web"])
    made = {"Subnets": [ids["a"], ids["b"]], "Scheme": "internal", "Type": "network"}
    ids["network balancer"] = elbv2.create_load_balancer(Name="network", **made)["LoadBalancers"][0]["LoadBalancerArn"]
    for port, name in ((80, "web"), (81, "hosts")):
        forward = [{"Type": "forward", "TargetGroupArn": ids[name]}]
        place: Json = {"LoadBalancerArn": ids["load balancer"], "Port": port, "Protocol": "HTTP"}
        listener = elbv2.create_listener(**place, DefaultActions=forward)["Listeners"][0]
        ids[f"listener {port}"] = listener["ListenerArn"]


def _roles(shop: Shop) -> None:
    iam, ids = shop.client("iam"), shop.ids
    tasks = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    everything = [{"Effect": "Allow", "Action": [*ALLOWED, "elasticfilesystem:*", "ssmmessages:*"], "Resource": "*"}]

    def role(name: str, trust: Json | list[Json], statements: list[Json]) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": trust})
        ids[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_role_policy(RoleName=name, PolicyName="slipway", PolicyDocument=policy)

    def only(condition: Json) -> Json:
        return {**tasks, "Condition": condition}

    def without(*actions: str) -> list[Json]:
        return [{"Effect": "Allow", "Action": [one for one in ALLOWED if one not in actions], "Resource": "*"}]

    role("execution", tasks, everything)
    role("task", tasks, everything)
    role("idle", tasks, [])
    ecs = {**tasks, "Principal": {"Service": "ecs.amazonaws.com"}}
    role("idle-of-ecs", ecs, [])
    role("hooks", ecs, [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}])
    role("of-instances", {**tasks, "Principal": {"Service": "ec2.amazonaws.com"}}, everything)
    role("denied", [tasks, {**tasks, "Effect": "Deny"}], everything)
    role("of-others", only({"StringEquals": {"aws:SourceAccount": "999999999999"}}), everything)
    role("of-region", only({"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-east-1:{ids['account']}:*"}}), everything)
    role("of-service", only({"ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ids['account']}:*"}}), everything)
    role("without-login", tasks, without("ecr:GetAuthorizationToken"))
    role("without-pull", tasks, without(*PULL))
    role("without-logs", tasks, without("logs:CreateLogStream", "logs:PutLogEvents"))
    role("without-secrets", tasks, without("secretsmanager:GetSecretValue"))
    role("without-parameters", tasks, without("ssm:GetParameters"))
    role("without-files", tasks, without("s3:GetObject"))


def _images(shop: Shop) -> None:
    ecr = shop.client("ecr")
    ecr.create_repository(repositoryName="shop/web")
    for tag, architecture in (("1", "amd64"), ("arm", "arm64")):
        platform = {"os": "linux", "architecture": architecture}
        entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 1, "platform": platform}
        manifests = [{**entry, "digest": "sha256:" + tag[-1] * 64}]
        manifest = json.dumps({"schemaVersion": 2, "mediaType": PLATFORMS, "manifests": manifests})
        ecr.put_image(repositoryName="shop/web", imageTag=tag, imageManifest=manifest, imageManifestMediaType=PLATFORMS)


def _stores(shop: Shop) -> None:
    shop.client("logs").create_log_group(logGroupName="/shop/web")
    shop.client("ssm").put_parameter(Name="/shop/key", Value="k", Type="SecureString")
    manager, ids = shop.client("secretsmanager"), shop.ids
    ids["database"] = manager.create_secret(Name="shop/database", SecretString="{}")["ARN"]
    ids["deleted"] = manager.create_secret(Name="shop/deleted", SecretString="{}")["ARN"]
    manager.delete_secret(SecretId="shop/deleted", RecoveryWindowInDays=7)


def _files(shop: Shop) -> None:
    s3, efs, ids = shop.client("s3"), shop.client("efs"), shop.ids
    s3.create_bucket(Bucket="shop-config", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="shop-config", Key="web.env", Body=b"A=1")
    for name, subnets in (("files", ("a", "b")), ("partly", ("a",))):
        ids[name] = efs.create_file_system(CreationToken=name)["FileSystemId"]
        for subnet in subnets:
            group = ids["storage"]
            efs.create_mount_target(FileSystemId=ids[name], SubnetId=ids[subnet], SecurityGroups=[group])
        ids[f"point of {name}"] = efs.create_access_point(FileSystemId=ids[name], ClientToken=name)["AccessPointId"]


def _functions(shop: Shop) -> None:
    code = {"ZipFile": _zipped("def handler(event, context): return {'hookStatus': 'SUCCEEDED'}")}
    made = {"Runtime": "python3.13", "Handler": "hook.handler", "Role": shop.ids["execution"], "Code": code}
    functions = shop.client("lambda")
    shop.ids["hook"] = functions.create_function(FunctionName="hook", **made)["FunctionArn"]
    # It is Pending at first, which is a finding of its own.
    functions.get_waiter("function_active_v2").wait(FunctionName="hook", WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def _zipped(source: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("hook.py", source)
    return archive.getvalue()


def _names(shop: Shop) -> None:
    ids = shop.ids
    shop.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="shop",
        MetricName="errors",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )
    discovery = shop.client("servicediscovery")
    discovery.create_private_dns_namespace(Name="shop.internal", Vpc=ids["vpc"])
    namespace = discovery.list_namespaces()["Namespaces"][0]["Id"]
    for name, kind in (("addresses", "A"), ("ports", "SRV")):
        records = {"DnsRecords": [{"Type": kind, "TTL": 10}], "NamespaceId": namespace}
        asked = {"Name": name, "NamespaceId": namespace, "DnsConfig": records}
        ids[name] = discovery.create_service(**asked)["Service"]["Arn"]
    ids["pending"] = shop.client("acm").request_certificate(DomainName="shop.example.com")["CertificateArn"]
    zone = shop.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    ids["zone"] = zone.rpartition("/")[2]
