"""Prints the content of the workshop's page and registry as JSON: `tests/read_site.py <endpoint> <host>`.

It requests the page ten times, so that each of two tasks answers.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.request

REPOSITORIES = ("webapp", "workshop-nginx", "workshop-django")


def read(url: str, **headers: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return str(answer.read().decode())


def texts(pages: list[str], identity: str) -> list[str]:
    """The texts of the element with that id, each once."""
    found = (re.search(f'id="{identity}"[^>]*>([^<]+)<', page) for page in pages)
    return sorted({match[1] for match in found if match})


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    endpoint, host = sys.argv[1:]
    pages = [read(f"{endpoint}/", Host=host) for _time in range(10)]
    images = {name: json.loads(read(f"{endpoint}/v2/{name}/tags/list"))["tags"] for name in REPOSITORIES}
    site = {"text": pages[0], "revisions": texts(pages, "revision"), "tasks": texts(pages, "task"), "images": images}
    print(json.dumps(site))


if __name__ == "__main__":
    main()
