#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: elb_listener_rules
version_added: 0.1.0
short_description: Manages the rules of a load balancer's listener
author:
  - The Slipway authors (@slipway)
description:
  - Sets the rules of a listener of an application load balancer. Other rules are deleted, unless O(owner_tags) are set
    and the rules lack them.
  - A rule is identified by its priority. It is updated in place and as a whole, and other rules are deleted last, so
    that every request reaches a target meanwhile.
  - A rule with O(rules[].target_group_arn) that forwards to several target groups, this one among them, keeps its
    weights. Amazon ECS shifts them in blue/green, linear and canary deployments. RV(rules[].target_groups) shows them.
  - Whatever a rule has and the options do not ask for is drift, and is removed.
  - M(amazon.aws.elb_application_lb) does not notice when a rule loses its hosts or its paths, and fails when a
    rule moves to the priority of one that is deleted.
options:
  listener_arn:
    description:
      - The ARN of the listener.
    type: str
    required: true
  rules:
    description:
      - All rules of the listener. V([]) keeps only the default action.
    type: list
    elements: dict
    required: true
    suboptions:
      priority:
        description:
          - The priority, from 1 to 50000. The lowest that matches a request applies.
        type: int
        required: true
      hosts:
        description:
          - Host names, with V(*) and V(?) as wildcards, one of which has to match. If omitted, any host matches.
        type: list
        elements: str
        default: []
      paths:
        description:
          - Paths, with V(*) and V(?) as wildcards, one of which has to match. If omitted, any path matches.
        type: list
        elements: str
        default: []
      conditions:
        description:
          - Other conditions, as U(https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html)
            describes them, all of which have to match, C(hosts) and C(paths) included. C(Field) is V(http-header),
            V(http-request-method), V(query-string), V(source-ip), or V(host-header) or V(path-pattern) with
            C(RegexValues).
          - A rule requires one to five values in C(hosts), C(paths) and C(conditions) together.
        type: list
        elements: dict
        default: []
        version_added: 0.2.0
      target_group_arn:
        description:
          - The ARN of the target group that gets the requests, unless Amazon ECS has shifted them to another one.
          - Required unless O(rules[].actions) end with V(forward), V(redirect) or V(fixed-response).
        type: str
      alternate_target_group_arn:
        description:
          - The ARN of the target group to which Amazon ECS shifts requests. A new rule has weight 100 for the first one
            and 0 for this one; an existing one that forwards to both keeps its weights.
        type: str
        version_added: 0.2.0
      actions:
        description:
          - Other actions, as U(https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html)
            describes them, in this order. C(Type) is V(authenticate-oidc), V(authenticate-cognito) or
            V(jwt-validation), and in the end V(redirect), V(fixed-response), or V(forward) with weights and stickiness.
          - With O(rules[].target_group_arn), the rule forwards there after them. Weights that stand here are set, also
            if Amazon ECS has shifted them.
        type: list
        elements: dict
        default: []
        version_added: 0.2.0
      transforms:
        description:
          - Changes of the request before it is forwarded, as
            U(https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleTransform.html) describes
            them. C(Type) is V(url-rewrite) or V(host-header-rewrite).
        type: list
        elements: dict
        default: []
        version_added: 0.2.0
      client_secret:
        description:
          - The secret of the client of the action V(authenticate-oidc). AWS does not return it, so it is sent only with
            a new rule, with another client or issuer, and with O(rules[].renew_client_secret).
        type: str
        version_added: 0.2.0
      renew_client_secret:
        description:
          - Whether to send O(rules[].client_secret) again, which is reported as a change. Use it for one run after the
            secret has changed.
        type: bool
        default: false
        version_added: 0.2.0
  owner_tags:
    description:
      - On a listener that others use, too, the tags that mark a rule as yours, such as V(slipway:project).
      - Only rules with all of these tags are compared, updated and deleted; new rules get them. If omitted, all rules
        of the listener are yours.
      - A priority that another rule has is refused with the code V(conflict) before anything is changed.
      - A rule of a desired priority that is as desired but has no tag V(slipway:project) is not adopted yet. Check mode
        reports it as unchanged, with a warning; a run refuses it with the code V(not_adopted).
    type: dict
    version_added: 0.2.0
  default_action:
    description:
      - Where requests go that no rule takes, if Amazon ECS shifts them between two target groups. If omitted, the
        default action is kept. Excludes O(owner_tags), as a shared listener's default action is not yours.
    type: dict
    version_added: 0.2.0
    suboptions:
      target_group_arn:
        description: The ARN of the target group that gets the requests first.
        type: str
        required: true
      alternate_target_group_arn:
        description: The ARN of the target group to which Amazon ECS shifts them. Weights of both are kept.
        type: str
        required: true
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
seealso:
  - module: amazon.aws.elb_application_lb
