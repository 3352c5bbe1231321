# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No value of a secret gets out of a Compose file, and containers get the same secret where they had the same value."""

from __future__ import annotations

import pytest

from .conftest import Convert

STACK = """
    services:
      web:
        image: app:1
        environment:
          DB_PASSWORD: &password ${DB_PASSWORD:-s3cret-of-the-database}
          DATABASE_URL: postgres://shop:${DB_PASSWORD:-s3cret-of-the-database}@db:5432/shop
          APP_KEY: base64:c2VjcmV0LW9mLXRoZS1hcHBsaWNhdGlvbg==
          HASH_SALT: salt-of-the-application
          SESSION_SECRET: ${SESSION_SECRET}
          SMTP_PASSWORD: ""
          AWS_SESSION_TOKEN: ${NOBODY_HAS_THIS:-}
          PASSWORD_MIN_LENGTH: 12
      db:
        image: postgres:17
        environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: *password}
"""


def test_values_that_look_like_secrets_are_passed_by_reference(convert: Convert) -> None:
    found = convert(STACK)
    for value in ("s3cret-of-the-database", "c2VjcmV0", "salt-of-the-application"):
        assert value not in str(found)
    assert found.secrets("web").keys() == {"DB_PASSWORD", "DATABASE_URL", "APP_KEY", "HASH_SALT", "SESSION_SECRET"}
    # The same value is the same secret.
    assert found.secrets("web")["DB_PASSWORD"] == found.secrets("db")["POSTGRES_PASSWORD"]
    assert found.secrets("db")["POSTGRES_PASSWORD"] in found.variables["ecs_app_secrets"]
    # An empty value of the file is meant so; a variable without a value is not.
    assert found.environment("web") == {"AWS_SESSION_TOKEN": "", "PASSWORD_MIN_LENGTH": "12", "SMTP_PASSWORD": ""}


def test_a_password_in_an_address_is_that_of_the_other_secret(convert: Convert) -> None:
    found = convert(STACK)
    values = found.variables["ecs_app_secret_values"]
    password, address = (found.secrets("web")[name] for name in ("DB_PASSWORD", "DATABASE_URL"))
    assert values[password] == {"__template__": "{{ compose_db_postgres_password }}"}
    template = "postgres://shop:{{ compose_db_postgres_password | urlencode }}@db.shop.internal:5432/shop"
    assert values[address] == {"__template__": template}
    lookup = "{{ lookup('ansible.builtin.env', 'DB_POSTGRES_PASSWORD', default=undef()) }}"
    assert found.variables["compose_db_postgres_password"] == {"__template__": lookup}
    assert "DB_POSTGRES_PASSWORD" in found.note("environment")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("redis-server --requirepass hunter2hunter2", 'exec redis-server --requirepass "${WEB_REDIS_AUTH}"'),
        ("--requirepass hunter2hunter2 --save 60 1", 'exec redis-server --requirepass "${WEB_REDIS_AUTH}" --save 60 1'),
        ("[sh, -c, \"redis-server --requirepass 'hunter2hunter2'\"]", 'redis-server --requirepass "${WEB_REDIS_AUTH}"'),
        ("redis-server --masterauth=hunter2hunter2", 'exec redis-server --masterauth="${WEB_REDIS_AUTH}"'),
    ],
)
def test_a_password_in_a_command_comes_from_a_variable(convert: Convert, command: str, expected: str) -> None:
    found = convert(f"""
        services:
          web: {{image: "app:1", environment: {{REDIS_AUTH: hunter2hunter2}}}}
          cache:
            image: redis:8
            command: {command}
            healthcheck: {{test: [CMD, redis-cli, -a, hunter2hunter2, ping]}}
    """)
    assert "hunter2" not in str(found)
    cache = found.container("cache")
    assert cache["command"] == ["sh", "-c", expected]
    assert cache["healthCheck"]["command"] == ["CMD-SHELL", 'redis-cli -a "${WEB_REDIS_AUTH}" ping']
    assert found.secrets("cache") == {"WEB_REDIS_AUTH": "web-redis-auth"}
    assert "sh in the image" in found.note("services.cache.command")


def test_a_password_in_a_command_alone_is_a_secret_too(convert: Convert) -> None:
    found = convert("services: {web: {image: 'redis:8', command: redis-server --requirepass short}}")
    assert "short" not in str(found)
    assert found.container()["command"] == ["sh", "-c", 'exec redis-server --requirepass "${WEB_PASSWORD}"']


