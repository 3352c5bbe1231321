# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site has beside services: certificates, domains, buckets, routes of a network that the run creates. Pure."""

from __future__ import annotations

import datetime

from ..._core.names import home_of
from ..._core.types import Json
from .checklist import Checklist, Reference, Service, Unread, listed
from .network import destinations

EXPIRES_SOON = datetime.timedelta(days=30)


def check(checklist: Checklist) -> None:
    site = checklist.desired.site
    for item in site.get("certificates") or ():
        _check_certificate(checklist, item)
    for item in site.get("domains") or ():
        _check_domain(checklist, item)
    for item in site.get("buckets") or ():
        _check_bucket(checklist, item)
    network = site.get("network") or {}
    if network.get("endpoints") is not None and network.get("nat") == "none":
        for service in checklist.desired.services:
            _check_desired_routes(checklist, service, network)


def _check_certificate(checklist: Checklist, item: Json) -> None:
    arn, place, home = str(item.get("arn")), str(item.get("place") or "certificates"), home_of(item.get("arn"))
    own = checklist.account.home
    if home and home.region != own.region:
        text = f"expected a certificate in {own.region}, where the load balancer is, got {arn} in {home.region}."
        checklist.fail("certificate", place, f"{text} Request or import one in {own.region}.")
        return
    remedy = "Request a certificate, or correct the ARN."
    found = checklist.find(Reference("certificate", place, "certificate", arn, remedy))
    if not found:
        return
    if found.get("Status") != "ISSUED":
        text = f"expected a certificate with status ISSUED, got {arn} with status {found.get('Status')}."
        checklist.fail("certificate", place, f"{text} Complete its validation, or use another one.")
        return
    if _has_expired(checklist, place, found):
        return
    names = [str(found.get("DomainName")), *(str(name) for name in found.get("SubjectAlternativeNames") or ())]
    missing = [str(one) for one in item.get("domains") or () if not any(covers(name, str(one)) for name in names)]
    if missing:
        text = f"expected a certificate for {listed(missing)}, got one for {listed(dict.fromkeys(names))}."
        checklist.fail("certificate", place, f"{text} Request one with all domains.")
    else:
        checklist.ok("certificate", place, f"certificate for {names[0]} is issued")


def _has_expired(checklist: Checklist, place: str, found: Json) -> bool:
    end = found.get("NotAfter")
    if not isinstance(end, datetime.datetime):
        return False
    left, day = end - checklist.account.now, f"{end:%Y-%m-%d}"
    if left < datetime.timedelta(0):
        checklist.fail("certificate", place, f"expected a valid certificate, got one that expired on {day}. Renew it.")
        return True
    renews = found.get("Type") == "AMAZON_ISSUED" and found.get("RenewalEligibility") == "ELIGIBLE"
    if left < EXPIRES_SOON and not renews:
        text = f"expected a certificate that is valid for at least 30 days, got one that expires on {day}."
        checklist.warn("certificate", place, f"{text} Renew it.")
    return False


def covers(name: str, domain: str) -> bool:
    """Whether a name of a certificate is one for the domain. A wildcard stands for one label."""
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    return name == domain or (name.startswith("*.") and domain.partition(".")[2] == name[2:])


def _check_domain(checklist: Checklist, item: Json) -> None:
    domain, place = str(item.get("name")), str(item.get("place") or "domains")
    zones = checklist.account.read("hosted zones")
    if isinstance(zones, Unread):
        checklist.unread("hosted zone", place, f"the hosted zone of {domain}", zones)
        return
    wanted = str(item.get("hosted_zone_id") or "").rpartition("/")[2]
    public = [one for one in zones or () if not (one.get("Config") or {}).get("PrivateZone")]
    chosen = [one for one in public if str(one["Id"]).rpartition("/")[2] == wanted] if wanted else public
    fitting = [one for one in chosen if _is_below(domain, str(one["Name"]))]
    if fitting:
        checklist.ok("hosted zone", place, f"hosted zone {fitting[0]['Name']} has {domain}")
        return
    got = f"hosted zone {wanted} of {listed(str(one['Name']) for one in chosen)}" if wanted else "none"
    text = f"expected a public hosted zone for {domain}, got {got}."
    checklist.fail("hosted zone", place, f"{text} Create the zone, or set an existing certificate.")


def _is_below(domain: str, zone: str) -> bool:
    domain, zone = domain.lower().rstrip("."), zone.lower().rstrip(".")
    return domain.removeprefix("*.") == zone or domain.endswith(f".{zone}")


def _check_bucket(checklist: Checklist, item: Json) -> None:
    name, place = str(item.get("name")), str(item.get("place") or "buckets")
    found = checklist.find(Reference("bucket", place, "bucket", name, "Create the bucket, or correct its name."))
    if not found:
        return
    region, own = found["region"], checklist.account.home.region
    if region != own:
        text = f"expected a bucket in {own}, where the load balancer is, got {name} in {region}."
        checklist.fail("bucket", place, f"{text} Use a bucket in this region.")
    else:
        checklist.ok("bucket", place, f"bucket {name} exists")


def _check_desired_routes(checklist: Checklist, service: Service, network: Json) -> None:
    """A network that this run creates without NAT gateway: endpoints are the only routes."""
    endpoints = [str(name) for name in network["endpoints"]]
    for name, place in destinations(service, checklist).items():
        if name in endpoints:
            checklist.ok("route", place, f"the tasks reach {name} through its VPC endpoint")
        else:
            checklist.fail(
                "route",
                place,
                f"expected a route to {name}, got neither a NAT gateway nor an endpoint for it. Add {name} to"
                " ecs_network_endpoints, or set ecs_network_nat.",
            )
