# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is unmistakably a secret is found wherever it stands, what only resembles one is not, and no value is shown."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import secret_forms
from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import MISPLACED_SECRET
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.masking import MASK, is_secret, mask
from ansible_collections.slipway.aws.tests.secret_values import ACCESS_KEY, PASSWORD, SECRET_KEY, SECRETS

Json = dict[str, t.Any]


def refusal(value: t.Any, *allowed: str) -> str:
    with pytest.raises(SlipwayError) as caught:
        secret_forms.refuse_secrets(value, "", list(allowed))
    assert caught.value.code == MISPLACED_SECRET
    return caught.value.msg


def container(**members: t.Any) -> Json:
    return {"services": [{"name": "shop", "task_definition": {"containerDefinitions": [{"name": "web", **members}]}}]}


def variable(value: str, name: str = "SETTING") -> Json:
    return container(environment=[{"name": "LEVEL", "value": "info"}, {"name": name, "value": value}])


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_refused_with_its_place_and_without_its_value(secret: str) -> None:
    said = refusal(variable(secret))
    place = "services[0] (shop).task_definition.containerDefinitions[0] (web).environment[1] (SETTING).value: "
    assert said.startswith(f"{place}expected no secret, got a")
    assert secret not in said
    assert PASSWORD not in said
    assert SECRET_KEY not in said


@pytest.mark.parametrize("secret", [one for name, one in SECRETS.items() if name != "key of AWS"])
def test_a_secret_in_a_text_is_hidden_in_results(secret: str) -> None:
    shown = mask({"msg": f"AWS says: {secret} is invalid.", "tags": {"owner": secret}})
    assert MASK in shown["msg"]
    assert MASK in shown["tags"]["owner"]
    assert not [word for word in (secret, PASSWORD) if word in repr(shown)]


@pytest.mark.parametrize(
    "where",
    [
        container(command=["serve", SECRETS["GitHub"]]),
        container(entryPoint=["sh", "-c", f"TOKEN={SECRETS['GitHub']} serve"]),
        container(dockerLabels={"token": SECRETS["GitHub"]}),
        container(secrets=[{"name": "TOKEN", "valueFrom": SECRETS["GitHub"]}]),
        container(repositoryCredentials={"credentialsParameter": SECRETS["GitHub"]}),
        container(healthCheck={"command": ["CMD", "curl", f"http://me:{PASSWORD}@localhost"]}),
        {"tags": {"owner": SECRETS["GitHub"]}},
        {"build_args": {"NPM_TOKEN": SECRETS["npm"]}},
        {"overrides": {"containerOverrides": [{"environment": [{"name": "A", "value": SECRETS["GitHub"]}]}]}},
    ],
)
def test_a_secret_is_refused_in_every_place(where: Json) -> None:
    said = refusal(where)
    assert not [one for one in (*SECRETS.values(), PASSWORD) if one in said]


def test_a_key_of_aws_is_refused_beside_its_id_or_under_its_name() -> None:
    pair = [{"name": "ID", "value": ACCESS_KEY}, {"name": "KEY", "value": SECRET_KEY}]
    assert "environment[1] (KEY).value: expected no secret, got an AWS secret access key" in refusal(
        container(environment=pair)
    )
    assert "(AWS_SECRET_ACCESS_KEY)" in refusal(variable(SECRET_KEY, "AWS_SECRET_ACCESS_KEY"))
    assert "build_args.aws_secret_access_key" in refusal({"build_args": {"aws_secret_access_key": SECRET_KEY}})


def test_a_refusal_says_where_the_secret_belongs() -> None:
    token = SECRETS["npm"]
    assert "Store it in Secrets Manager or Parameter Store, and refer to it in `secrets`" in refusal(variable(token))
    # The build has no `secrets`.
    assert "fetch what needs the secret before the build" in refusal({"build_args": {"NPM_TOKEN": token}})


@pytest.mark.parametrize(
    "value",
    [
        "",
        "postgres://shop@db/shop",
        "postgres://shop:$(PASSWORD)@db/shop",
        "postgres://shop:${PASSWORD}@db/shop",
        "postgres://shop:<password>@db/shop",
        f"postgres://shop:{MASK}@db/shop",
        "https://shop.example:8443/@me",
        "git@github.com:shop/shop.git",
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-a1B2c3",
        "shop@sha256:" + "0" * 64,
        "ghp_short",
        "xoxo",
        "sk_live_ of Stripe",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB me@host",
        ACCESS_KEY,
        SECRET_KEY,
        "task_ghp_" + "a1B2" * 9,
        "my_ghp_" + "a1B2" * 9,
        "unknown",
    ],
)
def test_what_is_no_secret_for_certain_is_not_refused(value: str) -> None:
    secret_forms.refuse_secrets(variable(value), "", None)


def test_a_commit_beside_a_key_id_is_not_taken_for_the_key() -> None:
    pair = [
        {"name": "AWS_ACCESS_KEY_ID", "value": ACCESS_KEY},
        {"name": "COMMIT", "value": "0123456789abcdef" * 2 + "01234567"},
    ]
    secret_forms.refuse_secrets(container(environment=pair), "", None)


def test_one_value_can_be_allowed_by_what_the_message_names() -> None:
    two = container(
        environment=[{"name": "URL", "value": SECRETS["address"]}, {"name": "TOKEN", "value": SECRETS["GitHub"]}]
    )
    entry = refusal(two).split("or add '")[1].split("'")[0]
    assert entry == "web.environment.URL"
    assert refusal(two, entry).count("expected no secret") == 1
    secret_forms.refuse_secrets(two, "", [entry, "web.environment.TOKEN"])
    assert "(URL)" in refusal(two, "environment.UR", "RL", "web.environment.TOKEN")


def test_options_for_secrets_and_for_the_connection_may_hold_them() -> None:
    spec = {
        "values": {"no_log": True},
        "aws_config": {},
        "actions": {"options": {"client_secret": {"no_log": True}, "issuer": {}}},
        "tags": {},
    }
    secret = SECRETS["GitHub"]
    given = {"values": secret, "aws_config": {"proxies": {"https": SECRETS["address"]}}, "other": secret}
    secret_forms.refuse_secrets(secret_forms.shown_options(given, spec), "", None)
    nested = {"actions": [{"client_secret": secret, "issuer": "https://id.example"}]}
    secret_forms.refuse_secrets(secret_forms.shown_options(nested, spec), "", None)
    for wrong in ({"actions": [{"issuer": secret}]}, {"tags": {"a": secret}}):
        assert refusal(secret_forms.shown_options(wrong, spec))


def test_names_are_not_needed_to_warn_of_a_token() -> None:
    assert is_secret("SETTING", SECRETS["GitHub"])
