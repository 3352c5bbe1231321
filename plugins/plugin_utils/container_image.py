# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images: as they are declared, compared with what a registry has, and by their digests. Pure."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.masking import secrets_in
from ansible_collections.slipway.aws.plugins.module_utils._core.plan import UNKNOWN
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import named
from ansible_collections.slipway.aws.plugins.module_utils._ecr.image.model import is_immutable
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_app_ports as ports

Json = dict[str, Any]
# Containers name images by it, and in a container's image a slash or colon means an address.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
TAG_OR_DIGEST = re.compile(r"(:[^/:@]+)?(@[^@]+)?$")
SMOKE_TEST: Json = {"path": "/", "status": 200, "content": "", "headers": {}, "env": {}}
# What the role returns of each image. Whether it was pushed, too, is the same as whether it was built.
RESULT = ("repository", "uri", "tags", "content_tag", "digest", "reference", "built")


# Declared


def repository_of(image: Json) -> str:
    """The name of an image's repository, of one that is declared or planned."""
    repository = image.get("repository")
    return str(_repository(image).get("name") or (repository if isinstance(repository, str) else image.get("name")))


def _repository(image: Json) -> Json:
    repository = image.get("repository")
    return repository if isinstance(repository, dict) else {}


def repositories(images: Sequence[Json]) -> list[Json]:
    """The repositories that images are pushed to, each once, with the settings that any of its images has."""
    found: dict[str, Json] = {}
    tags: dict[str, list[str]] = {}
    for image in images:
        name = repository_of(image)
        found[name] = {**found.get(name, {}), **_repository(image), "name": name}
        tags.setdefault(name, []).extend(str(tag) for tag in image.get("tags") or ())
    return [{**one, **_mutable_tags(one, tags[name])} for name, one in found.items()]


def _mutable_tags(repository: Json, tags: Sequence[str]) -> Json:
    """The tags for people, which move to the newest image; what is said of the repository comes first."""
    said = {"mutability", "mutable_tags", "shared", "existing"}
    if not tags or any(repository.get(name) not in (None, False) for name in said):
        return {}
    return {"mutable_tags": list(dict.fromkeys(tags))}


def tagged(images: Sequence[Json]) -> dict[str, str]:
    """By name, where a run that does not build looks an image up: `repository:tag` with the first of its tags."""
    return {str(image.get("name")): _references_of(image)[0] for image in images}


def problems(images: Sequence[Json], settings: Json, services: Sequence[Json] = ()) -> list[str]:
    """What is wrong with the declarations, a sentence each."""
    found = list(_smoke_test_port(settings.get("smoke_test_port"), "container_image_smoke_test_port"))
    listening = _listening(images, settings, services)
    for index, image in enumerate(images):
        where = f"container_image_images[{index}]{named(image)}"
        found += [f"{where}{problem}" for problem in _problems(image, listening)]
    return [*found, *_duplicates(images)]


def _problems(image: Json, listening: Mapping[str, Any]) -> Iterator[str]:
    if not NAME.fullmatch(str(image.get("name"))):
        yield (
            f".name: expected letters, digits, dots, underscores and hyphens, got {image.get('name')!r}. Set the"
            " name of a repository with a namespace in repository.name."
        )
    sources = [source for source in ("path", "git") if image.get(source)]
    if len(sources) != 1:
        yield f": expected either path or git, got {' and '.join(sources) or 'neither'}."
    for tag in image.get("tags") or []:
        if not TAG.fullmatch(str(tag)):
            yield f".tags: expected up to 128 letters, digits, dots, underscores and hyphens, got {tag!r}."
    test = image.get("smoke_test")
    if test is None:
        return
    if test.get("container_port") is None and repository_of(image) not in listening:
        yield (
            ".smoke_test.container_port: expected the port on which the container listens, got none. Set it, or use"
            " the image in a service of ecs_app_services, in a container with one port in portMappings."
        )
    if test.get("port") is not None:
        yield from _smoke_test_port(test["port"], ".smoke_test.port")


def _smoke_test_port(port: Any, where: str) -> Iterator[str]:
    if port is not None and not (str(port).isdecimal() and 1024 <= int(port) <= 65535):
        yield f"{where}: expected a port from 1024 to 65535, got {port}."


def _duplicates(images: Sequence[Json]) -> Iterator[str]:
    """Names, tags and settings that two images claim."""
    for name, count in Counter(str(image.get("name")) for image in images).items():
        if count > 1:
            yield f"container_image_images: expected each name once, got {name} {count} times."
    claimed = Counter(reference for image in images for reference in _references_of(image))
    for reference, count in claimed.items():
        if count > 1:
            yield (
                f"container_image_images: expected different tags for images in one repository, got {reference}"
                f" {count} times."
            )
    seen: dict[tuple[str, str], Any] = {}
    for repository, setting, value in _settings(images):
        if seen.setdefault((repository, setting), value) != value:
            yield f"container_image_images: expected one {setting} for the repository {repository}, got several."


