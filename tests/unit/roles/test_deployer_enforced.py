# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles run as IAM users who have one policy document and nothing else; the local cloud's emulator checks policies."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Connection
from ansible_collections.slipway.aws.plugins.module_utils._ecs.adoption import flow as adoption_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SCHEDULE
from ansible_collections.slipway.aws.plugins.module_utils._ecs.execute_command import flow as exec_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.execute_command import model as exec_model
from ansible_collections.slipway.aws.plugins.module_utils._ecs.history import info as history_info
from ansible_collections.slipway.aws.plugins.module_utils._ecs.hosts import flow as hosts_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.logs import api as logs_api
from ansible_collections.slipway.aws.plugins.module_utils._ecs.prune import flow as prune_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling import api as scaling_api
from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling import queue
from ansible_collections.slipway.aws.plugins.module_utils._ecs.schedule import flow as schedule_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.site import info as site_info
from ansible_collections.slipway.aws.plugins.module_utils._project import api, details_flow
from ansible_collections.slipway.aws.plugins.module_utils._project.record import info as record_info
from ansible_collections.slipway.aws.plugins.plugin_utils.deployer import policy_documents
from ansible_collections.slipway.aws.tests import deployers, permissions
from ansible_collections.slipway.aws.tests.policies import PERMISSIONS, ROOT, VALUES
from ansible_collections.slipway.aws.tests.unit.ecs.pruning import Shop
from ansible_collections.slipway.aws.tests.unit.playbooks import running_services as running
from ansible_collections.slipway.aws.tests.unit.project.accounts import make_in_full

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud

Json = dict[str, t.Any]
REGION = "eu-central-1"
ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "the-local-cloud-takes-any-key"}
PROJECT, ACCOUNT = "shop", "000000000000"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/shop-boundary"
# What the emulator has not, or what its site has not: tasks and HTTPS.
UNSEEN = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "cloudwatch:DescribeAlarms",
    "ecs:DescribeServiceDeployments",
    "ecs:DescribeTasks",
    "elasticloadbalancing:DescribeListenerCertificates",
}
# What the local cloud does, as far as policies are concerned.
SERVER = """
import asyncio, os, sys
from pathlib import Path
os.environ.update(MINISTACK_REGION=sys.argv[2], AUTH="true", **dict(zip(sys.argv[4::2], sys.argv[5::2])))
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import alb, ec2, ecs, tagging
sys.path.insert(0, sys.argv[1])
import authorization, emulator_patches, flow_logs
emulator_patches.load_balancers(alb)
emulator_patches.missing(alb, ecs)
flow_logs.flow_logs(ec2)
authorization.authorization(iam_actions, iam_evaluator, tagging, authorization.Record(Path(sys.argv[3])))
config = Config()
config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
asyncio.run(serve(app, config))
"""


class Site(t.NamedTuple):
    """An account in which policies are checked, with the keys of a user for each document."""

    cloud: Cloud
    keys: dict[str, dict[str, str]]
    record: Path

    def root(self, service: str) -> t.Any:
        keys = {name.lower(): value for name, value in ROOT_KEYS.items()}
        return boto3.client(service, endpoint_url=self.cloud.address, region_name=REGION, **keys)

    def client(self, service: str, user: str) -> t.Any:
        keys = self.keys[user]
        return boto3.client(
            service,
            endpoint_url=self.cloud.address,
            region_name=REGION,
            aws_access_key_id=keys["access_key"],
            aws_secret_access_key=keys["secret_key"],
        )

    def lines(self) -> list[Json]:
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def surplus(self, user: str, document: Json) -> set[str]:
        """What no call of a user needed: without it, none would be denied."""
        own = [line for line in self.lines() if line["caller"].endswith(f"/{deployers.PREFIX}{user}")]
        return {
            line.partition(" needed ")[2].partition(" of ")[0]
            for line in permissions.surplus(user, document, own, set())
        }

    def refused(self) -> list[str]:
        return [f"{line['action']} on {line['refused']}" for line in self.lines() if "refused" in line]


