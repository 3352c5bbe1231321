#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elb_target_group
version_added: 0.1.0
short_description: Manages a target group of Elastic Load Balancing
author:
  - The Slipway authors (@slipway)
description:
  - Creates, updates and deletes a target group. Its targets are kept.
  - A target group is created with its tags. M(community.aws.elb_target_group) adds them later, so an interrupted run
    leaves one without an owner; it also lacks check mode.
  - Options that are omitted keep their values, or AWS's defaults.
options:
  name:
    description:
      - The name of the target group.
    type: str
    required: true
  state:
    description:
      - Whether the target group exists.
    type: str
    choices: [present, absent]
    default: present
  vpc_id:
    description:
      - The VPC of its targets. AWS cannot change it. A new target group requires it, unless O(target_type=lambda).
    type: str
  protocol:
    description:
      - The protocol of its targets. AWS cannot change it. A new target group requires it, unless
        O(target_type=lambda).
      - V(HTTP) and V(HTTPS) are for Application Load Balancers, V(GENEVE) for Gateway Load Balancers, the others for
        Network Load Balancers.
    type: str
    choices: [HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP, GENEVE, QUIC, TCP_QUIC]
  protocol_version:
    description:
      - The version of the protocols V(HTTP) and V(HTTPS). AWS cannot change it, and uses V(HTTP1) by default.
    type: str
    choices: [HTTP1, HTTP2, GRPC]
    version_added: 0.2.0
  port:
    description:
      - The port of its targets. AWS cannot change it. A new target group requires it, unless O(target_type=lambda).
    type: int
  target_type:
    description:
      - How targets are registered. AWS cannot change it, and uses V(instance) by default.
    type: str
    choices: [instance, ip, lambda, alb]
  ip_address_type:
    description:
      - The type of the targets' addresses. AWS cannot change it, and uses V(ipv4) by default.
    type: str
    choices: [ipv4, ipv6]
    version_added: 0.2.0
  target_control_port:
    description:
      - The port of the target optimizer's agent on the targets, for the protocols V(HTTP) and V(HTTPS). AWS cannot
        change it.
    type: int
    version_added: 0.2.0
  health_check_enabled:
    description:
      - Whether targets are checked. Only O(target_type=lambda) can do without checks, which is its default.
    type: bool
    version_added: 0.2.0
  health_check_protocol:
    description:
      - The protocol of the health check. V(TCP) is for Network and Gateway Load Balancers.
    type: str
    choices: [HTTP, HTTPS, TCP]
  health_check_port:
    description:
      - The port of the health check, or V(traffic-port) for the port of each target.
    type: str
    version_added: 0.2.0
  health_check_path:
    description:
      - The path that the health check requests.
    type: str
  health_check_codes:
    description:
      - The status codes of a healthy target, such as V(200-399); for O(protocol_version=GRPC), codes of gRPC such as
        V(0-5).
    type: str
  health_check_interval:
    description:
      - Seconds from one health check to the next.
    type: int
  health_check_timeout:
    description:
      - Seconds after which a check without an answer fails.
    type: int
  healthy_threshold:
    description:
      - Consecutive successes that make a target healthy.
    type: int
  unhealthy_threshold:
    description:
      - Consecutive failures that make a target unhealthy.
    type: int
  deregistration_delay:
    description:
      - Seconds that a deregistering target has to finish its requests.
    type: int
  attributes:
    description:
      - Other attributes, by the names and with the values that AWS gives them, such as
        C(stickiness.enabled). Attributes that are omitted keep their values.
      - Unknown names, impossible values, and attributes that the protocol and O(target_type) do not have are refused
        before anything is changed.
      - For all load balancers C(stickiness.enabled) and C(stickiness.type).
      - For Application and Network Load Balancers C(load_balancing.cross_zone.enabled), and
        C(target_group_health.dns_failover.minimum_healthy_targets) and
        C(target_group_health.unhealthy_state_routing.minimum_healthy_targets), each with C(.count) and C(.percentage).
      - For Application Load Balancers C(load_balancing.algorithm.type), C(load_balancing.algorithm.anomaly_mitigation),
        C(slow_start.duration_seconds), C(stickiness.lb_cookie.duration_seconds),
        C(stickiness.app_cookie.cookie_name) and C(stickiness.app_cookie.duration_seconds).
      - For Network Load Balancers C(deregistration_delay.connection_termination.enabled),
        C(preserve_client_ip.enabled), C(proxy_protocol_v2.enabled),
        C(target_health_state.unhealthy.connection_termination.enabled) and
        C(target_health_state.unhealthy.draining_interval_seconds).
      - For Gateway Load Balancers C(target_failover.on_deregistration), C(target_failover.on_unhealthy),
        C(send_tcp_reset.on_deregistration.enabled) and C(send_tcp_reset.on_unhealthy.enabled).
      - For O(target_type=lambda) C(lambda.multi_value_headers.enabled).
    type: dict
    version_added: 0.2.0
  keep_settings:
    description:
      - Whether an existing target group keeps its health check settings and its deregistration delay, whatever
        the options say. A new one gets the options.
      - For target groups whose settings change with their services, as O(slipway.aws.ecs_release#module:target_groups).
    type: bool
    default: false
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - slipway.aws.boto3
seealso:
  - module: slipway.aws.elb_listener_rules
"""

EXAMPLES = r"""
- name: Create a target group for containers on port 8080
  slipway.aws.elb_target_group:
    name: shop-web
    vpc_id: "{{ network.vpc_id }}"
    protocol: HTTP
    port: 8080
    target_type: ip
    health_check_path: /readyz
    health_check_interval: 10
    healthy_threshold: 2
    deregistration_delay: 30
    tags:
      team: shop

- name: Send the requests of a session to the same container, and more requests to it as it warms up
  slipway.aws.elb_target_group:
    name: shop-cart
    vpc_id: "{{ network.vpc_id }}"
    protocol: HTTP
    port: 8080
    target_type: ip
    attributes:
      stickiness.enabled: true
      stickiness.type: lb_cookie
      stickiness.lb_cookie.duration_seconds: 3600
      slow_start.duration_seconds: 60

- name: Create a target group for gRPC, whose health is checked on another port
  slipway.aws.elb_target_group:
    name: shop-stock
    vpc_id: "{{ network.vpc_id }}"
    protocol: HTTP
    protocol_version: GRPC
    port: 50051
    target_type: ip
    health_check_port: "50052"
    health_check_path: /grpc.health.v1.Health/Check
    health_check_codes: "0"

- name: Create a target group of a Network Load Balancer
  slipway.aws.elb_target_group:
    name: shop-queue
    vpc_id: "{{ network.vpc_id }}"
    protocol: TCP
    port: 5672
    target_type: ip
    health_check_protocol: TCP
    attributes:
      preserve_client_ip.enabled: true
      deregistration_delay.connection_termination.enabled: true
"""

RETURN = r"""
target_group:
  description:
    - The target group with its options; in check mode the predicted one, whose ARN is V(unknown) if it is new. Empty
      after its deletion.
  returned: success
  type: dict
  contains:
    target_group_name:
      description: The name.
      type: str
      sample: shop-web
    target_group_arn:
      description: The ARN.
      type: str
      sample: arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/shop-web/73e2d6bc24d8a067
    port:
      description: The port, and likewise each other option.
      type: int
      sample: 8080
    attributes:
      description: All attributes that AWS returns, without the one of O(deregistration_delay).
      type: dict
      sample: {"stickiness.enabled": "false"}
    tags:
      description: The tags.
      type: dict
      sample: {team: shop}
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(immutable). AWS cannot change this property of an existing resource.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(misplaced_secret),
      V(no_connection), V(no_credentials), V(not_found), V(refused) and V(throttled). These any module returns that
      calls AWS.
  returned: failure
  type: str
  sample: immutable
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run
from ansible_collections.slipway.aws.plugins.module_utils._core.target_groups import ARGUMENTS
from ansible_collections.slipway.aws.plugins.module_utils._elb.target_group import flow

PROTOCOLS = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"]
ARGUMENT_SPEC = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "vpc_id": {"type": "str"},
    "protocol": {"type": "str", "choices": PROTOCOLS},
    "protocol_version": {"type": "str", "choices": ["HTTP1", "HTTP2", "GRPC"]},
    "port": {"type": "int"},
    "target_type": {"type": "str", "choices": ["instance", "ip", "lambda", "alb"]},
    "ip_address_type": {"type": "str", "choices": ["ipv4", "ipv6"]},
    "target_control_port": {"type": "int"},
    **ARGUMENTS,
    "attributes": {"type": "dict"},
    "keep_settings": {"type": "bool", "default": False},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()
