"""How gunicorn serves the workshop. It reads this file from its working directory."""

from __future__ import annotations

import os
import sys
from typing import Any

wsgi_app = "workshop.wsgi"
# nginx asks on 127.0.0.1, the only peer whose X-Forwarded-Proto gunicorn believes. Port 8000 stays inside: the tasks'
# security group lets the load balancer reach nginx alone.
bind = "0.0.0.0:8000"
# A quarter of a CPU: one process, a few threads. WEB_CONCURRENCY sets more processes.
threads = 4
# Memory, not disk: writable under a read-only root, and the heartbeat never waits for a disk.
worker_tmp_dir = "/dev/shm"
# After SIGTERM, running requests may take this long. Shorter than the 30 s that ECS waits before SIGKILL.
graceful_timeout = 20


def on_starting(_server: Any) -> None:
    """Bring the database up to date, once, before any worker starts."""
    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.db import Error, connection, connections

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "workshop.settings")
    try:
        django.setup()
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":  # which other tasks may be about to migrate as well
                cursor.execute("SELECT pg_advisory_lock(hashtext('workshop.migrate'))")
            call_command("migrate", interactive=False)
    except ImproperlyConfigured as error:
        sys.exit(f"workshop cannot start: {error}")
    except Error as error:
        sys.exit(f"workshop cannot start: database {settings.DATABASES['default']['NAME']}: {error}")
    # Workers are forks: none may inherit an open connection. The lock goes with it.
    connections.close_all()
