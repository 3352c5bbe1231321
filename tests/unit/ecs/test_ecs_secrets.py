# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets are made once, changed where a value is given, never shown, and only our own ones are removed."""

from __future__ import annotations

import json
import typing as t

import boto3
import pytest
import yaml

from ansible_collections.slipway.aws.plugins.modules import ecs_secrets

Json = dict[str, t.Any]
BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
OWN = {"project": "shop"}
OTHERS = {"Key": "project", "Value": "other"}
KEY: Json = {"name": "key", "length": 12}
LEVEL: Json = {"name": "level", "type": "String"}
DATABASE: Json = {"name": "database", "type": "SecretsManager"}


class Vault(t.NamedTuple):
    """Both stores."""

    run: t.Callable[..., Json]
    ssm: t.Any
    manager: t.Any

    def keep(self, *secrets: Json, check: bool = False, values: Json | None = None, **options: t.Any) -> Json:
        given = {"values": json.dumps(values)} if values else {}
        return self.run("ecs_secrets", check, path="/shop/", secrets=secrets, match_tags=OWN, **given, **options)

    def remove(self, check: bool = False, **options: t.Any) -> Json:
        return self.run("ecs_secrets", check, path="/shop/", match_tags=OWN, state="absent", **options)

    def parameters(self) -> dict[str, tuple[str, str]]:
        found = self.ssm.get_parameters_by_path(Path="/", Recursive=True, WithDecryption=True)["Parameters"]
        return {one["Name"]: (one["Type"], one["Value"]) for one in found}

    def secrets(self) -> dict[str, str]:
        names = [secret["Name"] for secret in self.manager.list_secrets()["SecretList"]]
        return {name: self.manager.get_secret_value(SecretId=name)["SecretString"] for name in names}


@pytest.fixture
def vault(run: t.Any) -> Vault:
    return Vault(run, boto3.client("ssm"), boto3.client("secretsmanager"))


@pytest.mark.witness("ecs_secrets")
@BOTH
def test_twelve_steps(vault: Vault) -> None:
    all_three = [KEY, LEVEL, DATABASE]
    first = {"level": "info", "database": {"username": "shop", "password": "one-0123"}}
    second = {"level": "debug", "database": {"password": "two-0123", "username": "shop"}}
    random = ""
    for values in (first, second):
        before = (vault.parameters(), vault.secrets())
        predicted = vault.keep(*all_three, check=True, values=values)
        assert (vault.parameters(), vault.secrets()) == before
        done = vault.keep(*all_three, values=values)
        assert (predicted["changed"], done["changed"]) == (True, True), done
        assert predicted["diff"] == done["diff"]
        assert predicted["secrets"]["database"]["version"] == "unknown"
        kept = vault.parameters()["/shop/key"][1]
        assert len(kept) == 12
        assert random in ("", kept)
        random = kept
        assert vault.parameters()["/shop/level"] == ("String", values["level"])
        assert json.loads(vault.secrets()["shop/database"]) == values["database"]
        for check in (True, False):
            again = vault.keep(*all_three, check=check, values=values)
            assert (again["changed"], again["secrets"]) == (False, done["secrets"])
    assert vault.remove(check=True)["changed"]
    assert len(vault.parameters()) == 2
    assert vault.remove()["changed"]
    assert (vault.parameters(), vault.secrets()) == ({}, {})
    for check in (True, False):
        assert vault.remove(check=check)["changed"] is False


@BOTH
def test_no_value_is_shown(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"key": "seldom-0123", "database": {"password": "seldom-4567"}}
    shown = [vault.keep(KEY, DATABASE, check=check, values=values) for check in (True, False, False)]
    text = json.dumps(shown) + "".join(capsys.readouterr())
    assert "seldom" not in text
    assert "database" in text


@BOTH
def test_what_was_removed_is_restored_as_it_was(vault: Vault) -> None:
    vault.keep(DATABASE)
    random = vault.secrets()["shop/database"]
    vault.remove()
    predicted = vault.keep(DATABASE, check=True)
    done = vault.keep(DATABASE)
    assert (predicted["changed"], done["changed"]) == (True, True)
    assert (vault.secrets(), vault.keep(DATABASE)["changed"]) == ({"shop/database": random}, False)
    vault.remove()
    vault.keep(DATABASE, values={"database": "given-0123"})
    assert vault.secrets() == {"shop/database": "given-0123"}


@BOTH
def test_others_secrets_are_used_and_left_alone(vault: Vault) -> None:
    vault.ssm.put_parameter(Name="/shop/key", Value="mine", Type="SecureString", Tags=[OTHERS])
    vault.ssm.put_parameter(Name="/shared/level", Value="info", Type="String")
    arn = vault.manager.create_secret(Name="shared/database", SecretString="{}", Tags=[OTHERS])["ARN"]
    elsewhere = [KEY, {**LEVEL, "from": "/shared/level"}, {**DATABASE, "from": "shared/database"}]
    used = vault.keep(*elsewhere, {"name": "far", "from": "arn:aws:ssm:eu-west-1:123456789012:parameter/far"})
    assert (used["changed"], used["secrets"]["database"]["value_from"]) == (False, arn)
    assert used["secrets"]["level"]["value_from"] == "/shared/level"
    assert used["secrets"]["far"]["value_from"].startswith("arn:")
    refused = vault.keep(KEY, values={"key": "ours-0123"})
    assert (refused["code"], vault.parameters()["/shop/key"][1]) == ("conflict", "mine")
    assert vault.remove()["changed"] is False
    assert vault.keep({**LEVEL, "from": "/shared/none"})["code"] == "not_found"


