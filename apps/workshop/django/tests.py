"""Tests of the application: `DEBUG=1 python3 manage.py test`, here or in its image."""
# ruff: noqa: PT009, PT027 (Django brings tests of unittest's form)

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from unittest.mock import patch

from django.core.management import call_command
from django.test import SimpleTestCase, TestCase, override_settings
from workshop import ecs

TASK_ID = "9781c248fb1e4a13a6b94d0f0dc1f6a2"
IMAGE = f"000000000000.dkr.ecr.ap-northeast-2.amazonaws.com/workshop-django@sha256:{'5f2c9a7be1d0' * 5}abcd"
ANSWERS = {
    "/v4/token": {"Name": "django", "Image": IMAGE},
    "/v4/token/task": {
        "TaskARN": f"arn:aws:ecs:ap-northeast-2:000000000000:task/ecs/{TASK_ID}",
        "Family": "workshop",
        "Revision": "7",
        "AvailabilityZone": "ap-northeast-2a",
    },
}


@contextmanager
def metadata_endpoint(answers: dict[str, object]) -> Iterator[None]:
    """A real HTTP server in the place of the container agent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in answers else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answers.get(self.path)).encode())

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/v4/token"
    try:
        with patch.dict(os.environ, {ecs.ADDRESS_VARIABLE: address}):
            yield
    finally:
        server.shutdown()
        server.server_close()


def without_ecs() -> object:
    """An environment in which nothing speaks of ECS."""
    return patch.dict(os.environ, {k: v for k, v in os.environ.items() if k != ecs.ADDRESS_VARIABLE}, clear=True)


class Page(TestCase):
    def setUp(self) -> None:
        environment = without_ecs()
        environment.start()
        self.addCleanup(environment.stop)

    def test_counts_each_visit(self) -> None:
        for visits in (1, 2, 3):
            self.assertContains(self.client.get("/"), f'<strong id="visits">{visits}</strong>', html=True)

    def test_is_never_cached(self) -> None:
        self.assertIn("no-store", self.client.get("/").headers["Cache-Control"])

    def test_takes_no_form(self) -> None:
        with self.assertLogs("django.request", "WARNING"):
            self.assertEqual(self.client.post("/").status_code, 405)

    def test_outside_ecs_says_so(self) -> None:
        page = self.client.get("/")
        self.assertContains(page, '<dd id="task">not on ECS</dd>', html=True)
        self.assertNotContains(page, 'id="revision"')

    def test_on_ecs_shows_task_and_revision(self) -> None:
        with metadata_endpoint(ANSWERS):
            page = self.client.get("/")
        self.assertContains(page, f'<dd id="task" class="mark">{TASK_ID}</dd>', html=True)
        self.assertContains(page, '<dd id="revision">workshop:7</dd>', html=True)
        self.assertContains(page, "workshop-django@sha256:5f2c9a7be1d0<")
        self.assertContains(page, "ap-northeast-2a")

    def test_silent_metadata_is_said_and_the_page_still_works(self) -> None:
        for answers in ({}, {path: [] for path in ANSWERS}, {path: {} for path in ANSWERS}):
            with self.subTest(answers), metadata_endpoint(answers), self.assertLogs("workshop.views", "WARNING"):
                self.assertContains(self.client.get("/"), '<dd id="task">unknown</dd>', html=True)

    def test_shows_the_stops_that_left_a_header(self) -> None:
        page = self.client.get("/", headers={"X-Amzn-Trace-Id": "Root=1", "X-Real-IP": "192.0.2.1"})
        self.assertEqual(page.context["stops"], ["Browser", "Load balancer", "nginx", "Django", "SQLite"])
        self.assertEqual(self.client.get("/").context["stops"], ["Browser", "Django", "SQLite"])

    def test_a_database_for_all_tasks_is_said(self) -> None:
        database = patch("workshop.views.connection", display_name="PostgreSQL", vendor="postgresql")
        with database, metadata_endpoint(ANSWERS):
            page = self.client.get("/")
        self.assertEqual(page.context["stops"], ["Browser", "Django", "PostgreSQL"])
        self.assertContains(page, "all share one database")
        self.assertNotContains(page, "to this task")


class Database(TestCase):
    def test_migrations_make_what_the_models_say(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


class Metadata(SimpleTestCase):
    def test_is_read_once(self) -> None:
        answers = dict(ANSWERS)
        with metadata_endpoint(answers):
            first = ecs.current_task()
            answers.clear()
            self.assertEqual(ecs.current_task(), first)

    def test_is_asked_again_after_a_failure(self) -> None:
        answers: dict[str, object] = {}
        with metadata_endpoint(answers):
            self.assertRaises(ecs.MetadataError, ecs.current_task)
            answers.update(ANSWERS)
            task = ecs.current_task()
        self.assertEqual(task and task.id, TASK_ID)


class Hosts(SimpleTestCase):
    @override_settings(ALLOWED_HOSTS=["shop.example"])
    def test_foreign_names_are_refused(self) -> None:
        with self.assertLogs("django.security.DisallowedHost", "ERROR"):
            self.assertEqual(self.client.get("/", headers={"Host": "evil.example"}).status_code, 400)

    @override_settings(ALLOWED_HOSTS=["shop.example"])
    def test_health_checks_come_with_any_name(self) -> None:
        answer = self.client.get("/healthz", headers={"Host": "10.0.1.17:8080"})
        self.assertEqual((answer.status_code, answer.content), (200, b"ok\n"))


class Process(SimpleTestCase):
    """What one process alone cannot show."""

    def run_python(self, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parent,
            env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "workshop.settings"} | environment,
            capture_output=True,
            check=False,
            text=True,
        )

    def test_no_secret_key_no_start(self) -> None:
        result = self.run_python("import workshop.settings")
        self.assertEqual(result.returncode, 1)
        self.assertIn("SECRET_KEY is not set", result.stderr)

    def test_postgresql_is_what_the_environment_names(self) -> None:
        show = "from workshop.settings import DATABASES; import json; print(json.dumps(DATABASES['default']))"
        environment = {"SECRET_KEY": "test", "DATABASE_HOST": "database.ecs.internal"}
        refused = self.run_python(show, **environment)
        self.assertIn("DATABASE_PASSWORD is not set", refused.stderr)
        environment |= {"DATABASE_PASSWORD": "for this test"}
        shown = json.loads(self.run_python(show, **environment).stdout)
        self.assertEqual(shown["ENGINE"], "django.db.backends.postgresql")
        self.assertEqual(
            [shown[name] for name in ("HOST", "PORT", "NAME")], ["database.ecs.internal", "5432", "workshop"]
        )

    def test_no_visit_is_lost_when_processes_count_at_once(self) -> None:
        prepare = (
            "import django; django.setup(); from django.core.management import call_command as run; run('migrate')"
        )
        count = (
            "import django; django.setup(); from workshop.models import Counter\n"
            "for _ in range(25): last = Counter.increment('visits')\nprint(last)"
        )
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
            environment = {"SECRET_KEY": "test", "DATABASE_PATH": f"{folder}/test.sqlite3"}
            # Migrating twice is migrating once.
            for __ in range(2):
                self.assertEqual(self.run_python(prepare, **environment).returncode, 0)
            runs = list(pool.map(lambda __: self.run_python(count, **environment), range(4)))
        self.assertEqual([run.returncode for run in runs], [0] * 4, runs)
        self.assertEqual(max(int(run.stdout) for run in runs), 100)
