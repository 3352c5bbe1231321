"""Health checks, answered before Django looks at the Host header."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]


def answer_health_checks(get_response: Handler) -> Handler:
    """Load balancers request /healthz by IP address, a name that ALLOWED_HOSTS rightly refuses.

    The answer says that this process works. It leaves the database out: when a shared database fails, replacing every
    task mends nothing.
    """

    def handler(request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        return get_response(request)

    return handler
