# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags as a plain dict, whichever way a service spells its tag list."""

from __future__ import annotations

import re
import typing as t

from .error_codes import INVALID_OPTION
from .errors import SlipwayError
from .shapes import text_of

Tags = dict[str, str]
# Checkpoint of a release on a service, until it has ended: what ran before, and which release that is.
CHECKPOINT_TAG = "slipway:checkpoint"
CHECKPOINT_RUN_TAG = f"{CHECKPOINT_TAG}.run"
# On a service whose scaling ecs_service_scaling manages.
SCALING_TAG = "slipway:scaling"
# On a repository that other projects use, too.
SHARED_TAG = "slipway:shared"
# On every resource of a project.
PROJECT = "slipway:project"
# On those that one of several inventories of the project releases.
GROUP = "slipway:group"
# On what has no region, as in IAM: the region of the site that it belongs to.
REGION = "slipway:region"
# On a resource whose kind alone does not say which role of this collection creates it.
ROLE = "slipway:role"
AWS = "aws:"
MOST, LONGEST_KEY, LONGEST_VALUE = 50, 128, 256
_ALLOWED = "letters, digits, spaces and _.:/=+-@"
_CHARACTERS = re.compile(r"[\w \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.:/=+\-@]*")
# Reserved for AWS, and for the modules that set them.
RESERVED = (AWS, CHECKPOINT_TAG, SCALING_TAG)
# Tags that say whose a resource is, which the roles set.
OWN = (PROJECT, GROUP, REGION, ROLE, SHARED_TAG)


def from_list(items: t.Iterable[t.Mapping[str, str]] | None) -> Tags:
    """From [{key, value}] (ECS) or [{Key, Value}] (most others)."""
    return {item.get("key", item.get("Key", "")): item.get("value", item.get("Value", "")) for item in items or ()}


def to_list(tags: t.Mapping[str, str]) -> list[Tags]:
    """[{key, value}], as ECS takes tags."""
    return [{"key": name, "value": text} for name, text in sorted(tags.items())]


def to_capital_list(tags: t.Mapping[str, str]) -> list[Tags]:
    """[{Key, Value}], as most other services take them."""
    return [{"Key": name, "Value": text} for name, text in sorted(tags.items())]


def carries(tags: t.Mapping[str, str], own: t.Mapping[str, t.Any]) -> bool:
    """Whether the tags include all of `own`, which identify an owner."""
    # Tags that a filter gets from Ansible are a mapping of its own, whose items are no set.
    return all(tags.get(name) == text for name, text in as_text(own).items())


def belongs_to(tags: t.Mapping[str, str], project: str) -> bool:
    return carries(tags, {PROJECT: project})


def checked(tags: t.Mapping[t.Any, t.Any] | None, option: str = "tags") -> Tags | None:
    """Tags as AWS takes them: true and numbers as text, as in `environment`. Fails with all that AWS would refuse."""
    if tags is None:
        return None
    found = problems(tags, option)
    if found:
        raise SlipwayError(INVALID_OPTION, " ".join(found), {"problems": found})
    return as_text(tags)


def as_text(tags: t.Mapping[t.Any, t.Any]) -> Tags:
    return {str(name): t.cast(str, text_of(value)) for name, value in tags.items()}


def problems(tags: t.Mapping[t.Any, t.Any], option: str = "tags") -> list[str]:
    """What AWS would refuse of tags, one sentence each.

    https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    """
    found = [problem for name, value in tags.items() for problem in _of_one(str(name), value, option)]
    if len(tags) > MOST:
        found.append(f"{option}: expected at most {MOST} tags, got {len(tags)}.")
    return found


def _of_one(name: str, value: t.Any, option: str) -> t.Iterator[str]:
    where, text = f"{option}, {name!r}", text_of(value)
    if name.lower().startswith(AWS):
        yield f"{where}: expected a key without the prefix {AWS}, which is reserved for AWS. Choose another key."
    if not 1 <= len(name) <= LONGEST_KEY:
        yield f"{where}: expected a key of 1 to {LONGEST_KEY} characters, got {len(name)}."
    if not _CHARACTERS.fullmatch(name):
        yield f"{where}: expected a key of {_ALLOWED}."
    if text is None:
        kind = "null" if value is None else type(value).__name__
        yield f"{where}: expected text, true, false or a whole number, got {kind}. Quote the value, or remove the tag."
    elif len(text) > LONGEST_VALUE:
        yield f"{where}: expected a value of at most {LONGEST_VALUE} characters, got {len(text)}."
    elif not _CHARACTERS.fullmatch(text):
        yield f"{where}: expected a value of {_ALLOWED}, got {text!r}."


def desired(current: t.Mapping[str, str], given: t.Mapping[str, t.Any] | None, purge: bool) -> Tags | None:
    """The tags that should be there; None when the caller leaves them alone."""
    if given is None:
        return None
    kept = {name: text for name, text in current.items() if not purge or name.startswith(RESERVED)}
    return {**kept, **as_text(given)}


def changes(current: t.Mapping[str, str], desired: t.Mapping[str, str]) -> tuple[Tags, list[str]]:
    """What to set and what to remove."""
    put = {name: text for name, text in desired.items() if current.get(name) != text}
    return put, sorted(name for name in current if name not in desired and not name.startswith(RESERVED))
