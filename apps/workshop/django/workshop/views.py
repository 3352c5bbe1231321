"""The page."""

from __future__ import annotations

import logging
from socket import gethostname

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workshop import __version__, ecs
from workshop.models import Counter

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Count the visit and say who answered."""
    task, problem = None, ""
    try:
        task = ecs.current_task()
    except ecs.MetadataError as error:
        problem = str(error)
        logger.warning("ECS metadata: %s", error)
    context = {
        "task": task,
        "problem": problem,
        "stops": route(request),
        "shared": connection.vendor != "sqlite",
        "visits": Counter.increment("visits"),
        "host": gethostname(),
        "version": __version__,
    }
    return render(request, "home.html", context)


def route(request: HttpRequest) -> list[str]:
    """The stops of this request by the headers that each adds."""
    stops = {
        "Browser": True,
        "Load balancer": "X-Amzn-Trace-Id" in request.headers,
        "nginx": "X-Real-IP" in request.headers,
        "Django": True,
        connection.display_name: True,
    }
    return [name for name, passed in stops.items() if passed]