def _references_of(image: Json) -> list[str]:
    """How other roles can name an image: by its tags, or by its repository where it has none."""
    repository = repository_of(image)
    return [f"{repository}:{tag}" for tag in dict.fromkeys(image.get("tags") or [])] or [repository]


def _settings(images: Sequence[Json]) -> Iterator[tuple[str, str, Any]]:
    for image in images:
        for setting, value in _repository(image).items():
            if setting != "name":
                yield repository_of(image), setting, value


def _listening(images: Sequence[Json], settings: Json, services: Sequence[Json]) -> dict[str, Any]:
    """The port of each repository whose containers all listen on the same one."""
    return dict(ports.of_images(services, {**tagged(images), **(settings.get("images") or {})}))


# Planned


def plan(images: Sequence[Json], settings: Json, services: Sequence[Json], read: Json) -> list[Json]:
    """The images with everything that follows from their declarations and from what has been read so far."""
    listening = _listening(images, settings, services)
    contexts, built = read.get("contexts") or [{}] * len(images), read.get("built")
    digests = _digests(read.get("repositories") or ())
    uris = {name: one["uri"] for name, one in ((read.get("registry") or {}).get("repositories") or {}).items()}
    completed = [
        {
            **_completed(image, settings, listening, read.get("pulls") or ()),
            "user_decides": user_decides(image, images, settings, services),
        }
        for image in images
    ]
    states = (_state(image, context, uris, digests) for image, context in zip(completed, contexts, strict=True))
    return [
        {**image, **state, "built": not state["pushed"] if built is None else image["name"] in built}
        for image, state in zip(completed, states, strict=True)
    ]


def _completed(image: Json, settings: Json, listening: Mapping[str, Any], pulls: Sequence[Json]) -> Json:
    base = image.get("base_image") or settings.get("base_image") or ""
    pulled = next((pull.get("image") or {} for pull in pulls if pull.get("item") == pull_name(base)), {})
    git = image.get("git") or {}
    checkout = os.path.join(settings.get("checkout_directory") or "", str(image.get("name")))
    done = {
        **{name: value for name, value in image.items() if value is not None},
        "repository": repository_of(image),
        "tags": list(image.get("tags") or []),
        "path": image.get("path") or os.path.join(checkout, git.get("path") or ""),
        "checkout": checkout,
        "base_image": base,
        "build_args": {settings.get("base_image_arg") or "BASE_IMAGE": base, **(image.get("build_args") or {})},
        "base_digests": [base_digest(pulled, base)],
        "inputs": {
            "architecture": pulled.get("Architecture") or UNKNOWN,
            **({"target": image["target"]} if image.get("target") else {}),
        },
    }
    done["secret_args"] = [name for _where, name in secrets_in({"build_args": done["build_args"]})]
    if image.get("smoke_test") is not None:
        done["smoke_test"] = _smoke_test(image["smoke_test"], settings, listening.get(repository_of(image)))
    return done


def user_decides(image: Json, images: Sequence[Json], settings: Json, services: Sequence[Json]) -> bool:
    """Whether a container runs the image and names no user, so that it has the one of the image."""
    if (settings.get("container_defaults") or {}).get("user"):
        return False
    names = {**tagged(images), **(settings.get("images") or {})}
    own = _references_of(image)
    containers = (container for service in services for container in ports.containers(service))
    users = [one for one in containers if names.get(str(ports.image_name(one))) in own]
    return any(not one.get("user") for one in users)


def pull_name(image: str) -> str:
    """How the engine is asked for an image: by its digest alone where it has one, as it does not look up both."""
    name, at, digest = image.partition("@")
    return f"{TAG_OR_DIGEST.sub('', name, count=1)}@{digest}" if at else image


def _smoke_test(test: Json, settings: Json, listening: Any) -> Json:
    given = {name: value for name, value in test.items() if value is not None}
    done = {"container_port": listening, "port": settings.get("smoke_test_port"), **SMOKE_TEST, **given}
    return {**done, "url": f"http://{settings.get('address')}:{done['port']}{done['path']}"}


def _state(image: Json, context: Json, uris: Mapping[str, str], digests: Mapping[str, str]) -> Json:
    """One image compared with the digests that its repository has under its tags."""
    repository, content_tag = image["repository"], context.get("tag") or UNKNOWN
    uri, digest = uris.get(repository, UNKNOWN), digests.get(f"{repository}:{content_tag}")
    return {
        "uri": uri,
        "content_tag": content_tag,
        "dockerfile": context.get("dockerfile") or image.get("dockerfile"),
        "archive": context.get("archive"),
        "digest": digest or UNKNOWN,
        "reference": f"{uri}@{digest or UNKNOWN}",
        "pushed": digest is not None,
        "complete": digest is not None and all(digests.get(f"{repository}:{tag}") == digest for tag in image["tags"]),
    }


def _digests(repositories: Sequence[Json]) -> dict[str, str]:
    """Digests in the registry by `repository:tag`."""
    return {
        f"{repository['repository_name']}:{tag}": str(image["image_digest"])
        for repository in repositories
        for image in repository.get("images") or ()
        for tag in image.get("image_tags") or ()
    }


