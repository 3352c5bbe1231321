"""Requests a page at a fixed rate while a command runs, and reports how many requests failed and why.

`python tests/load.py URL -- COMMAND …` sends requests from the start of the command to its end, and for `--seconds` at
least. A request succeeds with status 200 within the time limit. The report is a line of JSON, in the file `--report`;
the exit code is the command's.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

TIME_LIMIT = 5.0
# Enough for thirty requests a second that all take the time limit.
WORKERS = 150

Answers = list[tuple[float, concurrent.futures.Future[str]]]


def ask(url: str, host: str) -> str:
    """An empty text if the request succeeds, else why it failed."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=TIME_LIMIT) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        return f"status {error.code}"
    except OSError as error:
        return type(getattr(error, "reason", error)).__name__
    return ""


def ask_while(command: subprocess.Popen[bytes], options: argparse.Namespace) -> Answers:
    """Send requests on schedule, however long answers take; the time of each request, and its answer."""
    start = time.monotonic()
    answers: Answers = []
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        while command.poll() is None or len(answers) < options.seconds * options.rate:
            time.sleep(max(0.0, start + len(answers) / options.rate - time.monotonic()))
            answers.append((time.monotonic() - start, pool.submit(ask, options.url, options.host)))
    return answers


def summary(answers: Answers) -> dict[str, object]:
    failures = [(round(at, 1), wrong) for at, future in answers if (wrong := future.result())]
    return {
        "requests": len(answers),
        "seconds": round(answers[-1][0]),
        "failed": len(failures),
        "share": len(failures) / len(answers),
        "reasons": dict(collections.Counter(wrong for _at, wrong in failures)),
        "first": failures[:5],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("command", nargs="+")
    parser.add_argument("--host", default="", help="the Host header, where the URL names only an address")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20, help="requests a second")
    parser.add_argument("--report", type=Path, required=True)
    options = parser.parse_args()
    with subprocess.Popen(options.command) as command:
        report = summary(ask_while(command, options))
    options.report.write_text(json.dumps(report) + "\n")
    return command.returncode


if __name__ == "__main__":
    sys.exit(main())
