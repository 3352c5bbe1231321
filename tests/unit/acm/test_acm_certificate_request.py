"""Certificates are requested once, recognised, waited for, and never confused with those of others."""

from __future__ import annotations

import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._acm.model import is_issued
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError

Json = dict[str, t.Any]
OWN = {"slipway:project": "ecs", "Name": "ecs-alb"}
DOMAINS = ["www.example.com", "*.example.com", "example.com"]


@pytest.fixture
def acm(aws: None) -> t.Any:
    return boto3.client("acm")


@pytest.fixture
def issued(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto issues a certificate by itself, after a minute otherwise."""
    monkeypatch.setattr("moto.settings.ACM_VALIDATION_WAIT", 0)


def count(acm: t.Any) -> int:
    return len(acm.list_certificates()["CertificateSummaryList"])


BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)


@pytest.mark.witness("acm_certificate_request")
@BOTH
def test_a_certificate_is_requested_once(acm: t.Any, run: t.Any) -> None:
    predicted = run("acm_certificate_request", check=True, domains=DOMAINS, match_tags=OWN)
    assert (predicted["changed"], predicted["certificate"]["certificate_arn"], count(acm)) == (True, "unknown", 0)
    asked = run("acm_certificate_request", domains=DOMAINS, match_tags=OWN, tags={"team": "shop"})
    again = run(
        "acm_certificate_request", domains=[*DOMAINS[:1], *reversed(DOMAINS[1:])], match_tags=OWN, tags={"team": "shop"}
    )
    assert (asked["changed"], again["changed"], count(acm)) == (True, False, 1)
    assert again["certificate"]["certificate_arn"] == asked["certificate"]["certificate_arn"]
    assert asked["certificate"]["tags"] == {**OWN, "team": "shop"}


@BOTH
def test_it_returns_the_records(run: t.Any, acm: t.Any) -> None:
    records = run("acm_certificate_request", domains=DOMAINS, match_tags=OWN)["certificate"]["validation_records"]
    assert {record["type"] for record in records} == {"CNAME"}
    assert all(record["name"].endswith("example.com") for record in records)
    assert len({record["name"] for record in records}) == len(records)


def test_other_domains_are_another_certificate(run: t.Any, acm: t.Any) -> None:
    one = run("acm_certificate_request", domains=DOMAINS, match_tags=OWN)
    two = run("acm_certificate_request", domains=DOMAINS[:1], match_tags=OWN)
    assert two["changed"]
    assert one["certificate"]["certificate_arn"] != two["certificate"]["certificate_arn"]


def test_one_of_others_is_not_taken(run: t.Any, acm: t.Any) -> None:
    acm.request_certificate(DomainName=DOMAINS[0])
    assert run("acm_certificate_request", domains=DOMAINS[:1], match_tags=OWN)["changed"]
    assert count(acm) == 2


def test_tags_are_changed(run: t.Any, acm: t.Any) -> None:
    arn = run("acm_certificate_request", domains=DOMAINS, match_tags=OWN, tags={"a": "1"})["certificate"][
        "certificate_arn"
    ]
    changed = run("acm_certificate_request", domains=DOMAINS, match_tags=OWN, tags={"b": "2"})
    assert changed["diff"] == {"before": {"tags": {"a": "1"}}, "after": {"tags": {"b": "2"}}}
    tags = {tag["Key"]: tag["Value"] for tag in acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]}
    assert tags == {**OWN, "b": "2"}


@pytest.mark.usefixtures("issued")
def test_it_is_waited_for(run: t.Any, acm: t.Any) -> None:
    result = run("acm_certificate_request", domains=DOMAINS, match_tags=OWN, wait=True)
    assert result["certificate"]["status"] == "ISSUED"


def test_one_that_is_not_issued_in_time_is_an_error(run: t.Any, acm: t.Any) -> None:
    result = run("acm_certificate_request", domains=DOMAINS, match_tags=OWN, wait=True, wait_timeout=1)
    assert (result["failed"], result["code"]) == (True, "timeout")
    assert result["certificate"]["status"] == "PENDING_VALIDATION"
    assert result["certificate"]["validation_records"]


def test_one_that_aws_does_not_issue_is_an_error(run: t.Any, acm: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(certificate: t.Any) -> None:
        certificate.status = "FAILED"

    monkeypatch.setattr("moto.acm.models.CertBundle.check", fail)
    result = run("acm_certificate_request", domains=DOMAINS, match_tags=OWN, wait=True)
    assert (result["failed"], result["code"]) == (True, "not_issued")


def test_why_aws_does_not_issue_one_is_reported() -> None:
    answer = {"CertificateArn": "arn:1", "DomainName": "example.com", "Status": "FAILED", "FailureReason": "CAA_ERROR"}
    with pytest.raises(SlipwayError, match="FAILED, CAA_ERROR") as raised:
        is_issued(answer)
    assert raised.value.details["certificate"]["failure_reason"] == "CAA_ERROR"


@pytest.mark.parametrize(
    "domains", [[], ["localhost"], ["http://example.com"], ["a.*.example.com"], ["-a.example.com"]]
)
def test_what_is_no_domain_is_refused(run: t.Any, acm: t.Any, domains: list[str]) -> None:
    result = run("acm_certificate_request", domains=domains, match_tags=OWN)
    assert (result["code"], count(acm)) == ("invalid_option", 0)