def unknown_repositories(planned: Sequence[Json], registry: Json) -> list[str]:
    there = registry.get("repositories") or {}
    return [
        f"container_image_images[{index}]{named(image)}.repository: expected an existing repository"
        f" ({', '.join(there) or 'none'}), got {image['repository']}. Create it with --tags registry."
        for index, image in enumerate(planned)
        if image["repository"] not in there
    ]


def immutable_tags(planned: Sequence[Json], found: Sequence[Json], declared: Sequence[Json] = ()) -> list[str]:
    """A sentence for each image with tags that would have to leave another image, and may not.

    A repository in `declared`, as it is to be, says so as well: check mode finds settings that a run would change.
    """
    settings = {str(one["repository_name"]): one for one in found}
    expected = {str(one["name"]): one for one in declared}
    digests, problems = _digests(found), []
    for index, image in enumerate(planned):
        repository = image["repository"]
        taken = [tag for tag in image["tags"] if digests.get(f"{repository}:{tag}", image["digest"]) != image["digest"]]
        fixed = [tag for tag in taken if _is_immutable(tag, settings[repository], expected.get(repository))]
        if fixed:
            problems.append(
                f"container_image_images[{index}]{named(image)}.tags: expected unused tags, because the tags of the"
                f" repository {repository} are immutable, got {', '.join(fixed)}. Use new tags, or add these to"
                " repository.mutable_tags and run --tags registry. Nothing was built."
            )
    return problems


def _is_immutable(tag: str, found: Json, expected: Json | None) -> bool:
    settings = [(found.get("image_tag_mutability"), found.get("image_tag_mutability_exclusion_filters"))]
    if expected and expected["mutability"]:
        settings.append((expected["mutability"], expected["exclusion_filters"]))
    return all(is_immutable(tag, *one) for one in settings)


def base_digest(image: Json, name: str) -> str:
    """The digest under which an engine pulled an image by this name, the same on every engine that pulled it."""
    known = [entry.partition("@") for entry in image.get("RepoDigests") or []]
    repository = TAG_OR_DIGEST.sub("", name, count=1)
    # An engine shortens the names of Docker Hub's images, which then are the only ones left to choose from.
    of_name = sorted(digest for its_repository, _at, digest in known if its_repository == repository)
    of_any = sorted(digest for _repository, _at, digest in known)
    return str((of_name or of_any or [UNKNOWN])[0])


def results(planned: Sequence[Json]) -> dict[str, Json]:
    return {
        str(image["name"]): {**{member: image[member] for member in RESULT}, "pushed": image["built"]}
        for image in planned
    }


def known_references(planned: Sequence[Json]) -> dict[str, str]:
    """References with digests of what a run has pushed or found, by `repository:tag`."""
    return {name: str(image["reference"]) for image in planned for name in _references_of(image)}


# Named by digest


def used(images: Mapping[str, str], services: Sequence[Json] | None) -> dict[str, str]:
    """The images that containers of the services name; all of them where no services are given."""
    if services is None:
        return dict(images)
    names = {str(container.get("image")) for service in services for container in ports.containers(service)}
    return {name: image for name, image in images.items() if name in names}


def image_problems(
    images: Mapping[str, str],
    repositories: Sequence[Json],
    known: Collection[str] = (),
    services: Sequence[Json] | None = None,
) -> list[str]:
    """A sentence for each image that the registry does not have, and that this run does not bring there."""
    digests, names = _digests(repositories), {str(one["repository_name"]) for one in repositories}
    found = ((name, image) for name, image in used(images, services).items() if image not in known)
    return [f"{name}: {problem}" for name, image in found if (problem := _missing(image, digests, names))]


def references(
    images: Mapping[str, str],
    repositories: Sequence[Json],
    uris: Mapping[str, str],
    known: Mapping[str, str],
    services: Sequence[Json] | None = None,
) -> dict[str, str]:
    """References with digests by name: those that this run knows come before those that tags have in the registry.

    Images without a digest are left out; `image_problems` says why.
    """
    digests = _digests(repositories)
    called = {str(one["repository_name"]): str(one["repository_uri"]) for one in repositories} | dict(uris)
    found: dict[str, str] = {}
    for name, image in used(images, services).items():
        if "@" in image or image in known:
            found[name] = known.get(image, image)
        elif image in digests:
            found[name] = f"{called[image.rpartition(':')[0]]}@{digests[image]}"
    return found


def _missing(image: str, digests: Mapping[str, str], names: Collection[str]) -> str | None:
    repository, colon, _tag = image.partition(":")
    if "@" in image or image in digests:
        return None
    if not colon:
        return (
            "expected a tag to find the image in the registry, got none. Set tags in container_image_images, or"
            " build and release it in one run, with --tags image,service."
        )
    if repository not in names:
        return f"expected a repository {repository!r} in the registry, got none. Create it with --tags registry."
    return f"expected an image {image!r} in the registry, got none. Build and push it with --tags image."
