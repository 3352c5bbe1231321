"""Asks a page at a bounded rate for a while, and tells how many requests failed and how.

`python tests/load.py URL --seconds 60 --rate 20` prints a line of JSON. What is asked of it is what a visitor would
notice: an answer with status 200 within the time limit.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import time
import urllib.error
import urllib.request

TIME_LIMIT = 5.0
# Enough for every request of a second to take as long as it may.
WORKERS = 100


def ask(url: str, host: str) -> str:
    """ "" for a good answer, else what was wrong with it."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=TIME_LIMIT) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        return f"status {error.code}"
    except OSError as error:
        return type(getattr(error, "reason", error)).__name__
    return ""


def load(url: str, host: str, seconds: float, rate: float) -> dict[str, object]:
    """Ask `rate` times a second, on schedule, whatever the answers take."""
    start = time.monotonic()
    futures = []
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for number in range(int(seconds * rate)):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            futures.append((time.monotonic() - start, pool.submit(ask, url, host)))
    failures = [(round(at, 1), wrong) for at, future in futures if (wrong := future.result())]
    return {
        "requests": len(futures),
        "failed": len(failures),
        "share": len(failures) / len(futures),
        "reasons": dict(collections.Counter(wrong for _at, wrong in failures)),
        "first": failures[:5],
        "last": failures[-5:],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--host", default="", help="the Host header, where the URL names only an address")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20, help="requests a second")
    options = parser.parse_args()
    print(json.dumps(load(options.url, options.host, options.seconds, options.rate)))


if __name__ == "__main__":
    main()
