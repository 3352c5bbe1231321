"""What differs between a laptop, the local cloud and AWS comes from the environment."""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def listed(variable: str, default: str = "") -> list[str]:
    """The comma-separated values of an environment variable."""
    return [value.strip() for value in os.environ.get(variable, default).split(",") if value.strip()]


DEBUG = os.environ.get("DEBUG", "").lower() in ("1", "true", "yes")

# Never made up here: each task would have a key of its own, and refuse what the others signed.
SECRET_KEY = os.environ.get("SECRET_KEY") or ("for debugging only" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Give all tasks the same long random value (on ECS: `secrets` in the task "
        "definition), or set DEBUG=1 on your own machine."
    )

# The load balancer's names. Its health checks come with an IP address instead: see middleware.py.
ALLOWED_HOSTS = listed("ALLOWED_HOSTS", "localhost,127.0.0.1")
# Forms need this only where a browser's port or scheme does not arrive here, as in https://shop.example:8443.
CSRF_TRUSTED_ORIGINS = listed("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = ["workshop"]
ROOT_URLCONF = "workshop.urls"
MIDDLEWARE = [
    "workshop.middleware.answer_health_checks",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]


def database() -> dict[str, object]:
    """PostgreSQL, which all tasks share, where DATABASE_HOST names one; otherwise a file, which each task has alone."""
    host = os.environ.get("DATABASE_HOST", "")
    if not host:
        path = os.environ.get("DATABASE_PATH", str(Path(__file__).resolve().parents[1] / "workshop.sqlite3"))
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": path}
    password = os.environ.get("DATABASE_PASSWORD", "")
    if not password:
        raise ImproperlyConfigured("DATABASE_PASSWORD is not set, and DATABASE_HOST is.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": host,
        "PORT": os.environ.get("DATABASE_PORT", "5432"),
        "NAME": os.environ.get("DATABASE_NAME", "workshop"),
        "USER": os.environ.get("DATABASE_USER", "workshop"),
        "PASSWORD": password,
        # A connection is kept for a minute, and opened again after the database was replaced.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5},
    }


DATABASES = {"default": database()}

# nginx serves these, from its own image.
STATIC_URL = "/static/"
# Without it Django moves the process, and so the times in the logs, to Chicago.
TIME_ZONE = "UTC"
USE_TZ = True

# Django writes nothing to the console unless DEBUG is on; ECS collects what a container prints.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
