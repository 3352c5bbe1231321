# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._core.masking import (
    MASK,
    is_secret,
    mask,
    mask_command,
    secrets_in,
)

SECRET = "hunter2-h7x"


@pytest.mark.parametrize(
    "name",
    [
        "PASSWORD",
        "DB_PASSWORD",
        "PGPASSWORD",
        "dbPassword",
        "MYSQL_PWD",
        "SMTP_PASS",
        "SECRET",
        "DJANGO_SECRET_KEY",
        "SECRET_KEY_BASE",
        "AWS_SECRET_ACCESS_KEY",
        "API_KEY",
        "apiKey",
        "STRIPE_APIKEY",
        "GITHUB_TOKEN",
        "TOKEN2",
        "PRIVATE_KEY",
        "ENCRYPTION_KEY",
        "SERVICE_CREDENTIALS",
        "splunk-token",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name, SECRET)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD_MIN_LENGTH", "12"),
        ("POSTGRES_PASSWORD_FILE", "/run/secrets/x"),
        ("TOKEN_EXPIRY_SECONDS", "60"),
        ("TOKEN_URL", "https://id.example/token"),
        ("SECRET_ARN", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x"),
        ("DB_SECRET", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x"),
        ("AWS_ACCESS_KEY_ID", "AKIA"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/google/key.json"),
        ("CORS_ALLOW_CREDENTIALS", "true"),
        ("MAX_TOKENS", "4096"),
        ("TOKENIZERS_PARALLELISM", "4"),
        ("STRIPE_PUBLIC_TOKEN", "pk"),
        ("COMPASS", "north"),
        ("KEYBOARD", "de"),
        ("MONKEY", "x"),
        ("DB_PASSWORD", ""),
        ("DATABASE_URL", "postgres://shop@db/shop"),
        ("DATABASE_URL", "postgres://shop:$(PASSWORD)@db/shop"),
        ("HOME_URL", "https://shop.example:8443/@me"),
        ("TZ", "Europe/Berlin"),
    ],
)
def test_what_is_no_secret(name: str, value: str) -> None:
    assert not is_secret(name, value)


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (f"postgres://shop:{SECRET}@db:5432/shop", f"postgres://shop:{MASK}@db:5432/shop"),
        (f"redis://:{SECRET}@cache", f"redis://:{MASK}@cache"),
        (f"Server=db;User Id=shop;Password={SECRET};", f"Server=db;User Id=shop;Password={MASK};"),
    ],
)
def test_a_password_inside_of_a_value_is_hidden_and_the_rest_is_kept(value: str, masked: str) -> None:
    given = {"environment": [{"name": "DATABASE_URL", "value": value}]}
    assert mask(given) == {"environment": [{"name": "DATABASE_URL", "value": masked}]}
    assert mask(mask(given)) == mask(given)


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        (["serve", f"--password={SECRET}"], ["serve", f"--password={MASK}"]),
        (["serve", "--api-key", SECRET, "--fast"], ["serve", "--api-key", MASK, "--fast"]),
        (["env", f"PGPASSWORD={SECRET}", "psql"], ["env", f"PGPASSWORD={MASK}", "psql"]),
        (["psql", f"postgres://a:{SECRET}@db"], ["psql", f"postgres://a:{MASK}@db"]),
        (["serve", "--token", "--fast"], ["serve", "--token", "--fast"]),
        (["serve", "--port=80", 8080], ["serve", "--port=80", 8080]),
        # A template names a variable, and is no secret itself.
        (["serve", "--token", {"__template__": "{{ token }}"}], ["serve", "--token", {"__template__": "{{ token }}"}]),
    ],
)
def test_commands(words: list[t.Any], masked: list[t.Any]) -> None:
    assert mask_command(words) == masked


def container(name: str, password: str, **members: t.Any) -> dict[str, t.Any]:
    return {"name": name, "environment": [{"name": "PASSWORD", "value": password}], **members}


def test_a_diff_shows_that_a_secret_changed_and_neither_value() -> None:
    before = {"container_definitions": [container("a", "one-h7x"), container("b", "two-h7x")]}
    after = {"container_definitions": [container("a", "two-h7x"), container("b", "one-h7x")]}
    masked = mask({"diff": [{"before": before, "after": after}]})
    assert "h7x" not in json.dumps(masked)
    (diff,) = masked["diff"]
    assert [one["environment"][0]["value"] for one in diff["before"]["container_definitions"]] == [MASK, MASK]
    changed = f"{MASK} (changed)"
    assert [one["environment"][0]["value"] for one in diff["after"]["container_definitions"]] == [changed, changed]


def test_a_diff_shows_a_changed_password_of_a_command() -> None:
    masked = mask({"before": {"command": ["a", "--password=one"]}, "after": {"command": ["a", "--password=two"]}})
    assert masked["after"]["command"] == ["a", f"--password={MASK} (changed)"]


def test_a_kept_or_new_secret_is_not_called_changed() -> None:
    after = {"environment": [{"name": "PASSWORD", "value": "one"}, {"name": "TOKEN", "value": "new"}]}
    masked = mask({"before": {"environment": [{"name": "PASSWORD", "value": "one"}]}, "after": after})
    assert [one["value"] for one in masked["after"]["environment"]] == [MASK, MASK]


def test_maps_are_masked_by_their_keys() -> None:
    given = {"environment": {"SMTP_PASSWORD": SECRET, "LEVEL": "info"}}
    assert mask(given) == {"environment": {"SMTP_PASSWORD": MASK, "LEVEL": "info"}}
    given = {"logConfiguration": {"options": {"splunk-token": SECRET, "splunk-url": "https://x"}}}
    assert mask(given) == {"logConfiguration": {"options": {"splunk-token": MASK, "splunk-url": "https://x"}}}


def test_secrets_are_found_with_their_place_and_without_their_value() -> None:
    definition = {"container_definitions": [container("web", SECRET, command=["a", f"--token={SECRET}"])]}
    found = list(secrets_in(definition))
    assert [name for _where, name in found] == ["PASSWORD", "--token"]
    assert SECRET not in repr(found)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
)


@given(values)
def test_what_holds_no_secret_is_unchanged(value: t.Any) -> None:
    assert mask(value) == value
