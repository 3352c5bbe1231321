# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the report says, and that its page is self-contained, escaped, accessible and without secrets."""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
import typing as t
from html.parser import HTMLParser

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.report import Page, page, summary
from ansible_collections.slipway.aws.plugins.plugin_utils.report_html import TEMPLATES, rendered
from ansible_collections.slipway.aws.tests.report_sites import NOW, UNKNOWN, Site, answer

Json = dict[str, t.Any]
HOSTILE = "<script>alert('1')</script>"


def of(site: Site, unknown: t.Sequence[Json] = (), endpoint: str = "") -> Page:
    return page("shop", answer(site, unknown), datetime.datetime.fromisoformat(NOW), "0.2.0", endpoint)


def html(site: Site, unknown: t.Sequence[Json] = ()) -> str:
    return rendered(of(site, unknown))


class Elements(HTMLParser):
    """The elements of a page, with their attributes, and its text without styles and scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._inside):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


# What it says


@pytest.mark.parametrize(
    ("site", "unknown", "verdict"),
    [
        (Site(), [], "All 2 services are stable"),
        (Site(services=1), [], "The service is stable"),
        (Site(services=3, troubled=frozenset({"web"})), [], "1 of 3 services needs attention"),
        (Site(), [UNKNOWN], "Parts of the project could not be read"),
        (Site(tasks=0), [], "All 2 services are stopped"),
        (Site(services=0, clusters=()), [], "No services"),
    ],
)
def test_the_verdict_is_the_worst_that_is_known(site: Site, unknown: list[Json], verdict: str) -> None:
    assert of(site, unknown).verdict == verdict


def test_an_empty_project_has_a_page() -> None:
    empty = Site(services=0, clusters=(), balanced=False, owned_network=False, docker_host=False)
    assert of(empty).verdict in {"No services", "No resources"}
    assert "This project has no services" in Elements(html(empty)).text


def test_what_could_not_be_read_is_unknown_and_not_absent() -> None:
    text = Elements(html(Site(services=0, clusters=()), [UNKNOWN])).text
    assert "elasticloadbalancing:DescribeTargetGroups" in text
    assert "as far as it could be read" in text


def test_an_api_that_does_not_exist_here_hides_nothing() -> None:
    assert of(Site(), [UNKNOWN | {"code": "unsupported"}]).verdict == "All 2 services are stable"


def test_figures_are_those_of_the_project() -> None:
    facts = {fact.label: (fact.value, fact.note) for fact in of(Site(tasks=3)).facts}
    assert facts["Services"] == ("2", "2 stable")
    assert facts["Tasks"] == ("6 of 6", "running of desired")
    assert facts["Last release"] == ("1 day ago", "succeeded")
    assert facts["Drift"] == ("Unknown", "no record")
    assert facts["Cost"][0].startswith("$")


def test_equal_events_are_counted() -> None:
    site = answer(Site(services=1))
    service = next(one for one in site["resources"] if one["kind"] == "service")
    steady = "(service web) has reached a steady state."
    service["details"]["events"] = [
        {"createdAt": f"2026-11-28T{hour:02}:00:00+00:00", "message": steady} for hour in range(9, 0, -1)
    ]
    found = page("shop", site, datetime.datetime.fromisoformat(NOW), "0.2.0").events
    assert [(one.text, one.number, one.at.hour) for one in found] == [("has reached a steady state.", 9, 9)]


def test_releases_and_events_are_newest_first() -> None:
    found = of(Site(services=4, troubled=frozenset({"web"})))
    assert [one.at for one in found.events] == sorted((one.at for one in found.events), reverse=True)
    assert [one.at for one in found.releases] == sorted((one.at for one in found.releases), reverse=True)


def test_versions_are_in_the_table() -> None:
    text = Elements(html(Site())).text
    for part in ("web:7", "release, v42", "776562776562", "28 Nov 2026, 09:30"):
        assert part in text


def test_the_picture_is_described_in_words() -> None:
    description = of(Site()).description
    assert "The internet-facing load balancer shop forwards to web." in description
    assert "Zone ap-northeast-2a, private subnet shop-private-a: 1 task of web, 1 task of worker." in description


def test_the_local_cloud_costs_nothing() -> None:
    assert "The local cloud is free" in rendered(of(Site(), endpoint="http://127.0.0.1:4566"))
    assert "The local cloud is free" not in html(Site())


def test_the_result_is_short() -> None:
    found = summary(of(Site(troubled=frozenset({"web"})), [UNKNOWN]))
    assert found["attention"] == ["web"]
    assert found["unknown"] == ["elasticloadbalancing:DescribeTargetGroups"]
    assert found["month"] > 100


# Drift


def drift(*resources: Json, unknown: t.Sequence[Json] = ()) -> Json:
    """As project_drift computes it."""
    record = {"at": "2026-11-28T09:00:00Z", "by": "anna", "collection": "0.2.0", "proven": True}
    found = {"resources": list(resources), "unchanged": ["VPC vpc-1"], "unknown": list(unknown)}
    return {"result": "drift", **found, "records": {"ecs_app": record}}


def changed(member: str, recorded: t.Any, actual: t.Any) -> Json:
    members = [{"member": member, "recorded": recorded, "actual": actual, "masked": False}]
    remedy = "Rerun site.yml --tags service."
    return {"kind": "service", "name": "web", "drift": "changed", "remedy": remedy, "members": members}


def with_drift(found: Json) -> str:
    read = answer(Site()) | {"drift": found}
    return rendered(page("shop", read, datetime.datetime.fromisoformat(NOW), "0.2.0"))


def test_drift_names_member_record_and_remedy() -> None:
    text = Elements(with_drift(drift(changed("desiredCount", 2, 5)))).text
    assert "1 resource" in text
    assert re.search(r"desiredCount 2 5\s*Rerun site.yml --tags service.", text)


def test_without_drift_the_report_says_so() -> None:
    assert "None: 1 resource as the last run left it." in Elements(with_drift(drift())).text


def test_drift_that_cannot_be_compared_is_unknown() -> None:
    text = Elements(with_drift(drift(unknown=[{"message": "The role ecs_app cannot be compared."}]))).text
    assert "The role ecs_app cannot be compared." in text
    assert "as the last run left" not in text


def test_drift_hides_environment_and_escapes_values() -> None:
    hidden = changed("containerDefinitions[web].environment[TOKEN]", "old-secret", "new-secret")
    text = with_drift(drift(hidden, changed("tags.team", "", HOSTILE)))
    assert "environment[TOKEN]" in text
    assert "old-secret" not in text
    assert "new-secret" not in text
    assert HOSTILE not in text


# Its page

SITES = {
    "two services": Site(),
    "fifty services": Site(services=50, zones=3, tasks=3, clusters=("shop", "office"), troubled=frozenset({"web"})),
    "hostile names": Site(names=(HOSTILE, '" onload="alert(1)', "{{ 7 * 7 }}", "&amp;")),
    "nothing": Site(services=0, clusters=(), balanced=False, owned_network=False, docker_host=False),
}
every_site = pytest.mark.parametrize("site", SITES.values(), ids=SITES)


@every_site
def test_nothing_comes_from_elsewhere(site: Site) -> None:
    elements = Elements(html(site, [UNKNOWN]))
    assert [attributes for _tag, attributes in elements.found if "src" in attributes] == []
    assert elements.all("link") == [{"rel": "icon", "href": "data:,"}]
    assert {"iframe", "img", "object", "embed", "base", "form"} & {tag for tag, _attributes in elements.found} == set()
    for attributes in elements.all("use"):
        assert str(attributes["href"]).startswith("#mark-")
    css = (TEMPLATES / "report.css").read_text()
    assert "url(" not in css
    assert "@import" not in css


@every_site
def test_the_policy_allows_our_style_and_script_alone(site: Site) -> None:
    text = html(site)
    (policy,) = [str(one["content"]) for one in Elements(text).all("meta") if "Policy" in str(one.get("http-equiv"))]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


@every_site
def test_no_value_becomes_markup(site: Site) -> None:
    elements = Elements(html(site))
    assert len(elements.all("script")) == 1
    handlers = {name for _tag, attributes in elements.found for name in attributes if name.startswith("on")}
    assert handlers == set()
    for name in site.all_names():
        assert name in elements.text


def test_no_link_runs_a_script() -> None:
    elements = Elements(html(SITES["hostile names"]))
    assert {str(one["href"]).partition(":")[0] for one in elements.all("a") if ":" in str(one["href"])} <= {
        "http",
        "https",
    }


@every_site
def test_environment_and_secrets_are_not_shown(site: Site) -> None:
    assert "not-for-the-report" not in html(site)


@every_site
def test_pictures_have_titles_and_landmarks_exist(site: Site) -> None:
    elements = Elements(html(site))
    ids = {attributes["id"] for _tag, attributes in elements.found if "id" in attributes}
    named = [one for one in elements.all("svg") if one.get("role")]
    assert named
    for picture in named:
        assert set(str(picture["aria-labelledby"]).split()) <= ids
    assert all(one.get("role") or one.get("aria-hidden") == "true" for one in elements.all("svg"))
    assert [len(elements.all(tag)) for tag in ("main", "footer", "h1")] == [1, 1, 1]
    assert all(str(one["aria-labelledby"]) in ids for one in elements.all("section"))
    assert elements.all("html") == [{"lang": "en"}]
    assert all(one.get("scope") for one in elements.all("th"))


# Contrast


def themes() -> dict[str, dict[str, str]]:
    """The colours of the style sheet by name, in light, in dark and on paper."""
    light, dark, paper = (
        dict(re.findall(r"--(\w+): (#\w+)", block))
        for block in re.findall(r":root \{(.*?)\}", (TEMPLATES / "report.css").read_text(), re.DOTALL)
    )
    return {"light": light, "dark": dark, "paper": paper}


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark", "paper"])
def test_contrast_is_sufficient(theme: str) -> None:
    colours = themes()[theme]
    for name in ("text", "quiet", "accent", "ok", "waiting", "bad", "unknown"):
        for ground in ("page", "panel", "raised", "tint"):
            first, second = sorted((luminance(colours[name]), luminance(colours[ground])))
            assert (second + 0.05) / (first + 0.05) >= 4.5, f"{name} on {ground}"
