# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image repositories of a project: what to create, and which of those that exist it owns or shares. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import named
from ansible_collections.slipway.aws.plugins.module_utils._core.tags import PROJECT, SHARED_TAG, as_text, belongs_to

Json = dict[str, Any]
# What AWS takes: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
IMMUTABLE = "IMMUTABLE"
MOST_FILTERS = 5
MOST_WILDCARDS = 2
FILTER = re.compile(r"[0-9a-zA-Z._*-]{1,128}")
DEFAULTS: Json = {
    "mutability": None,
    "mutable_tags": [],
    "scan_on_push": True,
    # A lifecycle policy does not know which images a release of the history needs: by default there is none.
    "keep_images": None,
    "untagged_days": None,
    "shared": False,
    "existing": False,
}
NAME = re.compile(r"[a-z0-9]+([._/-]+[a-z0-9]+)*")


def problems(repositories: Sequence[Json]) -> list[str]:
    counted = Counter(str(repository.get("name")) for repository in repositories)
    found = [
        f"ecr_registry_repositories: expected each name once, got {name} {count} times."
        for name, count in counted.items()
        if count > 1
    ]
    for index, repository in enumerate(repositories):
        where = f"ecr_registry_repositories[{index}]{named(repository)}"
        found += [f"{where}{problem}" for problem in _problems(repository)]
    return found


def _problems(repository: Json) -> Iterator[str]:
    name = str(repository.get("name"))
    if repository.get("existing") and repository.get("shared"):
        yield (
            ".existing: expected false together with shared, got true. Use shared for a repository of another"
            " Slipway project, existing for one that Slipway does not manage."
        )
    if not (NAME.fullmatch(name) and 2 <= len(name) <= 256):
        yield (f".name: expected 2 to 256 lowercase letters and digits, separated by single . _ / or -, got {name!r}.")
    for member in ("keep_images", "untagged_days"):
        value = repository.get(member)
        if value is not None and (not str(value).isdecimal() or int(value) < 1):
            yield f".{member}: expected a whole number above 0, got {value!r}."
    yield from _tag_problems(repository)


def _tag_problems(repository: Json) -> Iterator[str]:
    tags = [str(tag) for tag in repository.get("mutable_tags") or ()]
    if tags and repository.get("mutability") == "MUTABLE":
        yield (
            ".mutable_tags: expected none if mutability is MUTABLE, because all tags can move, got some. Remove one"
            " of them."
        )
    if len(tags) > MOST_FILTERS:
        yield (
            f".mutable_tags: expected at most {MOST_FILTERS}, got {len(tags)}: {', '.join(tags)}. The default is the"
            " tags of the repository's images. Set mutable_tags with a wildcard, such as release-*, or set"
            " mutability to MUTABLE."
        )
    for tag in tags:
        if not FILTER.fullmatch(tag) or tag.count("*") > MOST_WILDCARDS or not tag.strip("*"):
            yield (
                ".mutable_tags: expected 1 to 128 letters, digits, dots, underscores and hyphens with at most"
                f" {MOST_WILDCARDS} wildcards (*), got {tag!r}. To allow every tag to move, set mutability to MUTABLE."
            )


def existing_names(repositories: Sequence[Json]) -> set[str]:
    """The repositories of others."""
    return {str(repository.get("name")) for repository in repositories if repository.get("existing")}


def existing_problems(found: Sequence[Json], repositories: Sequence[Json], project: str) -> Iterator[str]:
    """Repositories of others that do not exist, or are the project's own."""
    tags = {str(one["repository_name"]): one.get("tags") or {} for one in found}
    for index, repository in enumerate(repositories):
        name = str(repository["name"])
        where = f"ecr_registry_repositories[{index}]{named(repository)}.existing"
        if not repository.get("existing"):
            continue
        if name not in tags:
            yield f"{where}: expected a repository of this account and region, got none. Create it, or remove existing."
        elif belongs_to(tags[name], project):
            yield (
                f"{where}: expected a repository outside the project, got one with the tag {PROJECT}={project},"
                " which is deleted with the project. Remove its tag, or remove existing."
            )


class Defaults(NamedTuple):
    """What variables say of repositories that do not say otherwise. AWS cannot change the key of an existing one."""

    mutability: str = IMMUTABLE
    kms_key: str = ""


def desired(repository: Json, project: str, tags: Json, defaults: Defaults = Defaults()) -> Json:  # noqa: B008
    """A repository with defaults, tags and the lifecycle policy that follows from its settings."""
    key = defaults.kms_key
    encryption = {"encryption": {"encryptionType": "KMS", "kmsKey": key}} if key else {}
    done = {**DEFAULTS, **encryption, **{name: value for name, value in repository.items() if value is not None}}
    shared = {SHARED_TAG: "true"} if done["shared"] else {}
    done["tags"] = as_text({**tags, PROJECT: project, **shared})
    done |= _mutability(done, defaults.mutability)
    rules = _rules(done["untagged_days"], done["keep_images"])
    done.setdefault("lifecycle_policy", {"rules": rules} if rules else {})
    return done


def _mutability(repository: Json, default: str) -> Json:
    """Which tags stay on their images, as the module takes it. A shared repository keeps what it has, unless asked for:
    the tags that other projects move are not known here."""
    tags = [str(tag) for tag in repository["mutable_tags"]]
    if repository["shared"] and not repository["mutability"] and not tags:
        return {"mutability": None, "exclusion_filters": None}
    mode = repository["mutability"] or default
    filters = [{"filterType": "WILDCARD", "filter": tag} for tag in tags if mode == IMMUTABLE]
    return {"mutability": f"{mode}_WITH_EXCLUSION" if filters else mode, "exclusion_filters": filters or None}


def _rules(untagged_days: Any, keep_images: Any) -> list[Json]:
    untagged = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days"}
    kept = {"tagStatus": "any", "countType": "imageCountMoreThan"}
    rules = [
        (1, "Untagged images expire after some days", untagged, untagged_days),
        (2, "The newest images are kept", kept, keep_images),
    ]
    return [
        {
            "rulePriority": priority,
            "description": description,
            "selection": {**selection, "countNumber": int(number)},
            "action": {"type": "expire"},
        }
        for priority, description, selection, number in rules
        if number is not None
    ]


def owned(found: Sequence[Json], project: str) -> list[Json]:
    return [repository for repository in found if belongs_to(repository.get("tags") or {}, project)]


def shared(found: Sequence[Json], repositories: Sequence[Json], project: str) -> list[Json]:
    """Those of other projects, where both sides share them. They are used, and never changed or deleted."""
    names = {str(repository["name"]) for repository in repositories if repository.get("shared")}
    return [
        repository
        for repository in found
        if repository["repository_name"] in names
        and not belongs_to(repository.get("tags") or {}, project)
        and (repository.get("tags") or {}).get(SHARED_TAG) == "true"
    ]


def deletable(found: Sequence[Json], repositories: Sequence[Json], project: str) -> list[str]:
    """Those of the project that have no images, as far as images were read."""
    empty = [str(one["repository_name"]) for one in owned(found, project) if not one.get("images")]
    return [name for name in empty if name not in existing_names(repositories)]


def result(known: Sequence[Json], address: str) -> Json:
    host = address or next((str(one["repository_uri"]).partition("/")[0] for one in known), "")
    return {
        "registry": host,
        "repositories": {
            one["repository_name"]: {
                "name": one["repository_name"],
                "arn": one["repository_arn"],
                "uri": f"{host}/{one['repository_name']}",
            }
            for one in known
        },
    }
