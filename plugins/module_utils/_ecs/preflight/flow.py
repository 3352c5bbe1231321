# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_preflight: read what the services name, check it, and list the results. It changes nothing."""

from __future__ import annotations

import datetime
import typing as t
from concurrent.futures import Executor, ThreadPoolExecutor

from ..._core.error_codes import CHECKS_FAILED
from ..._core.errors import SlipwayError
from ..._core.names import Home
from ..._core.types import Connection, Json, Result
from ..cloud import Cloud
from ..limits import check_cluster
from . import api, desired_flow, judge, network_flow, read_flow
from .checklist import FAIL, Account, Desired
from .checklist import Result as Found

WORKERS = 16
# A check asks for what follows from what was read; the longest chain is target group, load balancer, listeners.
ROUNDS = 6
SITE = (
    *("buckets", "certificates", "domains", "load_balancers", "network", "new", "project", "root_user", "rules"),
    *("secret_members", "target_groups"),
)


def run(connection: Connection) -> Result:
    check_cluster(connection.params["cluster"])
    cloud = Cloud(connection.client)
    with ThreadPoolExecutor(WORKERS) as pool:
        caller = api.caller(cloud.sts)
        home = Home(str(caller["Arn"]).split(":")[1], str(cloud.ecs.meta.region_name), str(caller["Account"]))
        params = _filled_in(connection.params, home)
        desired = _desired(connection._replace(params=params), cloud)
        found = _checked(desired, Account(home, datetime.datetime.now(datetime.UTC)), cloud, pool)
    preflight = {**judge.summary(found), "account": home.account, "region": home.region}
    failed = [one.text for one in found if one.state == FAIL]
    if failed and params["fail"]:
        number = f"{len(failed)} check{'' if len(failed) == 1 else 's'}"
        text = "\n".join([f"Preflight: {number} failed. Nothing was changed.", *failed])
        raise SlipwayError(CHECKS_FAILED, text, {"preflight": preflight})
    return {"changed": False, "preflight": preflight, "exit_code": int(bool(failed))}


def _filled_in(value: t.Any, home: Home) -> t.Any:
    """The options with the account and the partition of the caller."""
    if isinstance(value, dict):
        return {_filled_in(name, home): _filled_in(member, home) for name, member in value.items()}
    if isinstance(value, list):
        return [_filled_in(element, home) for element in value]
    if isinstance(value, str):
        return value.replace("<account>", home.account).replace("<partition>", home.partition)
    return value


def _desired(connection: Connection, cloud: Cloud) -> Desired:
    params = connection.params
    network, given = params["network"] or {}, params["services"] or []
    if network.get("vpc_filters"):
        given = network_flow.resolve(cloud.ec2, network, given)
    services, results = desired_flow.services(connection._replace(params={**params, "services": given}), cloud.ecs)
    problems = [Found("variables", "variables", FAIL, text) for text in params["problems"] or ()]
    creates: Json = params["creates"] or {}
    return Desired(
        params["cluster"],
        services,
        {kind: frozenset(map(str, names or ())) for kind, names in creates.items()},
        {name: params[name] for name in SITE},
        [*problems, *results],
    )


def _checked(desired: Desired, account: Account, cloud: Cloud, pool: Executor) -> list[Found]:
    for _round in range(ROUNDS):
        results = judge.results(desired, account)
        if not account.wanted:
            break
        account.answers |= read_flow.read(cloud.client, pool, account.wanted)
        account.wanted.clear()
    return results
