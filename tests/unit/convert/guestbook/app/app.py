"""Answers with the entries of the guestbook; each request adds one."""

import html
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis

CACHE = redis.Redis.from_url(os.environ["CACHE_URL"], decode_responses=True)


class Guestbook(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = "ok"
        if self.path != "/healthz":
            CACHE.rpush("entries", f"visit {CACHE.incr('visits')}")
            title = html.escape(os.environ["TITLE"])
            text = f"<h1>{title}</h1><p>{', '.join(CACHE.lrange('entries', 0, -1))}</p>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())


ThreadingHTTPServer(("", 8000), Guestbook).serve_forever()