@pytest.fixture(scope="module")
def site(start: t.Callable[..., str], cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("policies")
    record = folder / "authorization.jsonl"
    keys = [text for pair in ROOT_KEYS.items() for text in pair]
    address = start("-c", SERVER, str(ROOT / "roles/local_cloud/files"), REGION, str(record), *keys)
    made = Site(cloud._replace(address=address, folder=folder), {}, record)
    iam = made.root("iam")
    anything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.create_policy(PolicyName="shop-boundary", PolicyDocument=json.dumps(anything))
    values = {
        **VALUES,
        "project": PROJECT,
        "cluster": PROJECT,
        "region": REGION,
        "account": ACCOUNT,
        "boundary": BOUNDARY,
    }
    for name, document in policy_documents(PERMISSIONS, values, []).items():
        made.keys[name] = deployers.user(iam, name, json.dumps(document))
    record.unlink(missing_ok=True)
    return made


def code_of(call: t.Callable[..., t.Any], **members: t.Any) -> str:
    try:
        call(**members)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.mark.variants
def test_cluster_is_created_with_the_boundary(site: Site) -> None:
    role = [{"ansible.builtin.include_role": {"name": "slipway.aws.ecs_cluster"}}]
    settings: Json = {
        "slipway_project": PROJECT,
        "slipway_permissions_boundary": BOUNDARY,
        "module_keys": site.keys["cluster"],
    }
    done = site.cloud.play(role, **settings)
    assert done.code == 0, done.output
    iam = site.root("iam")
    roles = [iam.get_role(RoleName=f"shop-{name}")["Role"] for name in ("task", "execution")]
    assert [one["PermissionsBoundary"]["PermissionsBoundaryArn"] for one in roles] == [BOUNDARY] * 2
    again = site.cloud.play(role, **settings)
    assert (again.code, again.changed) == (0, 0), again.output
    assert site.refused() == []


def test_deployer_of_the_cluster_gains_nothing(site: Site) -> None:
    iam, root = site.client("iam", "cluster"), site.root("iam")
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    tags = [{"Key": "slipway:project", "Value": PROJECT}]
    denied = "AccessDenied"
    role: Json = {"AssumeRolePolicyDocument": trust, "Tags": tags}
    assert code_of(iam.create_role, RoleName="shop-task", **role) == denied
    made = code_of(iam.create_role, RoleName="shop-task", PermissionsBoundary=BOUNDARY, **role)
    assert made in {"", "EntityAlreadyExists"}
    put: Json = {"PolicyName": "all", "PolicyDocument": policy}
    assert code_of(iam.put_role_policy, RoleName="shop-task", **put) == ""
    assert code_of(iam.delete_role_permissions_boundary, RoleName="shop-task") == denied
    assert code_of(iam.update_assume_role_policy, RoleName="shop-task", PolicyDocument=trust) == denied
    root.delete_role_permissions_boundary(RoleName="shop-task")
    assert code_of(iam.put_role_policy, RoleName="shop-task", **put) == denied
    assert code_of(iam.put_role_permissions_boundary, RoleName="shop-task", PermissionsBoundary=BOUNDARY) == ""
    assert code_of(iam.put_role_policy, RoleName="shop-task", **put) == ""


def test_the_project_is_read_in_full_with_the_document_status(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        # Of other tests, with their credentials.
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        place = {"AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": site.cloud.address}
        for name, text in {**ROOT_KEYS, **place}.items():
            patch.setenv(name, text)
        make_in_full("ours")
        expected = details_flow.run(boto3.client, "ours")
    values = {**VALUES, "project": "ours", "cluster": "ours", "region": REGION, "account": ACCOUNT}
    status = policy_documents(PERMISSIONS, {**values, "buckets": ["ours-logs"]}, [])["status"]
    site.keys["reader"] = deployers.user(site.root("iam"), "reader", json.dumps(status))
    reader = Connection(lambda service, _region="": site.client(service, "reader"), {"project": "ours"}, False)
    found = record_info.read(reader)
    assert [(one["action"], one["code"]) for one in found["unknown"] if one["code"] != "unsupported"] == []
    # This emulator does not say which load balancer a target group has by a rule.
    kinds = [{one["kind"] for one in some["resources"]} for some in (found, expected)]
    assert kinds[0] == kinds[1] == {kind.name for kind in api.KINDS} - {"key pair", "listener rule"}
    assert history_info.run(reader)["history"]["releases"] == []
    assert logs_api.filter_log_events(site.client("logs", "reader"), "/ecs/ours", "", "", 0) == []
    assert site.surplus("reader", status) == UNSEEN


def test_on_a_listener_of_others_only_own_rules_may_be_changed(site: Site) -> None:
    values = {**VALUES, "project": PROJECT, "cluster": PROJECT, "region": REGION, "account": ACCOUNT}
    document = policy_documents(PERMISSIONS, values, ["existing_load_balancer"])["load_balancer"]
    site.keys["sharer"] = deployers.user(site.root("iam"), "sharer", json.dumps(document))
    elb, root = site.client("elbv2", "sharer"), site.root("elbv2")
    nothing = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    balancer = root.create_load_balancer(Name="of-others")["LoadBalancers"][0]["LoadBalancerArn"]
    listener = root.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=nothing)
    arn = listener["Listeners"][0]["ListenerArn"]
    rule: Json = {"Conditions": [{"Field": "path-pattern", "Values": ["/x"]}], "Actions": nothing}
    theirs = root.create_rule(ListenerArn=arn, Priority=1, **rule)["Rules"][0]["RuleArn"]
    denied, tags = "AccessDenied", [{"Key": "slipway:project", "Value": PROJECT}]
    assert code_of(elb.create_rule, ListenerArn=arn, Priority=2, **rule) == denied
    own = elb.create_rule(ListenerArn=arn, Priority=2, Tags=tags, **rule)["Rules"][0]["RuleArn"]
    assert code_of(elb.modify_rule, RuleArn=own, Actions=nothing) == ""
    assert code_of(elb.modify_rule, RuleArn=theirs, Actions=nothing) == denied
    assert code_of(elb.add_tags, ResourceArns=[theirs], Tags=tags) == denied
    assert code_of(elb.delete_rule, RuleArn=theirs) == denied
    assert code_of(elb.modify_listener, ListenerArn=arn, DefaultActions=nothing) == denied
    assert code_of(elb.delete_rule, RuleArn=own) == ""


def test_the_document_prune_suffices_and_spares_others(site: Site) -> None:
    values = {**VALUES, "project": "shop", "cluster": "shop", "region": REGION, "account": ACCOUNT}
    document = policy_documents(PERMISSIONS, values, ["prune"])["prune"]
    site.keys["pruner"] = deployers.user(site.root("iam"), "pruner", json.dumps(document))
    shop = Shop(site.root)
    for _number in range(12):
        shop.record_next()
    shop.ecs.create_service(cluster="shop", serviceName="pruned", taskDefinition="web", desiredCount=0)
    params = {"project": "shop", "keep_releases": 10, "keep_days": 0}
    pruner = Connection(lambda service, _region="": site.client(service, "pruner"), params, False)
    deleted = prune_flow.run(pruner)["deleted"]
    assert (deleted["releases"], len(deleted["images"])) == ([1, 2], 1)
    shop.ecs.delete_service(cluster="shop", service="pruned", force=True)
    # There are neither indexes nor tasks.
    assert site.surplus("pruner", document) == {"ecr:BatchGetImage", "ecs:DescribeTasks"}
    shop.create_repository("theirs", {"slipway:project": "other"})
    ids = [{"imageDigest": shop.put("x", repository="theirs")}]
    ecr = site.client("ecr", "pruner")
    assert code_of(ecr.batch_delete_image, repositoryName="theirs", imageIds=ids) == "AccessDeniedException"


def test_the_documents_import_and_adopt_suffice_and_spare_others(site: Site) -> None:
    values = {**VALUES, "project": "shop", "cluster": "prod", "region": REGION, "account": ACCOUNT}
    documents = policy_documents(PERMISSIONS, values, ["import", "adopt"])
    for name in ("import", "adopt"):
        site.keys[name] = deployers.user(site.root("iam"), name, json.dumps(documents[name]))
    place = running.create_place(site.root)
    running.create_services(site.root, place, ["api", "nightly", "web"])
    importer = Connection(
        lambda service, _region="": site.client(service, "import"),
        {"cluster": "prod", "services": None, "project": None},
        False,
    )
    assert len(site_info.run(importer)["site"]["services"]) == 3
    # There are neither scaling nor instances, whose network would be asked for.
    unseen = {action for action in UNSEEN if action.startswith(("application-autoscaling:", "cloudwatch:"))}
    instances = {"ecs:DescribeContainerInstances", "ecs:ListContainerInstances"}
    # Services of moto have no revisions.
    revisions = {"ecs:DescribeServiceRevisions"}
    assert site.surplus("import", documents["import"]) == unseen | instances | revisions
    params: Json = {
        "cluster": "prod",
        "project": "shop",
        "group": "",
        "services": ["api"],
        "scaled_services": [],
        "target_groups": ["prod-api"],
        "listener_arns": [place.listener],
        "rule_priorities": [10],
        "schedule_group": "jobs",
    }
    adopter = Connection(lambda service, _region="": site.client(service, "adopt"), params, False)
    assert adoption_flow.run(adopter)["changed"]
    grouped = adopter._replace(params={**params, "group": "backend"})
    assert adoption_flow.run(grouped)["changed"]
    ecs, elb = site.client("ecs", "adopt"), site.client("elbv2", "adopt")
    [api] = ecs.describe_services(cluster="prod", services=["api"])["services"]
    theirs = [{"key": "slipway:project", "value": "theirs"}]
    assert code_of(ecs.tag_resource, resourceArn=api["serviceArn"], tags=theirs) == "AccessDeniedException"
    own = [{"Key": "slipway:project", "Value": "shop"}]
    assert code_of(elb.add_tags, ResourceArns=[place.balancer], Tags=own) == "AccessDenied"


def test_scaling_finds_queues_and_has_alarms_of_its_own_cluster(site: Site) -> None:
    values = {**VALUES, "project": PROJECT, "cluster": PROJECT, "region": REGION, "account": ACCOUNT}
    document = policy_documents(PERMISSIONS, values, ["scaling"])["service"]
    site.keys["scaler"] = deployers.user(site.root("iam"), "scaler", json.dumps(document))
    site.root("sqs").create_queue(QueueName="orders")
    sqs, cloudwatch = (site.client(service, "scaler") for service in ("sqs", "cloudwatch"))
    assert scaling_api.queue_url(sqs, "orders").endswith("/orders")
    assert code_of(sqs.receive_message, QueueUrl=scaling_api.queue_url(sqs, "orders")) == "AccessDenied"
    worker = {"name": "worker", "min_capacity": 0, "queue": {"name": "orders", "messages_per_task": 1}}
    [(name, alarm)] = queue.alarms(worker, PROJECT).items()
    scaling_api.put_alarm(cloudwatch, name, {**alarm, "AlarmActions": []}, {"slipway:project": PROJECT})
    assert [one["AlarmName"] for one in scaling_api.list_alarms(cloudwatch, [name])] == [name]
    place = f"{REGION}:{ACCOUNT}:scalingPolicy:1:resource/ecs/service"
    for action, code in (
        (f"arn:aws:autoscaling:{place}/{PROJECT}/worker:policyName/worker", ""),
        (f"arn:aws:autoscaling:{place}/other/worker:policyName/worker", "AccessDenied"),
        (f"arn:aws:automate:{REGION}:ec2:terminate", "AccessDenied"),
    ):
        for kind in ("AlarmActions", "OKActions"):
            called = {**alarm, "AlarmName": name, "AlarmActions": [], kind: [action]}
            assert code_of(cloudwatch.put_metric_alarm, **called).removesuffix("Exception") == code, (action, kind)
    foreign = {**alarm, "AlarmName": queue.alarm_name("other", "worker"), "AlarmActions": []}
    assert code_of(cloudwatch.put_metric_alarm, **foreign).startswith("AccessDenied")
    # The emulator does not know which alarms a call deletes; test_deployer_limits.py does.
    site.root("cloudwatch").delete_alarms(AlarmNames=[name])


def test_the_document_exec_suffices_and_spares_others(site: Site) -> None:
    values = {**VALUES, "project": "inside", "cluster": "inside", "region": REGION, "account": ACCOUNT}
    document = policy_documents(PERMISSIONS, values, ["exec", "forward"])["exec"]
    site.keys["inside"] = deployers.user(site.root("iam"), "inside", json.dumps(document))
    root, user = site.root("ecs"), site.client("ecs", "inside")
    site.root("ecr").create_repository(repositoryName="inside")
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/inside@sha256:{'a' * 64}"
    root.register_task_definition(family="inside", containerDefinitions=[{"name": "web", "image": image, "memory": 64}])
    tags = [{"key": "slipway:project", "value": "inside"}]
    root.create_cluster(clusterName="inside", tags=tags)
    tasks = [
        root.run_task(cluster="inside", taskDefinition="inside", enableExecuteCommand=True, tags=some)["tasks"][0]
        for some in (tags, [{"key": "slipway:project", "value": "other"}])
    ]
    clients = {REGION: hosts_flow.Clients(user, site.client("ecr", "inside"))}
    found = hosts_flow.Reader(clients, ["inside"], []).read()
    assert (len(found.tasks), found.warnings) == (2, [])
    own, foreign = (str(task["taskArn"]) for task in tasks)
    opener = exec_flow.Opener(user, "inside", own, None)
    assert opener.open("sh", 0).url
    place: Json = {"cluster": "inside", "container": "web", "command": "sh", "interactive": True}
    assert code_of(user.execute_command, task=foreign, **place) == "AccessDeniedException"
    ssm, parameters = site.client("ssm", "inside"), {"portNumber": ["80"]}
    for task, name, code in (
        # This emulator has no sessions.
        (own, exec_model.TO_CONTAINER, "InvalidAction"),
        (own, exec_model.TO_HOST, "InvalidAction"),
        (foreign, exec_model.TO_CONTAINER, "AccessDeniedException"),
        (own, "AWS-StartSSHSession", "AccessDeniedException"),
    ):
        target = f"ecs:inside_{task.rpartition('/')[2]}_runtime"
        assert code_of(ssm.start_session, Target=target, DocumentName=name, Parameters=parameters) == code, (task, name)
    assert site.surplus("inside", document) == set()


def test_sessions_with_the_docker_host_are_those_of_ssh(site: Site) -> None:
    """No shell, no other document, no instance of others: not even where the caller leaves the document out."""
    values = {
        **VALUES,
        "project": "inside",
        "cluster": "inside",
        "region": REGION,
        "account": ACCOUNT,
        "boundary": BOUNDARY,
    }
    for name in ("docker_instance", "image"):
        key = f"sessions-{name}"
        document = policy_documents(PERMISSIONS, values, ["session_manager"])[name]
        site.keys[key] = deployers.user(site.root("iam"), key, json.dumps(document))
        ec2, ssm = site.root("ec2"), site.client("ssm", key)
        own, foreign = (
            ec2.run_instances(
                ImageId="ami-1",
                MinCount=1,
                MaxCount=1,
                TagSpecifications=[
                    {"ResourceType": "instance", "Tags": [{"Key": "slipway:project", "Value": project}]}
                ],
            )["Instances"][0]["InstanceId"]
            for project in ("inside", "other")
        )
        assert code_of(ssm.describe_instance_information) == ""
        for instance, options, code in (
            # This emulator has no sessions.
            (own, {"DocumentName": "AWS-StartSSHSession"}, "InvalidAction"),
            (own, {"DocumentName": "AWS-StartPortForwardingSession"}, "AccessDeniedException"),
            (own, {"DocumentName": "SSM-SessionManagerRunShell"}, "AccessDeniedException"),
            (own, {}, "AccessDeniedException"),
            (foreign, {"DocumentName": "AWS-StartSSHSession"}, "AccessDeniedException"),
        ):
            assert code_of(ssm.start_session, Target=instance, **options) == code, (name, instance, options)
        assert not {"FindAgent", "Connect", "ConnectToPort22Alone"} & site.surplus(key, document)


def test_agent_gets_its_permissions_from_the_document_of_the_docker_host(site: Site) -> None:
    values = {
        **VALUES,
        "project": "inside",
        "cluster": "inside",
        "region": REGION,
        "account": ACCOUNT,
        "boundary": BOUNDARY,
    }
    document = policy_documents(PERMISSIONS, values, ["session_manager"])["docker_instance"]
    site.keys["agent"] = deployers.user(site.root("iam"), "agent", json.dumps(document))
    iam, root = site.client("iam", "agent"), site.root("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    tags = [{"Key": "slipway:project", "Value": "inside"}]
    root.create_role(
        RoleName="inside-docker-instance", AssumeRolePolicyDocument=trust, PermissionsBoundary=BOUNDARY, Tags=tags
    )
    statement = {"Effect": "Allow", "Action": "ssm:UpdateInstanceInformation", "Resource": "*"}
    policy = {
        "PolicyName": "session-manager",
        "PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    }
    assert code_of(iam.put_role_policy, RoleName="inside-docker-instance", **policy) == ""
    root.create_role(RoleName="inside-task", AssumeRolePolicyDocument=trust, PermissionsBoundary=BOUNDARY, Tags=tags)
    assert code_of(iam.put_role_policy, RoleName="inside-task", **policy) == "AccessDenied"


def test_repository_of_nobody_stays_so(site: Site) -> None:
    arn = site.root("ecr").create_repository(repositoryName="foreign")["repository"]["repositoryArn"]
    ecr = site.client("ecr", "registry")
    tags = [{"Key": "slipway:project", "Value": PROJECT}]
    assert code_of(ecr.tag_resource, resourceArn=arn, tags=tags) == "AccessDeniedException"
    assert code_of(ecr.create_repository, repositoryName="foreign-2", tags=tags) == "AccessDeniedException"
    assert code_of(ecr.create_repository, repositoryName="webapp", tags=tags) == ""


def test_release_takes_no_service_and_keeps_its_owner(site: Site) -> None:
    ecs, deployer = site.root("ecs"), site.client("ecs", "service")
    ecs.create_cluster(clusterName=PROJECT)
    container = {"name": "web", "image": "web:1", "memory": 64}
    tags = [{"key": "slipway:project", "value": PROJECT}]
    deployer.register_task_definition(family="web", containerDefinitions=[container], tags=tags)
    made: Json = {"cluster": PROJECT, "taskDefinition": "web", "desiredCount": 0}
    foreign = ecs.create_service(serviceName="foreign", **made)["service"]["serviceArn"]
    own = deployer.create_service(serviceName="web", tags=tags, **made)["service"]["serviceArn"]
    denied = "AccessDeniedException"
    assert code_of(deployer.tag_resource, resourceArn=foreign, tags=tags) == denied
    assert code_of(deployer.tag_resource, resourceArn=own, tags=[{"key": "slipway:checkpoint", "value": "web:1"}]) == ""
    assert code_of(deployer.untag_resource, resourceArn=own, tagKeys=["slipway:checkpoint"]) == ""
    foreign_tag = [{"key": "slipway:project", "value": "other"}]
    assert code_of(deployer.tag_resource, resourceArn=own, tags=foreign_tag) == denied
    assert code_of(deployer.untag_resource, resourceArn=own, tagKeys=["slipway:project"]) == denied


def test_the_variant_schedules_suffices_and_spares_others(site: Site) -> None:
    values = {**VALUES, "project": "shop", "cluster": "shop", "region": REGION, "account": ACCOUNT}
    documents = policy_documents(PERMISSIONS, values, ["schedules"])
    for name in ("service", "destroy"):
        site.keys[f"{name}-schedules"] = deployers.user(
            site.root("iam"), f"{name}-schedules", json.dumps(documents[name])
        )
    root = site.root("ecs")
    root.create_cluster(clusterName="shop")
    container = {"name": "web", "image": "web", "memory": 64}
    definition = root.register_task_definition(family="shop-nightly", containerDefinitions=[container])
    own = {"slipway:project": "shop"}
    night: Json = {**{name: option.get("default") for name, option in SCHEDULE.items()}, "name": "night"}
    night |= {"schedule": "rate(1 day)", "task_definition": "shop-nightly"}

    def run(user: str, **options: t.Any) -> Json:
        params = {"cluster": "shop", "role_arn": f"arn:aws:iam::{ACCOUNT}:role/shop-schedules", "tags": own}
        params |= {"state": "present", "name": "shop", "schedules": [night], "match_tags": own, "wait_timeout": 5}
        params |= {"purge_tags": True, "purge_schedules": True, "task_definitions": {}, **options}
        connection = Connection(lambda service, _region="": site.client(service, user), params, False)
        return schedule_flow.run(connection)

    assert definition["taskDefinition"]["status"] == "ACTIVE"
    assert run("service-schedules")["changed"]
    assert run("service-schedules", tags={**own, "stage": "test"}, name="shop", purge_tags=False)["changed"]
    hourly = {**night, "schedule": "rate(1 hour)"}
    assert run("service-schedules", schedules=[hourly], tags=None)["changed"]
    assert run("service-schedules", schedules=[], tags=None)["changed"]
    for options in ({"name": "shop-eu"}, {"role_arn": f"arn:aws:iam::{ACCOUNT}:role/shop-task", "schedules": [night]}):
        with pytest.raises(SlipwayError) as refused:
            run("service-schedules", **options)
        assert refused.value.code == "access_denied"
    assert run("destroy-schedules", state="absent", schedules=[])["changed"]


def test_destroy_deletes_only_profiles_and_parameters_of_the_project(site: Site) -> None:
    iam, ssm = site.root("iam"), site.root("ssm")
    deleting = {name: site.client(name, "destroy") for name in ("iam", "ssm")}
    for project, code in (("other", "AccessDenied"), (PROJECT, "")):
        tags = [{"Key": "slipway:project", "Value": project}]
        profile, parameter = f"{PROJECT}-{project}", f"/{PROJECT}/{project}"
        iam.create_instance_profile(InstanceProfileName=profile, Tags=tags)
        ssm.put_parameter(Name=parameter, Value="x", Type="String", Tags=tags)
        assert code_of(deleting["iam"].delete_instance_profile, InstanceProfileName=profile) == code
        assert code_of(deleting["ssm"].delete_parameters, Names=[parameter]) == (f"{code}Exception" if code else "")


def limited(site: Site, name: str, variants: list[str], **values: t.Any) -> str:
    """A user with one document, for a project of these values."""
    known = {**VALUES, "project": PROJECT, "cluster": PROJECT, "region": REGION, "account": ACCOUNT, **values}
    document = policy_documents(PERMISSIONS, {**known, "boundary": BOUNDARY}, variants)[name]
    user = f"{name}-{'-'.join(variants)}"
    site.keys[user] = deployers.user(site.root("iam"), user, json.dumps(document))
    return user


def test_certificates_and_their_records_are_for_the_sites_domains_only(site: Site) -> None:
    user = limited(site, "load_balancer", ["https"], domains=["www.shop.example"], records=["_*.www.shop.example"])
    acm, route53 = (site.client(name, user) for name in ("acm", "route53"))
    tags = [{"Key": "slipway:project", "Value": PROJECT}]
    asked: Json = {"ValidationMethod": "DNS", "Tags": tags}
    denied = "AccessDeniedException"
    assert code_of(acm.request_certificate, DomainName="bank.example", **asked) == denied
    others = ["bank.example"]
    assert (
        code_of(acm.request_certificate, DomainName="www.shop.example", SubjectAlternativeNames=others, **asked)
        == denied
    )
    assert code_of(acm.request_certificate, DomainName="www.shop.example", **asked) == ""

    zone = site.root("route53").create_hosted_zone(Name="shop.example", CallerReference="1")["HostedZone"]["Id"]
    for name, kind, code in (
        ("_x.www.shop.example.", "CNAME", ""),
        ("_x.WWW.shop.example.", "CNAME", ""),
        ("_x.www.shop.example.", "TXT", "AccessDenied"),
        ("www.shop.example.", "CNAME", "AccessDenied"),
    ):
        value = {"CNAME": "x.example.", "TXT": '"x"'}[kind]
        record = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        found = code_of(route53.change_resource_record_sets, HostedZoneId=zone, ChangeBatch=batch)
        assert found == code, (name, kind)


def test_flow_logs_are_those_of_own_networks_with_their_role(site: Site) -> None:
    user = limited(site, "network", ["flow_logs"])
    ec2, root, iam = site.client("ec2", user), site.root("ec2"), site.client("iam", user)
    own = [{"Key": "slipway:project", "Value": PROJECT}]
    ours, theirs = (root.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _number in range(2))
    root.create_tags(Resources=[ours], Tags=own)
    role = f"arn:aws:iam::{ACCOUNT}:role/shop-flow-logs"
    asked: Json = {"ResourceType": "VPC", "TrafficType": "REJECT", "LogGroupName": "/ecs/shop/flow-logs"}
    tagged = {"TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": own}], "DeliverLogsPermissionArn": role}
    denied, other = "UnauthorizedOperation", f"arn:aws:iam::{ACCOUNT}:role/shop-task"
    assert code_of(ec2.create_flow_logs, ResourceIds=[theirs], **asked, **tagged) == denied
    assert code_of(ec2.create_flow_logs, ResourceIds=[ours], **asked, DeliverLogsPermissionArn=role) == denied
    assert (
        code_of(ec2.create_flow_logs, ResourceIds=[ours], **asked, **{**tagged, "DeliverLogsPermissionArn": other})
        == denied
    )
    [made] = ec2.create_flow_logs(ResourceIds=[ours], **asked, **tagged)["FlowLogIds"]
    [foreign] = root.create_flow_logs(ResourceIds=[theirs], **asked)["FlowLogIds"]
    assert code_of(ec2.delete_flow_logs, FlowLogIds=[foreign]) == denied
    assert code_of(ec2.delete_flow_logs, FlowLogIds=[made]) == ""
    trust: Json = {"RoleName": "shop-flow-logs", "AssumeRolePolicyDocument": "{}", "Tags": own}
    assert code_of(iam.create_role, **trust) == "AccessDenied"
    assert code_of(iam.create_role, **trust, PermissionsBoundary=BOUNDARY) == ""


def test_only_the_rules_of_groups_that_no_project_owns_are_removed(site: Site) -> None:
    ec2, root = site.client("ec2", limited(site, "network", [])), site.root("ec2")
    vpc = root.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    theirs = [{"ResourceType": "security-group", "Tags": [{"Key": "slipway:project", "Value": "other"}]}]
    other = root.create_security_group(GroupName="x", Description="x", VpcId=vpc, TagSpecifications=theirs)["GroupId"]
    mine = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    default = root.describe_security_groups(Filters=mine)["SecurityGroups"][0]["GroupId"]
    anything = {"IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}
    denied = "UnauthorizedOperation"
    assert code_of(ec2.revoke_security_group_egress, GroupId=other, **anything) == denied
    assert code_of(ec2.revoke_security_group_egress, GroupId=default, **anything) == ""
    assert code_of(ec2.authorize_security_group_egress, GroupId=default, **anything) == denied


def test_hosts_start_only_with_a_version_of_their_template_that_the_request_names(site: Site) -> None:
    user = limited(site, "hosts", ["hosts"])
    ec2, group = site.root("ec2"), site.client("autoscaling", user)
    own = [{"Key": "slipway:project", "Value": PROJECT}]
    image = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro"}
    tagged = [{"ResourceType": "launch-template", "Tags": own}]
    ec2.create_launch_template(LaunchTemplateName="hosts-shop", LaunchTemplateData=image, TagSpecifications=tagged)
    place = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    tags = [{**own[0], "PropagateAtLaunch": True, "ResourceId": "hosts-shop", "ResourceType": "auto-scaling-group"}]
    made: Json = {"AutoScalingGroupName": "hosts-shop", "MinSize": 0, "MaxSize": 1, "VPCZoneIdentifier": place}

    def template(version: str) -> Json:
        return {"LaunchTemplate": {"LaunchTemplateName": "hosts-shop", "Version": version}}

    for how in (template("$Latest"), template("$Default"), {"LaunchConfigurationName": "administrators"}):
        assert code_of(group.create_auto_scaling_group, **made, **how, Tags=tags) == "AccessDenied", how
    assert code_of(group.create_auto_scaling_group, **made, **template("1"), Tags=tags) == ""
    name = {"AutoScalingGroupName": "hosts-shop"}
    assert code_of(group.update_auto_scaling_group, **name, **template("$Default")) == "AccessDenied"
    assert code_of(group.update_auto_scaling_group, **name, **template("1")) == ""
    assert code_of(group.update_auto_scaling_group, **name, MaxSize=2) == ""