@BOTH
def test_tags_follow(vault: Vault) -> None:
    vault.keep(KEY, DATABASE, tags={"team": "shop"})
    changed = vault.keep(KEY, DATABASE, tags={"owner": "shop"})
    assert changed["diff"]["after"] == {"key": {"tags": {"owner": "shop"}}, "database": {"tags": {"owner": "shop"}}}
    tags = vault.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/shop/key")["TagList"]
    assert {tag["Key"] for tag in tags} == {"project", "owner"}
    assert {tag["Key"] for tag in vault.manager.describe_secret(SecretId="shop/database")["Tags"]} == {
        "project",
        "owner",
    }
    assert vault.keep(KEY, DATABASE, tags={"owner": "shop"})["changed"] is False


def test_a_random_value_is_never_read(vault: Vault, calls: list[str]) -> None:
    vault.keep(KEY, DATABASE)
    vault.keep(KEY, DATABASE)
    assert not {"GetParameter", "GetParameters", "GetSecretValue"} & set(calls)


def test_a_key_of_our_own(vault: Vault) -> None:
    key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
    vault.keep(KEY, DATABASE)
    before = vault.parameters()["/shop/key"]
    with_key = [{**KEY, "kms_key_id": key}, {**DATABASE, "kms_key_id": key}]
    assert vault.keep(*with_key)["changed"]
    assert vault.parameters()["/shop/key"] == before
    assert vault.manager.describe_secret(SecretId="shop/database")["KmsKeyId"] == key
    assert vault.keep(*with_key)["changed"] is False


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"secrets": [KEY, KEY]}, "key: expected each name once, got it 2 times"),
        ({"secrets": [KEY], "values": '{"kye": "x"}'}, "kye: expected a secret with this name, got only its value"),
        ({"secrets": [LEVEL]}, "level: expected a value for the type String, got none"),
        (
            {"secrets": [{**KEY, "from": "/x"}], "values": '{"key": "x"}'},
            "key: from: expected no value for an external secret",
        ),
        ({"secrets": [KEY], "values": '{"key": ""}'}, "key: expected a value, got an empty one"),
        (
            {"secrets": [KEY], "values": json.dumps({"key": "x" * 4097})},
            "key: expected a value of at most 4096 bytes for type SecureString, got 4097",
        ),
        (
            {"secrets": [DATABASE], "values": json.dumps({"database": {"key": "ü" * 32768}})},
            "database: expected a value of at most 65536 bytes for type SecretsManager, got 196619",
        ),
        ({"secrets": [KEY], "path": f"/{'x' * 1010}/"}, "key: expected a name of at most 1011 characters, got 1015"),
        ({"secrets": [KEY], "values": '{"key": null}'}, "key: expected a value, got null"),
        ({"secrets": [{"name": "a b"}]}, "a b: name: expected letters, digits and _.- only"),
        ({"secrets": [{**KEY, "length": 0}]}, "key: length: expected 1 to 4096, got another value"),
        ({"recovery_window": 3}, "recovery_window: expected 7 to 30 days, or 0 to delete at once, got 3."),
        ({"path": "//"}, "path: expected a path such as /shop/, got '//'."),
        ({"match_tags": {}}, "match_tags: expected at least one tag, got none."),
    ],
)
def test_what_is_wrong_is_refused(vault: Vault, calls: list[str], options: Json, problem: str) -> None:
    result = vault.run("ecs_secrets", **{"path": "/shop/", "match_tags": OWN, **options})
    assert (result["code"], problem in result["msg"]) == ("invalid_option", True), result["msg"]
    assert calls == []


def test_examples(vault: Vault) -> None:
    made, _shown, gone = yaml.safe_load(ecs_secrets.EXAMPLES)
    values = {"log-level": "info", "database": {"username": "shop", "password": "vault-0123"}}
    for task, given in ((made, {"values": json.dumps(values)}), (gone, {})):
        options = {**task["slipway.aws.ecs_secrets"], **given}
        assert vault.run("ecs_secrets", **options)["changed"], task["name"]
        assert not vault.run("ecs_secrets", **options)["changed"], task["name"]


@BOTH
def test_single_secrets_are_removed_by_name_if_they_are_our_own(vault: Vault) -> None:
    vault.keep(KEY, LEVEL, DATABASE, values={"level": "info"})
    vault.ssm.put_parameter(Name="/shop/theirs", Value="x", Type="String")
    named = [f"/shop/{KEY['name']}", f"shop/{DATABASE['name']}", "/shop/theirs", "/shop/none"]
    predicted = vault.remove(check=True, names=named)
    assert len(vault.parameters()) == 3
    done = vault.remove(names=named, recovery_window=0)
    assert (done["changed"], done["diff"]) == (True, predicted["diff"])
    assert set(vault.parameters()) == {f"/shop/{LEVEL['name']}", "/shop/theirs"}
    assert vault.secrets() == {}
    assert not vault.remove(names=named)["changed"]


@pytest.mark.parametrize("member", ["type", "length", "kms_key_id", "from"])
def test_a_value_in_the_wrong_member_is_refused_and_not_shown(vault: Vault, member: str) -> None:
    result = vault.keep({**KEY, member: "hunter2"})
    assert result["failed"]
    # Newer versions of Ansible add it where -vvv asks for it.
    result.pop("invocation", None)
    assert "hunter2" not in json.dumps(result)