def test_a_weak_password_is_no_word_of_other_commands(convert: Convert) -> None:
    """Many files have the password postgres for the user postgres."""
    found = convert("""
        services:
          db:
            image: postgres:17
            environment: {POSTGRES_USER: postgres, POSTGRES_PASSWORD: postgres}
            healthcheck: {test: [CMD, pg_isready, -U, postgres]}
    """)
    assert found.container("db")["healthCheck"]["command"] == ["CMD", "pg_isready", "-U", "postgres"]
    assert found.secrets("db") == {"POSTGRES_PASSWORD": "db-postgres-password"}


DERIVED = """
    services:
      web:
        image: app:1
        environment:
          API_TOKEN: tok3n-of-the-shop
          SAME: tok3n-of-the-shop
          HEADER: "Bearer tok3n-of-the-shop"
          SETTINGS: '{"auth": {"key": "tok3n-of-the-shop"}}'
          CONNECTION: "Server=db;Password=tok3n-of-the-shop;User=x"
          OTHER: "Server=db;Password=hidden-elsewhere;User=x"
        labels: {header: Bearer tok3n-of-the-shop}
        logging: {driver: splunk, options: {splunk-url: "https://logs", splunk-token: tok3n-of-the-shop}}
        healthcheck: {test: "curl -H 'Authorization: tok3n-of-the-shop' localhost"}
      worker:
        build: {context: ., args: {HEADER: Bearer tok3n-of-the-shop}}
"""


def test_a_secret_gets_out_nowhere(convert: Convert) -> None:
    """Not in other variables, labels, options of drivers, build arguments and scripts."""
    found = convert(DERIVED)
    assert "tok3n" not in str(found)
    assert "hidden-elsewhere" not in str(found)
    secrets, values = found.secrets(), found.variables["ecs_app_secret_values"]
    assert secrets["SAME"] == secrets["API_TOKEN"]
    token = "{{ compose_web_api_token }}"
    assert values[secrets["HEADER"]] == {"__template__": f"Bearer {token}"}
    assert values[secrets["SETTINGS"]] == {"__template__": f'{{"auth": {{"key": "{token}"}}}}'}
    assert values[secrets["CONNECTION"]] == {"__template__": f"Server=db;Password={token};User=x"}
    assert values[secrets["OTHER"]] == {"__template__": "{{ compose_web_other }}"}
    driver = found.container()["logConfiguration"]
    assert driver["options"] == {"splunk-url": "https://logs"}
    assert driver["secretOptions"] == [{"name": "splunk-token", "valueFrom": secrets["API_TOKEN"]}]
    # A shell replaces nothing in single quotes.
    command = """curl -H 'Authorization: '"${API_TOKEN}" localhost"""
    assert found.container()["healthCheck"]["command"] == ["CMD-SHELL", command]
    assert {"services.web.labels.header", "services.worker.build.args.HEADER"} <= found.places


def test_secrets_that_the_environment_has_are_listed(convert: Convert) -> None:
    found = convert("""
        services: {db: {image: 'postgres:17', secrets: [password]}}
        secrets: {password: {environment: SHOP_PASSWORD}}
    """)
    assert "SHOP_PASSWORD" in found.note("environment")


def test_secrets_of_the_file_are_variables_instead_of_files(convert: Convert) -> None:
    text = """
        services:
          db:
            image: postgres:17
            environment: {POSTGRES_PASSWORD_FILE: /run/secrets/db-password}
            secrets: [db-password, license]
        secrets:
          db-password: {file: ./password.txt}
          license: {environment: LICENSE_OF_SHOP}
    """
    found = convert(text, {"password.txt": "hunter2hunter2\n"})
    assert found.secrets("db") == {"LICENSE": "license", "POSTGRES_PASSWORD": "db-password"}
    assert found.environment("db") == {}
    values = found.variables["ecs_app_secret_values"]
    assert values["db-password"]["__template__"] == (
        "{{ lookup('ansible.builtin.file', compose_directory ~ '/password.txt') }}"
    )
    assert "LICENSE_OF_SHOP" in values["license"]["__template__"]
    assert "/run/secrets/license" in found.note("services.db.secrets.license")
    assert "hunter2" not in str(found)


def test_configs_become_a_note_with_the_dockerfile(convert: Convert) -> None:
    found = convert("""
        services: {web: {image: "nginx:1.29", configs: [{source: site, target: /etc/nginx/conf.d/site.conf}]}}
        configs: {site: {content: "server {}"}}
    """)
    assert "FROM nginx:1.29, then COPY the file to /etc/nginx/conf.d/site.conf" in found.note(
        "services.web.configs.site"
    )


def test_text_with_braces_stays_text(convert: Convert) -> None:
    found = convert("services: {web: {image: 'app:1', environment: {TITLE: 'Hello {{ friends }}'}}}")
    assert found.environment() == {"TITLE": "Hello {{ friends }}"}
