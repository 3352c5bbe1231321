# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Known ways to gain permissions in AWS, or power over what belongs to others, as data.

A path is a list of calls, all of which have to be allowed. It has the name that a published list gives it, if any:

- `rhino-NN`: https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/
- `iam-NNN` and the like: https://pathfinding.cloud
- `pmapper-…`: an edge of https://github.com/nccgroup/PMapper
- `bishopfox-…`: a scenario of https://github.com/BishopFox/iam-vulnerable

The others follow from the Service Authorization Reference: what the documents of the deployer allow, tried on what they
must not reach.
"""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.slipway.aws.tests.policies import VALUES, Json, Request

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ACCOUNT, REGION, PROJECT, CLUSTER = (VALUES[name] for name in ("account", "region", "project", "cluster"))
OWNER = "slipway:project"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
OURS, THEIRS = {f"aws:ResourceTag/{OWNER}": PROJECT}, {f"aws:ResourceTag/{OWNER}": "other"}
NEW = {f"aws:RequestTag/{OWNER}": PROJECT, "aws:TagKeys": [OWNER]}


def arn(service: str, name: str, region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{name}"


def iam(name: str) -> str:
    return arn("iam", name, "")


# Roles that nobody may hand on: an administrator's, and one that begins as the project's do.
_ROLES: list[tuple[str, dict[str, str]]] = [
    (iam(f"role/{name}"), {}) for name in ("administrator", f"{PROJECT}-administrator", f"{PROJECT}-other-task")
]
_OWN_ROLES = [
    iam(f"role/{name}")
    for name in (
        *(f"{PROJECT}-{of}" for of in ("task", "execution", "load-balancing", "schedules", "docker-instance")),
        f"hosts-{PROJECT}",
    )
]
# A role of the project to which the boundary does not apply, or another one that somebody chose.
_FREE: list[Json] = [OURS, {**OURS, "iam:PermissionsBoundary": ADMINISTRATOR}]
# What a path may be tried on. `foreign` stands for anything of another project's, in the service of the action.
TARGETS: Mapping[str, list[tuple[str, Json]]] = {
    "role": _ROLES,
    "unbounded-role": [*_ROLES, *itertools.product(_OWN_ROLES, _FREE)],
    "new-role": [(role, {**NEW, **free}) for role in _OWN_ROLES for free in ({}, _FREE[1])],
    "own-role": [(role, {**OURS, "iam:PermissionsBoundary": VALUES["boundary"]}) for role in _OWN_ROLES],
    "role-of-containers": [(role, OURS) for role in _OWN_ROLES[:4]],
    "role-of-hosts": [(role, OURS) for role in _OWN_ROLES[2:]],
    "user": [(iam("user/administrator"), {}), (iam("user/deployer"), {}), (iam(f"user/{PROJECT}-deployer"), {})],
    "group": [(iam("group/administrators"), {})],
    "policy": [(iam("policy/own"), {}), (iam(f"policy/{PROJECT}-deployer-all"), {}), (VALUES["boundary"], {})],
    "provider": [(iam("oidc-provider/token.actions.githubusercontent.com"), {}), (iam("saml-provider/company"), {})],
    "profile": [(iam(f"instance-profile/{name}"), THEIRS) for name in ("administrator", f"{PROJECT}-other")],
    "own-profile": [(role.replace(":role/", ":instance-profile/"), OURS) for role in _OWN_ROLES[4:]],
    "instance": [(arn("ec2", "instance/i-0123456789abcdef0"), THEIRS)],
    "own-instance": [(arn("ec2", "instance/i-0123456789abcdef1"), OURS)],
    "new-instance": [(arn("ec2", "instance/*"), NEW)],
    "template": [(arn("ec2", "launch-template/lt-0123456789abcdef0"), THEIRS)],
    "own-template": [(arn("ec2", "launch-template/lt-0123456789abcdef1"), OURS)],
    "hosts": [(arn("autoscaling", "autoScalingGroup:uuid:autoScalingGroupName/other"), THEIRS)],
    "own-hosts": [(arn("autoscaling", f"autoScalingGroup:uuid:autoScalingGroupName/hosts-{PROJECT}"), OURS)],
    "new-hosts": [(arn("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/hosts-{PROJECT}"), NEW)],
    "definition": [(arn("ecs", "task-definition/administrator:1"), THEIRS)],
    "task": [(arn("ecs", f"task/{where}/0123456789abcdef"), THEIRS) for where in ("other", CLUSTER)],
    "service": [(arn("ecs", f"service/{where}/other"), THEIRS) for where in ("other", CLUSTER)],
    "cluster": [(arn("ecs", "cluster/other"), THEIRS)],
    "new-definition": [(arn("ecs", "task-definition/web:*"), NEW)],
    "new-service": [(arn("ecs", f"service/{CLUSTER}/web"), NEW)],
    "own-task": [(arn("ecs", f"task/{CLUSTER}/0123456789abcdef"), OURS)],
    "own-schedule": [(arn("scheduler", f"schedule/{PROJECT}/night"), {})],
    "schedule": [(arn("scheduler", f"schedule/{name}/night"), {}) for name in ("default", f"{PROJECT}-other")],
    "alarm": [(arn("cloudwatch", "alarm:pager"), {})],
    "own-alarm": [(arn("cloudwatch", f"alarm:StepScaling-service/{CLUSTER}/worker-QueueStartFromZero"), NEW)],
    "parameter": [(arn("ssm", f"parameter/{name}/password"), THEIRS) for name in ("other", f"{PROJECT}-other")],
    "secret": [(arn("secretsmanager", f"secret:{name}/password"), THEIRS) for name in ("other", f"{PROJECT}-other")],
    "repository": [(arn("ecr", f"repository/{name}"), THEIRS) for name in ("other", "base/django", f"{PROJECT}-other")],
    "bucket": [(f"arn:aws:s3:::{name}", {}) for name in ("other", f"{PROJECT}-other")],
    "object": [(f"arn:aws:s3:::{name}/state", {}) for name in ("other", f"{PROJECT}-other")],
    "key": [(arn("kms", "key/0123"), {})],
    "zone": [("arn:aws:route53:::hostedzone/Z0123456789", {})],
    "new-certificate": [("*", {**NEW, "acm:ValidationMethod": "DNS"})],
    "certificate": [(arn("acm", "certificate/1"), THEIRS)],
    "namespace": [(arn("servicediscovery", "namespace/ns-1"), THEIRS)],
    "like-our-listener": [(arn("elasticloadbalancing", f"listener/app/{PROJECT}-other-alb/1/2"), THEIRS)],
    "nobodys-certificate": [(arn("acm", "certificate/1"), {})],
    "new-namespace": [("*", NEW)],
    "new-revision": [(arn("ecs", "task-definition/other:*"), NEW)],
    "subnet": [(arn("ec2", "subnet/subnet-0123456789abcdef0"), {**THEIRS, "ec2:Vpc": arn("ec2", "vpc/vpc-other")})],
    "vpc": [(arn("ec2", "vpc/vpc-other"), THEIRS)],
    "security-group": [(arn("ec2", "security-group/sg-0123456789abcdef0"), THEIRS)],
    "nobodys-group": [(arn("ec2", "security-group/sg-0123456789abcdef0"), {})],
    "listener": [(arn("elasticloadbalancing", "listener/app/other-alb/1/2"), THEIRS)],
    "document": [(f"arn:aws:ssm:{REGION}::document/{name}", {}) for name in ("AWS-RunShellScript", "company-shell")],
    "log-group": [(arn("logs", "log-group:/ecs/other:log-stream:web"), {})],
    "scalable": [(
        arn("application-autoscaling", "scalable-target/0ec5x"),
        {**NEW, **OURS, "application-autoscaling:service-namespace": "lambda",
         "application-autoscaling:scalable-dimension": "lambda:function:ProvisionedConcurrency"},
    )],
}  # fmt: skip

_AUTOMATE = f"arn:aws:automate:{REGION}:ec2:terminate"
_RECORDS = "route53:ChangeResourceRecordSets"


def _record(kind: str, name: str) -> Json:
    return {
        f"{_RECORDS}NormalizedRecordNames": [name],
        f"{_RECORDS}RecordTypes": [kind],
        f"{_RECORDS}Actions": ["UPSERT"],
    }


# Further keys of a request, by the word behind its target.
CONTEXTS: Mapping[str, Json] = {
    "administrator": {"iam:PolicyARN": ADMINISTRATOR},
    "bounded-by-it": {"iam:PermissionsBoundary": ADMINISTRATOR},
    "tagged-as-ours": NEW,
    "newest-version": {"autoscaling:LaunchTemplateVersionSpecified": "false"},
    "launch-configuration": {"autoscaling:LaunchConfigurationName": "administrator"},
    "administrator-profile": {"ec2:InstanceProfile": iam("instance-profile/administrator")},
    "in-our-cluster": {"ecs:cluster": arn("ecs", f"cluster/{CLUSTER}")},
    "terminating": {"cloudwatch:AlarmActions": [_AUTOMATE]},
    "invoking": {"cloudwatch:AlarmActions": [arn("lambda", "function:other")]},
    "running-documents": {"cloudwatch:AlarmActions": [arn("ssm", "opsitem:1")]},
    "for-anyone": {"kms:ViaService": f"ecr.{REGION}.amazonaws.com", "kms:GrantIsForAWSResource": "false"},
    "address": _record("A", "www.example.com"),
    "delegation": _record("NS", f"x.{PROJECT}.internal"),
    "mail": _record("TXT", f"_x.www.{PROJECT}.example.com"),
    "other-validation": _record("CNAME", "_x.other.example.com"),
    "other-domain": {"acm:DomainNames": ["www.other.example.com"]},
    "two-domains": {"acm:DomainNames": [f"www.{PROJECT}.example.com", "www.other.example.com"]},
}

# Each path: its calls, as action[@target][>service that gets the role][#key of CONTEXTS].
PATHS: Mapping[str, str] = {
    # Policies and principals
    "iam-001 rhino-01": "iam:CreatePolicyVersion@policy",
    "rhino-02": "iam:SetDefaultPolicyVersion@policy",
    "iam-002 rhino-04": "iam:CreateAccessKey@user",
    "iam-003": "iam:DeleteAccessKey@user + iam:CreateAccessKey@user",
    "iam-004 rhino-05": "iam:CreateLoginProfile@user",
    "iam-006 rhino-06": "iam:UpdateLoginProfile@user",
    "iam-007 rhino-10": "iam:PutUserPolicy@user",
    "iam-008 rhino-07": "iam:AttachUserPolicy@user#administrator",
    "iam-010 rhino-08": "iam:AttachGroupPolicy@group#administrator",
    "iam-011 rhino-11": "iam:PutGroupPolicy@group",
    "iam-013 rhino-13": "iam:AddUserToGroup@group",
    "iam-005 rhino-12": "iam:PutRolePolicy@unbounded-role",
    "iam-009 rhino-09": "iam:AttachRolePolicy@unbounded-role#administrator",
    "iam-012 rhino-14": "iam:UpdateAssumeRolePolicy@unbounded-role",
    "iam-014": "iam:AttachRolePolicy@unbounded-role#administrator + sts:AssumeRole@role",
    "iam-015": "iam:AttachUserPolicy@user#administrator + iam:CreateAccessKey@user",
    "iam-016": "iam:CreatePolicyVersion@policy + sts:AssumeRole@role",
    "iam-017": "iam:PutRolePolicy@unbounded-role + sts:AssumeRole@role",
    "iam-018": "iam:PutUserPolicy@user + iam:CreateAccessKey@user",
    "iam-019": "iam:AttachRolePolicy@unbounded-role#administrator + iam:UpdateAssumeRolePolicy@unbounded-role",
    "iam-020": "iam:CreatePolicyVersion@policy + iam:UpdateAssumeRolePolicy@unbounded-role",
    "iam-021": "iam:PutRolePolicy@unbounded-role + iam:UpdateAssumeRolePolicy@unbounded-role",
    "sts-001 pmapper-sts bishopfox-AssumeRole": "sts:AssumeRole@role",
    "a new policy in place of the boundary": "iam:DeletePolicyVersion@policy + iam:CreatePolicyVersion@policy",
    "the boundary is deleted": "iam:DeletePolicy@policy",
    "a role loses its boundary": "iam:DeleteRolePermissionsBoundary@own-role",
    "a role gets a wider boundary": "iam:PutRolePermissionsBoundary@own-role#bounded-by-it",
    "a user loses the boundary": "iam:DeleteUserPermissionsBoundary@user",
    "a user gets a wider boundary": "iam:PutUserPermissionsBoundary@user",
    "a new role without boundary": "iam:CreateRole@new-role",
    "a new role that is given rights": "iam:CreateRole@new-role + iam:PutRolePolicy@unbounded-role",
    "a new role with others' rights": "iam:CreateRole@new-role + iam:AttachRolePolicy@unbounded-role#administrator",
    "who may assume the own roles": "iam:UpdateAssumeRolePolicy@own-role",
    "an administrator's policy for the own roles": "iam:AttachRolePolicy@own-role#administrator",
    "a role is taken by its tag": "iam:TagRole@role#tagged-as-ours",
    "a user is taken by its tag": "iam:TagUser@user",
    "multi-factor authentication is replaced": "iam:DeactivateMFADevice@user",
    "multi-factor authentication is moved": "iam:ResyncMFADevice@user",
    "credentials for a service": "iam:CreateServiceSpecificCredential@user",
    "a key for SSH": "iam:UploadSSHPublicKey@user",
    "a signing certificate": "iam:UploadSigningCertificate@user",
    "trust in another issuer": "iam:UpdateOpenIDConnectProviderThumbprint@provider",
    "trust in another audience": "iam:AddClientIDToOpenIDConnectProvider@provider",
    "trust in another company": "iam:UpdateSAMLProvider@provider",
    "trust in an anchor": "rolesanywhere:CreateTrustAnchor + rolesanywhere:CreateProfile",
    "identities of a pool": "iam:PassRole@role>cognito-identity + cognito-identity:SetIdentityPoolRoles",
    "a role linked to a service": "iam:CreateServiceLinkedRole@role",
    # Computers that run with a role: EC2
    "ec2-001 rhino-03 pmapper-ec2": "iam:PassRole@role>ec2 + ec2:RunInstances@new-instance",
    "an instance with a profile of others": "ec2:RunInstances@new-instance#administrator-profile",
    "an instance in the network of others": "ec2:RunInstances@subnet + ec2:RunInstances@new-instance",
    "a security group in the network of others": "ec2:CreateSecurityGroup@vpc",
    "a security group of others is opened": "ec2:AuthorizeSecurityGroupIngress@security-group",
    "nobody's security group is opened": "ec2:AuthorizeSecurityGroupIngress@nobodys-group",
    "a security group of others loses its rules": "ec2:RevokeSecurityGroupIngress@security-group",
    "ec2-002": "ec2:StopInstances@instance + ec2:ModifyInstanceAttribute@instance + ec2:StartInstances@instance",
    "ec2-003": "iam:PassRole@role>ec2 + ec2:RequestSpotInstances",
    "ec2-004 others' template": "ec2:CreateLaunchTemplateVersion@template + ec2:ModifyLaunchTemplate@template",
    "ec2-004 a new group takes each version":
        "ec2:CreateLaunchTemplateVersion@own-template + autoscaling:CreateAutoScalingGroup@new-hosts#newest-version",
    "ec2-004 the group takes each version":
        "ec2:CreateLaunchTemplateVersion@own-template + autoscaling:UpdateAutoScalingGroup@own-hosts#newest-version",
    "ec2-004 a new template":
        "ec2:CreateLaunchTemplate@template#tagged-as-ours"
        " + autoscaling:CreateAutoScalingGroup@new-hosts#newest-version",
    "a launch template of others": "ec2:RunInstances@template + ec2:RunInstances@new-instance",
    "pmapper-autoscaling new launch configuration":
        "iam:PassRole@role>ec2 + autoscaling:CreateLaunchConfiguration + autoscaling:CreateAutoScalingGroup@new-hosts",
    "pmapper-autoscaling launch configuration":
        "autoscaling:CreateAutoScalingGroup@new-hosts#launch-configuration",
    "pmapper-autoscaling launch configuration later":
        "autoscaling:UpdateAutoScalingGroup@own-hosts#launch-configuration",
    "a group of others": "autoscaling:UpdateAutoScalingGroup@hosts",
    "the hosts of others are taken by their tag": "autoscaling:CreateOrUpdateTags@hosts#tagged-as-ours",
    "another role for the own profile": "iam:AddRoleToInstanceProfile@own-profile + iam:PassRole@role>ec2",
    "another role for others' profile": "iam:RemoveRoleFromInstanceProfile@profile",
    "others' profile is taken by its tag": "iam:TagInstanceProfile@profile#tagged-as-ours",
    "another profile for the own instance": "ec2:AssociateIamInstanceProfile@own-instance",
    "another profile for others' instance": "ec2:AssociateIamInstanceProfile@instance",
    "a replaced profile": "ec2:ReplaceIamInstanceProfileAssociation@own-instance",
    "an instance is taken by its tag": "ec2:CreateTags@instance#tagged-as-ours",
    "a template is taken by its tag": "ec2:CreateTags@template#tagged-as-ours",
    "ec2instanceconnect-003 bishopfox": "ec2-instance-connect:SendSSHPublicKey@instance",
    "a serial console": "ec2-instance-connect:SendSerialConsoleSSHPublicKey@instance",
    "a password of Windows": "ec2:GetPasswordData@instance",
    "a copy of a disk": "ec2:CreateSnapshot",
    "a shared disk": "ec2:ModifySnapshotAttribute",
    "ssm-001 pmapper-ssm": "ssm:StartSession@instance",
    "ssm-002 pmapper-ssm": "ssm:SendCommand@instance",
    "commands by an association": "ssm:CreateAssociation@instance",
    "commands by automation": "iam:PassRole@role>ssm + ssm:StartAutomationExecution",
    "a session with another document": "ssm:StartSession@document",
    "an alarm that ends instances": "cloudwatch:PutMetricAlarm@own-alarm#terminating",
    "an alarm that calls a function": "cloudwatch:PutMetricAlarm@own-alarm#invoking",
    "an alarm that runs a document": "cloudwatch:PutMetricAlarm@own-alarm#running-documents",
    "others' alarm": "cloudwatch:PutMetricAlarm@alarm",
    # Containers
    "ecs-001": "iam:PassRole@role>ecs-tasks + ecs:CreateCluster@cluster + ecs:RegisterTaskDefinition@new-definition",
    "ecs-002": "iam:PassRole@role>ecs-tasks + ecs:CreateCluster@cluster + ecs:RunTask@definition",
    "ecs-003": "iam:PassRole@role>ecs-tasks + ecs:CreateService@new-service",
    "ecs-004": "iam:PassRole@role>ecs-tasks + ecs:RegisterTaskDefinition@new-definition",
    "ecs-005": "iam:PassRole@role>ecs-tasks + ecs:RegisterTaskDefinition@new-definition + ecs:StartTask",
    "others' task definition with another command": "ecs:RunTask@definition#in-our-cluster",
    "others' task definition on a host": "ecs:StartTask@definition#in-our-cluster",
    "others' service with another definition": "ecs:UpdateService@service",
    "others' service": "ecs:DeleteService@service",
    "commands in others' tasks": "ecs:ExecuteCommand@task",
    "ports of others' tasks": "ssm:StartSession@task",
    "others' tasks are stopped": "ecs:StopTask@task",
    "a task is taken by its tag": "ecs:TagResource@task#tagged-as-ours",
    "a service is taken by its tag": "ecs:TagResource@service#tagged-as-ours",
    "a task definition is taken by its tag": "ecs:TagResource@definition#tagged-as-ours",
    "a cluster is taken by its tag": "ecs:TagResource@cluster#tagged-as-ours",
    "a host of others' cluster": "ecs:RegisterContainerInstance@cluster",
    "another role moves the traffic": "iam:PassRole@role>ecs + ecs:CreateService@new-service",
    "a role of the containers for a host": "iam:PassRole@role-of-containers>ec2",
    "a role of the containers for a function": "iam:PassRole@role-of-containers>lambda",
    "a role of the hosts for containers": "iam:PassRole@role-of-hosts>ecs-tasks",
    "scheduled with another role": "iam:PassRole@role>scheduler + scheduler:CreateSchedule@own-schedule",
    "others' schedule": "scheduler:UpdateSchedule@schedule",
    "image of others": "ecr:PutImage@repository",
    "images of others are pulled": "ecr:BatchGetImage@repository + ecr:GetDownloadUrlForLayer@repository",
    "images of others for everybody": "ecr:SetRepositoryPolicy@repository",
    "a repository is taken by its tag": "ecr:TagResource@repository#tagged-as-ours",
    "traffic of others": "elasticloadbalancing:ModifyListener@listener",
    # Secrets and keys
    "parameters of others": "ssm:GetParameters@parameter",
    "a parameter of others": "ssm:GetParameter@parameter",
    "parameters of others by path": "ssm:GetParametersByPath@parameter",
    "a parameter is overwritten": "ssm:PutParameter@parameter#tagged-as-ours",
    "a parameter is deleted": "ssm:DeleteParameters@parameter",
    "a parameter is taken by its tag": "ssm:AddTagsToResource@parameter#tagged-as-ours",
    "secrets of others": "secretsmanager:GetSecretValue@secret",
    "a secret is overwritten": "secretsmanager:PutSecretValue@secret",
    "a secret for another account": "secretsmanager:PutResourcePolicy@secret",
    "a secret is taken by its tag": "secretsmanager:TagResource@secret#tagged-as-ours",
    "a key for anyone": "kms:CreateGrant@key#for-anyone",
    "a key's policy": "kms:PutKeyPolicy@key",
    "a key without a service": "kms:Decrypt@key",
    "logs of others": "logs:GetLogEvents@log-group",
    "objects of others": "s3:GetObject@object",
    "objects of others are replaced": "s3:PutObject@object",
    "objects of others are deleted": "s3:DeleteObject@object",
    "a bucket's policy": "s3:PutBucketPolicy@bucket",
    "a bucket for everybody": "s3:PutBucketPublicAccessBlock@bucket",
    "a bucket is deleted": "s3:DeleteBucket@bucket",
    # Names
    "the address of others": "route53:ChangeResourceRecordSets@zone#address",
    "records whose type is not known": "route53:ChangeResourceRecordSets@zone",
    "a name for mail": "route53:ChangeResourceRecordSets@zone#mail",
    "a part of a namespace goes elsewhere": "route53:ChangeResourceRecordSets@zone#delegation",
    "a certificate of others is validated": "route53:ChangeResourceRecordSets@zone#other-validation",
    "names for the network of others": "route53:CreateHostedZone@zone",
    "names for the network of others later": "route53:AssociateVPCWithHostedZone@zone",
    "a zone is deleted": "route53:DeleteHostedZone@zone",
    "a certificate for the domain of others": "acm:RequestCertificate@new-certificate#other-domain",
    "a certificate that includes the domain of others": "acm:RequestCertificate@new-certificate#two-domains",
    "a certificate's key": "acm:ExportCertificate@certificate",
    "a certificate is replaced": "acm:ImportCertificate@certificate",
    "a certificate is taken by its tag": "acm:AddTagsToCertificate@certificate#tagged-as-ours",
    "a namespace is deleted": "servicediscovery:DeleteNamespace@namespace",
    "other things scale": "application-autoscaling:RegisterScalableTarget@scalable",
    "other things scale by a policy": "application-autoscaling:PutScalingPolicy@scalable",
    # Services that run what one gives them: no document names them
    "lambda-001 rhino-15": "iam:PassRole@role>lambda + lambda:CreateFunction + lambda:InvokeFunction",
    "lambda-002 rhino-16": "iam:PassRole@role>lambda + lambda:CreateFunction + lambda:CreateEventSourceMapping",
    "lambda-003 rhino-17": "lambda:UpdateFunctionCode",
    "lambda-004": "lambda:UpdateFunctionCode + lambda:InvokeFunction",
    "lambda-005": "lambda:UpdateFunctionCode + lambda:AddPermission",
    "lambda-006": "iam:PassRole@role>lambda + lambda:CreateFunction + lambda:AddPermission",
    "rhino layers of a function": "lambda:UpdateFunctionConfiguration",
    "glue-001 rhino-18": "iam:PassRole@role>glue + glue:CreateDevEndpoint",
    "glue-002 rhino-19": "glue:UpdateDevEndpoint",
    "glue-003": "iam:PassRole@role>glue + glue:CreateJob + glue:StartJobRun",
    "glue-004": "iam:PassRole@role>glue + glue:CreateJob + glue:CreateTrigger",
    "glue-005": "iam:PassRole@role>glue + glue:UpdateJob + glue:StartJobRun",
    "glue-006": "iam:PassRole@role>glue + glue:UpdateJob + glue:CreateTrigger",
    "cloudformation-001 rhino-20": "iam:PassRole@role>cloudformation + cloudformation:CreateStack",
    "cloudformation-002": "cloudformation:UpdateStack",
    "cloudformation-003": "iam:PassRole@role>cloudformation + cloudformation:CreateStackSet"
        " + cloudformation:CreateStackInstances",
    "cloudformation-004": "iam:PassRole@role>cloudformation + cloudformation:UpdateStackSet",
    "cloudformation-005": "cloudformation:CreateChangeSet + cloudformation:ExecuteChangeSet",
    "datapipeline-001 rhino-21": "iam:PassRole@role>datapipeline + datapipeline:CreatePipeline"
        " + datapipeline:PutPipelineDefinition + datapipeline:ActivatePipeline",
    "codebuild-001": "iam:PassRole@role>codebuild + codebuild:CreateProject + codebuild:StartBuild",
    "codebuild-002": "codebuild:StartBuild",
    "codebuild-003": "codebuild:StartBuildBatch",
    "codebuild-004": "iam:PassRole@role>codebuild + codebuild:CreateProject + codebuild:StartBuildBatch",
    "pmapper-codebuild": "codebuild:UpdateProject + codebuild:StartBuild",
    "rhino codestar": "codestar:CreateProject + iam:PassRole@role>codestar",
    "rhino codestar team": "codestar:CreateProjectFromTemplate + codestar:AssociateTeamMember",
    "sagemaker-001": "iam:PassRole@role>sagemaker + sagemaker:CreateNotebookInstance",
    "sagemaker-002": "iam:PassRole@role>sagemaker + sagemaker:CreateTrainingJob",
    "sagemaker-003": "iam:PassRole@role>sagemaker + sagemaker:CreateProcessingJob",
    "sagemaker-004": "sagemaker:CreatePresignedNotebookInstanceUrl",
    "sagemaker-005": "sagemaker:CreateNotebookInstanceLifecycleConfig + sagemaker:UpdateNotebookInstance",
    "apprunner-001": "iam:PassRole@role>tasks.apprunner + apprunner:CreateService",
    "apprunner-002": "apprunner:UpdateService",
    "bedrock-001": "iam:PassRole@role>bedrock-agentcore + bedrock-agentcore:CreateCodeInterpreter",
    "bedrock-002": "bedrock-agentcore:StartCodeInterpreterSession + bedrock-agentcore:InvokeCodeInterpreter",
    "a state machine": "iam:PassRole@role>states + states:CreateStateMachine",
    "a rule of events": "iam:PassRole@role>events + events:PutTargets",
    "a batch job": "iam:PassRole@role>batch + batch:SubmitJob",
    "a cluster of EMR": "iam:PassRole@role>elasticmapreduce + elasticmapreduce:RunJobFlow",
    "a branch of Amplify": "iam:PassRole@role>amplify + amplify:CreateApp",
    "a pipeline": "iam:PassRole@role>codepipeline + codepipeline:CreatePipeline",
}  # fmt: skip

# Paths that AWS leaves no way to close: the guide to permissions names their actions, and what they need.
LIMITS: Mapping[str, str] = {
    "nobody's certificate is taken by its tag": "acm:AddTagsToCertificate@nobodys-certificate#tagged-as-ours",
    "a namespace is taken by its tag": "servicediscovery:TagResource@new-namespace#tagged-as-ours",
    "names in the network of others": "servicediscovery:CreatePrivateDnsNamespace@new-namespace",
    "nobody's security group loses its rules": "ec2:RevokeSecurityGroupIngress@nobodys-group",
    "others' task definitions are deregistered": "ecs:DeregisterTaskDefinition@definition",
    "a revision of others' family": "ecs:RegisterTaskDefinition@new-revision",
    "traffic of a project whose name begins so": "elasticloadbalancing:ModifyListener@like-our-listener",
}


def _targets(service: str, kind: str) -> list[tuple[str, Json]]:
    return TARGETS[kind] if kind else [(arn(service, "anything/of-others"), THEIRS)]


def _requests(step: str) -> Iterator[Request]:
    call, _hash, key = step.partition("#")
    call, _arrow, passed = call.partition(">")
    action, _at, kind = call.partition("@")
    more = CONTEXTS[key] if key else {}
    more = {**more, "iam:PassedToService": f"{passed}.amazonaws.com"} if passed else more
    for resource, context in _targets(action.split(":")[0], kind):
        yield Request(action, resource, {**context, **more})


def attempts(path: str) -> Iterator[tuple[Request, ...]]:
    """The path on each combination of what it may be tried on."""
    return itertools.product(*(_requests(step) for step in {**PATHS, **LIMITS}[path].split(" + ")))
