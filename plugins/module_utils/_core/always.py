# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Members that AWS always sends, by service and by botocore's name of the structure: code reads them by their index."""

from __future__ import annotations

import typing as t

ALWAYS: t.Mapping[str, t.Mapping[str, tuple[str, ...]]] = {
    "acm": {
        "CertificateDetail": ("CertificateArn", "DomainName", "Status"),
        "CertificateSummary": ("CertificateArn", "DomainName"),
        "ResourceRecord": ("Name", "Type", "Value"),
        "Tag": ("Key",),
    },
    "application-autoscaling": {
        "ScalableTarget": ("ResourceId", "MinCapacity", "MaxCapacity"),
        "ScalingPolicy": ("PolicyARN", "PolicyName", "PolicyType", "ResourceId"),
        "ScheduledAction": ("ScheduledActionName", "ResourceId", "Schedule"),
    },
    "autoscaling": {
        "AutoScalingGroup": ("AutoScalingGroupName", "AutoScalingGroupARN"),
        "Instance": ("InstanceId",),
        "TagDescription": ("Key",),
    },
    "cloudwatch": {
        "MetricAlarm": ("AlarmName",),
    },
    "ec2": {
        "FlowLog": ("FlowLogId", "ResourceId", "TrafficType"),
        "IpRange": ("CidrIp",),
        "NatGateway": ("NatGatewayId",),
        "RouteTable": ("RouteTableId",),
        "SecurityGroup": ("GroupId",),
        "SecurityGroupIdentifier": ("GroupId",),
        "Subnet": ("SubnetId", "VpcId"),
        "VpcEndpoint": ("VpcEndpointId",),
    },
    "ecr": {
        "AuthorizationData": ("authorizationToken", "expiresAt", "proxyEndpoint"),
        "ImageDetail": ("imageDigest", "imagePushedAt"),
        "Repository": ("repositoryArn", "repositoryName"),
        "Tag": ("Key",),
    },
    "ecs": {
        "CapacityProvider": ("capacityProviderArn", "name"),
        "CapacityProviderStrategyItem": ("capacityProvider",),
        "Cluster": ("clusterArn", "clusterName"),
        "ClusterSetting": ("name",),
        "Container": ("name",),
        "ContainerDefinition": ("image", "name"),
        "Service": ("clusterArn", "serviceArn", "serviceName", "status"),
        "ServiceDeploymentBrief": ("serviceDeploymentArn",),
        "Tag": ("key",),
        "Task": ("clusterArn", "lastStatus", "taskArn", "taskDefinitionArn"),
        "TaskDefinition": ("taskDefinitionArn", "containerDefinitions", "family", "status"),
    },
    "elbv2": {
        "Listener": ("ListenerArn",),
        "LoadBalancer": ("LoadBalancerArn", "LoadBalancerName"),
        "LoadBalancerAttribute": ("Key", "Value"),
        "Rule": ("RuleArn", "Priority"),
        "RuleCondition": ("Field",),
        "Tag": ("Key",),
        "TargetGroup": ("TargetGroupArn", "TargetGroupName"),
        "TargetGroupAttribute": ("Key", "Value"),
        "TargetGroupTuple": ("TargetGroupArn",),
        "TargetDescription": ("Id",),
        "TargetHealth": ("State",),
        "TargetHealthDescription": ("Target", "TargetHealth"),
    },
    "logs": {
        "FilteredLogEvent": ("eventId",),
    },
    "scheduler": {
        "GetScheduleGroupOutput": ("Arn", "Name"),
        "GetScheduleOutput": ("Name", "ScheduleExpression"),
        "ScheduleGroupSummary": ("Arn", "Name"),
        "ScheduleSummary": ("Arn", "GroupName", "Name", "State"),
        "Tag": ("Key",),
    },
    "secretsmanager": {
        "DescribeSecretResponse": ("ARN", "Name"),
        "SecretListEntry": ("ARN", "Name"),
        "Tag": ("Key",),
    },
    "servicediscovery": {
        "Namespace": ("Id", "Arn", "Name"),
        "NamespaceSummary": ("Id", "Arn", "Name"),
        "ServiceSummary": ("Id", "Arn", "Name"),
        "Tag": ("Key",),
    },
    "ssm": {
        "Parameter": ("Name", "Value"),
        "ParameterMetadata": ("Name", "Type", "Version"),
        "Tag": ("Key",),
    },
}