"""

EXAMPLES = r"""
- name: Forward the API by path and the shop by host
  slipway.aws.elb_listener_rules:
    listener_arn: "{{ load_balancer.listeners[0].listener_arn }}"
    rules:
      - priority: 10
        paths: [/api/*]
        target_group_arn: "{{ api.target_group_arn }}"
      - priority: 20
        hosts: [shop.example.com]
        target_group_arn: "{{ shop.target_group_arn }}"

- name: Redirect an old host, and show a page to everybody outside of the office
  slipway.aws.elb_listener_rules:
    listener_arn: "{{ load_balancer.listeners[0].listener_arn }}"
    rules:
      - priority: 1
        hosts: [www.example.com]
        actions:
          - Type: redirect
            RedirectConfig: {Host: shop.example.com, StatusCode: HTTP_301}
      - priority: 2
        conditions:
          - Field: source-ip
            SourceIpConfig: {Values: [192.0.2.0/24]}
        target_group_arn: "{{ shop.target_group_arn }}"
      - priority: 3
        paths: [/*]
        actions:
          - Type: fixed-response
            FixedResponseConfig: {StatusCode: "503", ContentType: text/plain, MessageBody: Back at nine}

- name: Let users log in, and forward their requests without the prefix of the path
  slipway.aws.elb_listener_rules:
    listener_arn: "{{ load_balancer.listeners[0].listener_arn }}"
    rules:
      - priority: 10
        paths: [/admin/*]
        actions:
          - Type: authenticate-oidc
            AuthenticateOidcConfig:
              Issuer: https://login.example.com
              AuthorizationEndpoint: https://login.example.com/authorize
              TokenEndpoint: https://login.example.com/token
              UserInfoEndpoint: https://login.example.com/userinfo
              ClientId: shop
        client_secret: "{{ vault_client_secret }}"
        target_group_arn: "{{ admin.target_group_arn }}"
        transforms:
          - Type: url-rewrite
            UrlRewriteConfig: {Rewrites: [{Regex: ^/admin/(.*)$, Replace: /$1}]}

- name: Send a tenth of the requests to the next version, and each user always to the same one
  slipway.aws.elb_listener_rules:
    listener_arn: "{{ load_balancer.listeners[0].listener_arn }}"
    rules:
      - priority: 10
        paths: [/*]
        actions:
          - Type: forward
            ForwardConfig:
              TargetGroups:
                - {TargetGroupArn: "{{ shop.target_group_arn }}", Weight: 90}
                - {TargetGroupArn: "{{ next.target_group_arn }}", Weight: 10}
              TargetGroupStickinessConfig: {Enabled: true, DurationSeconds: 3600}

- name: Let Amazon ECS shift the requests that no rule takes
  slipway.aws.elb_listener_rules:
    listener_arn: "{{ load_balancer.listeners[0].listener_arn }}"
    rules: []
    default_action:
      target_group_arn: "{{ blue.target_group_arn }}"
      alternate_target_group_arn: "{{ green.target_group_arn }}"

- name: Set only the rules of project shop on a listener that others use, too
  slipway.aws.elb_listener_rules:
    listener_arn: "{{ shared_listener_arn }}"
    owner_tags:
      slipway:project: shop
    rules:
      - priority: 120
        hosts: [shop.example.com]
        target_group_arn: "{{ shop.target_group_arn }}"

- name: Leave only the default action
  slipway.aws.elb_listener_rules:
    listener_arn: "{{ load_balancer.listeners[0].listener_arn }}"
    rules: []
"""

RETURN = r"""
rules:
  description: The rules of the listener by priority; in check mode the predicted ones.
  returned: success
  type: list
  elements: dict
  contains:
    priority:
      description: The priority.
      type: int
      sample: 10
    hosts:
      description: The hosts, sorted.
      type: list
      elements: str
      sample: []
    paths:
      description: The paths, sorted.
      type: list
      elements: str
      sample: [/api/*]
    conditions:
      description: The other conditions, in one form. Only in a rule with some.
      type: list
      elements: dict
      sample: []
    actions:
      description:
        - The other actions, without what AWS fills in and without secrets. Only in a rule with some.
      type: list
      elements: dict
      sample: []
    transforms:
      description: The transforms. Only in a rule with some.
      type: list
      elements: dict
      sample: []
    target_group_arn:
      description: The target group that gets the requests. Only in a rule that forwards to one.
      type: str
      sample: arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/ecs-api/73e2d6bc24d8a067
    target_groups:
      description: The target groups that share the requests by weight. Only in a rule with several.
      type: list
      elements: dict
      contains:
        target_group_arn:
          description: The target group.
          type: str
          sample: arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/ecs-api-2/73e2d6bc24d8a067
        weight:
          description: Its share of the requests.
          type: int
          sample: 100
    stickiness:
      description: How long a user stays with one of several target groups. Only in a rule where it is enabled.
      type: dict
      sample: {Enabled: true, DurationSeconds: 3600}
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - >-
      V(not_adopted). The resource exists and belongs to no project yet: it has no tag C(slipway:project).
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(misplaced_secret),
      V(no_connection), V(no_credentials), V(not_found), V(refused) and V(throttled). These any module returns that
      calls AWS.
  returned: failure
  type: str
  sample: invalid_option
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._elb.listener_rules import flow

RULE = {
    "priority": {"type": "int", "required": True},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "paths": {"type": "list", "elements": "str", "default": []},
    "conditions": {"type": "list", "elements": "dict", "default": []},
    "target_group_arn": {"type": "str"},
    "alternate_target_group_arn": {"type": "str"},
    "actions": {"type": "list", "elements": "dict", "default": []},
    "transforms": {"type": "list", "elements": "dict", "default": []},
    "client_secret": {"type": "str", "no_log": True},
    "renew_client_secret": {"type": "bool", "default": False, "no_log": False},
}
DEFAULT = {
    "target_group_arn": {"type": "str", "required": True},
    "alternate_target_group_arn": {"type": "str", "required": True},
}
ARGUMENT_SPEC = {
    "listener_arn": {"type": "str", "required": True},
    "rules": {"type": "list", "elements": "dict", "options": RULE, "required": True},
    "owner_tags": {"type": "dict"},
    "default_action": {"type": "dict", "options": DEFAULT},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run, mutually_exclusive=[("owner_tags", "default_action")])


if __name__ == "__main__":
    main()
