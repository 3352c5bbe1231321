# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of images, and the lines of variables that name base images. Pure."""

from __future__ import annotations

import difflib
import re
import typing as t

# https://github.com/distribution/reference
_IMAGE = re.compile(
    r"(?P<name>[a-z0-9][A-Za-z0-9._:/-]*?)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_HUB, _HUB_HOST = "docker.io", "registry-1.docker.io"
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class Image(t.NamedTuple):
    """An image in a registry; `name` is as it was written, without tag and digest."""

    name: str
    host: str
    repository: str
    tag: str

    @property
    def url(self) -> str:
        local = self.host.partition(":")[0] in {"localhost", "127.0.0.1"}
        return f"{'http' if local else 'https'}://{self.host}/v2/{self.repository}"

    def pinned(self, digest: str) -> str:
        """The digest is what counts; the tag says by which name to renew it."""
        return f"{self.name}:{self.tag}@{digest}"


class Line(t.NamedTuple):
    """A line of a file that names a base image, between `head` and `tail`."""

    number: int
    head: str
    image: str
    tail: str

    def text(self, image: str) -> str:
        return f"{self.head}{image}{self.tail}"


def image(text: str) -> Image | None:
    """What to ask a registry for; None of an image that names a digest and no tag, or is none."""
    found = _IMAGE.fullmatch(text)
    if not found or (found["digest"] and not found["tag"]):
        return None
    first, slash, rest = found["name"].partition("/")
    host, repository = (first, rest) if slash and re.search(r"[.:]|^localhost$", first) else (_HUB, found["name"])
    if host == _HUB:
        repository = repository if "/" in repository else f"library/{repository}"
    return Image(found["name"], _HUB_HOST if host == _HUB else host, repository, found["tag"] or "latest")


def lines(text: str, variables: t.Collection[str]) -> list[Line]:
    """The lines that set one of the variables, also as a member of a list or of a mapping."""
    names = "|".join(map(re.escape, variables))
    pattern = re.compile(
        rf"""(?P<head>(?:.*[{{,]\s*|\s*(?:-\s+)?)(?:{names}):\s+["']?)(?P<image>[^\s"',{{}}#]+)(?P<tail>["']?(?:[\s,}}].*)?)"""
    )
    matches = ((number, pattern.fullmatch(line)) for number, line in enumerate(text.splitlines(), 1))
    return [
        Line(number, found["head"], found["image"], found["tail"])
        for number, found in matches
        if found and not found["head"].lstrip().startswith("#")
    ]


def replaced(text: str, images: t.Mapping[int, str], found: t.Iterable[Line]) -> str:
    """The text with other images in these lines; all else stays as it is."""
    parts = text.splitlines(keepends=True)
    for line in found:
        if line.number in images:
            parts[line.number - 1] = parts[line.number - 1].replace(
                line.text(line.image), line.text(images[line.number])
            )
    return "".join(parts)


def diff(path: str, before: str, after: str) -> dict[str, str]:
    """What Ansible prints for a file."""
    changed = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), path, path, n=0)
    return {"prepared": "".join(changed)}


def challenge(header: str) -> dict[str, str]:
    """What a registry asks for before it answers: `realm` and so on of a token; empty if it wants something else."""
    scheme, _space, parameters = header.partition(" ")
    return dict(_PARAMETER.findall(parameters)) if scheme.lower() == "bearer" else {}
