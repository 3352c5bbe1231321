# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets that are unmistakable by their form, and where they stand in options and variables. Pure.

A table, and no library: modules need nothing but boto3, and what scans source code (detect-secrets, gitleaks) also
guesses by entropy, where a refusal has to be certain. Its forms are those that their issuers publish for scanners.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection, Iterator, Mapping

from .error_codes import MISPLACED_SECRET
from .errors import SlipwayError

MASK = "********"

# What a secret is called, and its form.
FORMS: Mapping[str, str] = {
    "a private key": (
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:(?!-----END )[\s\S])*(?:-----END [A-Z0-9 ]+-----)?|AGE-SECRET-KEY-1[0-9A-Z]{58}"
    ),
    "a GitHub token": r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{82}",
    "a GitLab token": r"gl(?:pat|rt|dt|ptt|cbt|oas|soat|ft|imt|agent)-[A-Za-z0-9_-]{20,}",
    "a Slack token": r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}",
    "a Stripe key": r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{32,}",
    "an npm token": r"npm_[A-Za-z0-9]{36}",
    "a PyPI token": r"pypi-AgE[A-Za-z0-9_-]{50,}",
    "a Docker Hub token": r"dckr_[po]at_[A-Za-z0-9_-]{27,}",
    "a SendGrid key": r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    "a DigitalOcean token": r"do[opr]_v1_[a-f0-9]{64}",
    "a Vault token": r"hv[sbr]\.[A-Za-z0-9_-]{24,}",
    "a Shopify token": r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    "a Grafana token": r"glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}",
    "a Hugging Face token": r"hf_[A-Za-z]{34}",
    "an OpenAI key": r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}",
    "an Anthropic key": r"sk-ant-[a-z]+\d+-[A-Za-z0-9_-]{40,}",
}
# Not inside of a longer word, such as a digest.
_TOKENS = re.compile("|".join(rf"(?P<f{at}>(?<![A-Za-z0-9_])(?:{form}))" for at, form in enumerate(FORMS.values())))
_NAMES = tuple(FORMS)
# Not for what a shell or a template fills in, as in postgres://shop:$(PASSWORD)@db.
_ADDRESS = re.compile(
    r"(?P<start>[a-z][a-z0-9+.-]*://[^\s:/@]*:)(?!\$[({A-Z_]|\{\{|<[a-z_-]+>@|\*{8}@)[^\s/@]+@", re.IGNORECASE
)
ADDRESS = "an address with a password"
KEY_ID = re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])")
AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-])")
AWS_KEY = "an AWS secret access key"
WAY_OUT = "Store it in Secrets Manager or Parameter Store, and refer to it in `secrets`"
# An image keeps its build arguments, and containers get their secrets after the build.
WAY_OUT_OF_BUILDS = "Images keep build arguments: fetch what needs the secret before the build"
_PARTS = 3
_KEY_NAME = re.compile(r"secret_?access_?key$", re.IGNORECASE)
# A proxy may need a password.
_CONNECTION = frozenset(("access_key", "aws_config", "endpoint_url", "secret_key", "session_token"))
# Digests of Git in hexadecimal have as many characters.
_DIGEST = re.compile(r"[0-9a-f]{40}")


class Misplaced(t.NamedTuple):
    """A secret where none belongs: its place, the same as an entry for exceptions, and what it is."""

    place: str
    entry: str
    form: str


def hide(text: str) -> str:
    """The text with a mask for each secret in it."""
    return _ADDRESS.sub(rf"\g<start>{MASK}@", _TOKENS.sub(MASK, text))


def form_of(text: str) -> str | None:
    """What a secret in the text is called; None where there is none."""
    if found := _TOKENS.search(text):
        return next(name for at, name in enumerate(_NAMES) if found[f"f{at}"] is not None)
    if _ADDRESS.search(text):
        return ADDRESS
    return AWS_KEY if KEY_ID.search(text) and is_aws_secret(text) else None


def is_aws_secret(text: str) -> bool:
    """Whether a word has the form of a secret access key, which is one only beside a key id or by its name."""
    return any(not _DIGEST.fullmatch(word) for word in AWS_SECRET.findall(text))


def misplaced(value: t.Any, place: str, entry: str = "", beside_key: bool = False) -> Iterator[Misplaced]:
    """The secrets in `value`, at any depth. `beside_key` says that an access key id of AWS stands beside it."""
    entry = entry or place
    if isinstance(value, Mapping):
        near = beside_key or _has_key(value.values())
        for name, member in value.items():
            known = hide(str(name))
            is_named = bool(_KEY_NAME.search(str(name)))
            here = (f"{place}.{known}", f"{entry}.{known}") if place else (known, known)
            yield from misplaced(member, *here, near or is_named)
    elif isinstance(value, (list, tuple)):
        near = beside_key or _has_key(one.get("value") if isinstance(one, Mapping) else one for one in value)
        for at, element in enumerate(value):
            yield from _element(element, at, (place, entry), near)
    elif isinstance(value, str):
        form = form_of(value) or (AWS_KEY if beside_key and is_aws_secret(value) else None)
        if form:
            yield Misplaced(place, entry.removesuffix(".value"), form)


def _element(element: t.Any, at: int, where: tuple[str, str], beside_key: bool) -> Iterator[Misplaced]:
    name = element.get("name") if isinstance(element, Mapping) else None
    known = hide(name)[:60] if isinstance(name, str) and name.isprintable() else ""
    is_named = bool(_KEY_NAME.search(known))
    place = f"{where[0]}[{at}]{f' ({known})' if known else ''}"
    yield from misplaced(element, place, f"{where[1]}.{known or at}", beside_key or is_named)


def _has_key(values: t.Iterable[t.Any]) -> bool:
    return any(isinstance(one, str) and KEY_ID.search(one) for one in values)


def problems(found: t.Iterable[Misplaced], allowed: Collection[str], option: str) -> list[str]:
    """One sentence for each that is not `allowed`, without its value. `option` is what lists those that are."""
    return [
        f"{one.place}: expected no secret, got {one.form}, which is not shown. {_way_out(one)}, or add"
        f" '{_short(one.entry)}' to {option} if it is not a secret."
        for one in found
        if not any(one.entry == entry or one.entry.endswith(f".{entry}") for entry in allowed)
    ]


def _way_out(one: Misplaced) -> str:
    return WAY_OUT_OF_BUILDS if "build_args" in one.place.split(".") else WAY_OUT


def refuse_secrets(value: t.Any, place: str, allowed: Collection[str] | None) -> None:
    """Fail if there is a secret in what is not for secrets, before anything is changed."""
    found = problems(misplaced(value, place), allowed or (), "plain_values")
    if found:
        raise SlipwayError(MISPLACED_SECRET, " ".join(found), {"problems": found})


def shown_options(params: Mapping[str, t.Any], spec: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The options of a module that are not for secrets, without those that say how AWS is reached."""
    return {
        name: _shown_option(params[name], option)
        for name, option in spec.items()
        if params.get(name) is not None and not option.get("no_log") and name not in _CONNECTION
    }


def _shown_option(value: t.Any, option: Mapping[str, t.Any]) -> t.Any:
    if isinstance(value, (list, tuple)):
        return [_shown_option(element, option) for element in value]
    inner = option.get("options")
    return shown_options(value, inner) if inner and isinstance(value, Mapping) else value


def _short(entry: str) -> str:
    """As much of an entry as names it: its resource and its own name."""
    return ".".join(entry.split(".")[-_PARTS:])
