# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether two texts name the same resource, where AWS takes a name or an ARN and answers either. Pure.

A name stands for a resource in the account and the region of what it is a member of (`Home`). Two texts are the same
only as far as both say so: another account, region or path is another resource.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .plan import Sets


class Home(t.NamedTuple):
    """Where names are resolved."""

    partition: str
    region: str
    account: str


@dataclass(frozen=True)
class Kind:
    """What the ARN of a resource has around its name: `service`, and in its last part the text up to the name."""

    service: str
    prefix: str
    # Whether a slash in front of the name means nothing.
    rooted: bool = False
    # Whether AWS answers the ARN, so that a name can be predicted as one.
    answered: bool = False


ROLE = Kind("iam", "role/", rooted=True, answered=True)
INSTANCE_PROFILE = Kind("iam", "instance-profile/", rooted=True)
PARAMETER = Kind("ssm", "parameter/", rooted=True)
CAPACITY_PROVIDER = Kind("ecs", "capacity-provider/")
CLUSTER = Kind("ecs", "cluster/")
AUTO_SCALING_GROUP = Kind("autoscaling", ":autoScalingGroupName/")
KEY = Kind("kms", "key/")
LOG_GROUP = Kind("logs", "log-group:")
NAMESPACE = Kind("servicediscovery", "namespace/")

_SERVICE_LINKED = "AWSServiceRole"
_EVERY_STREAM = ":*"


def is_arn(text: t.Any) -> bool:
    return isinstance(text, str) and text.startswith("arn:") and text.count(":") >= 5


def home_of(arn: t.Any) -> Home | None:
    """Where the resource of an ARN is."""
    if not is_arn(arn):
        return None
    _arn, partition, _service, region, account, _resource = str(arn).split(":", 5)
    return Home(partition, region, account)


def last(text: t.Any) -> str:
    """The name at the end of a name or an ARN, such as a cluster's."""
    return str(text or "").rsplit("/", 1)[-1]


def arn_of(kind: Kind, name: str, home: Home) -> str:
    """The ARN of a resource whose kind says all of it but the name."""
    region = "" if kind.service == "iam" else home.region
    return ":".join(("arn", home.partition, kind.service, region, home.account, f"{kind.prefix}{name.lstrip('/')}"))


def same(kind: Kind, one: t.Any, other: t.Any, home: Home | None = None) -> bool:
    """True when both name the same resource as far as they say."""
    if one == other:
        return True
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    one, other = (text.removesuffix(_EVERY_STREAM) if kind is LOG_GROUP else text for text in (one, other))
    if is_arn(one) == is_arn(other):
        return one == other or (kind is ROLE and not is_arn(one) and one.lstrip("/") == other.lstrip("/"))
    arn, name = (one, other) if is_arn(one) else (other, one)
    return _is_here(arn, home) and _is_named(kind, arn, name)


def _is_here(arn: str, home: Home | None) -> bool:
    place = home_of(arn)
    if home is None or place is None:
        return True
    return place.partition == home.partition and place.account == home.account and place.region in ("", home.region)


def _is_named(kind: Kind, arn: str, name: str) -> bool:
    service, resource = arn.split(":", 5)[2], arn.split(":", 5)[5]
    if service != kind.service or not name:
        return False
    if kind is KEY and name.startswith("alias/"):
        return resource == name
    if kind is AUTO_SCALING_GROUP:  # its ARN has an id in front
        return resource.partition(kind.prefix)[2] == name
    if kind is ROLE and name.startswith(_SERVICE_LINKED):  # IAM keeps these names, each with a path of its own
        return resource.startswith("role/aws-service-role/") and last(resource) == name
    return resource == kind.prefix + (name.lstrip("/") if kind.rooted else name)


@dataclass(frozen=True)
class Names:
    """The members of a resource that hold a name or an ARN, by what they name; and what is known of the names.

    A member is written with what holds it, such as `secrets.valueFrom`; one at the top alone.
    """

    kinds: t.Mapping[str, Kind]
    sets: Sets
    home: Home | None = None
    # ARNs that AWS was asked about, and the name of each.
    known: t.Mapping[str, str] = field(default_factory=dict)

    def keep(self, desired: t.Any, current: t.Any, path: str = "") -> t.Any:
        """`desired`, spelled as `current` where both name the same."""
        if isinstance(desired, dict):
            actual = current if isinstance(current, dict) else {}
            return {name: self.keep(value, actual.get(name), _below(path, name)) for name, value in desired.items()}
        if isinstance(desired, list):
            pairs = [(value, self._counterpart(value, at, current, path)) for at, value in enumerate(desired)]
            return [self.keep(value, other, path) for value, other in pairs]
        kind = self.kinds.get(path)
        if kind is None or not isinstance(desired, str):
            return desired
        if self.is_same(kind, desired, current):
            return current
        if kind.answered and self.home and desired and not is_arn(desired):
            return arn_of(kind, desired, self.home)
        return desired

    def is_same(self, kind: Kind, one: t.Any, other: t.Any) -> bool:
        if same(kind, one, other, self.home):
            return True
        names = {text: self.known.get(text, text) for text in (one, other) if isinstance(text, str)}
        return len(names) == 2 and is_arn(one) != is_arn(other) and len(set(names.values())) == 1

    def _counterpart(self, element: t.Any, at: int, current: t.Any, path: str) -> t.Any:
        """The element of a list that stands for the same: by what identifies it, or by its place."""
        others = current if isinstance(current, list) else []
        if not isinstance(element, dict):
            kind = self.kinds.get(path)
            return next((other for other in others if kind and self.is_same(kind, element, other)), None)
        identity = self.sets.get(path.rpartition(".")[2])
        if not identity:
            return others[at] if at < len(others) else None
        return next((other for other in others if self._is_identified(path, identity, element, other)), None)

    def _is_identified(self, path: str, identity: tuple[str, ...], one: t.Any, other: t.Any) -> bool:
        if not isinstance(other, dict):
            return False
        kinds = {name: self.kinds.get(_below(path, name)) for name in identity}
        return all(
            one.get(name) == other.get(name) or (kind and self.is_same(kind, one.get(name), other.get(name)))
            for name, kind in kinds.items()
        )


def _below(path: str, name: str) -> str:
    """Of the path, what holds the member is enough."""
    return f"{path.rpartition('.')[2]}.{name}" if path else name


def record_path(project: str) -> str:
    """Where the parameters are that record which roles have converged. They are no settings of an application."""
    return f"/slipway/{project}/record/"


def release_path(project: str) -> str:
    """Where the parameters are that record releases."""
    return f"/slipway/{project}/release/"


def notes_paths(project: str) -> tuple[str, str]:
    """Where all parameters are that the collection writes for itself."""
    return record_path(project), release_path(project)
