# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters of AWS Systems Manager that hold records."""

from __future__ import annotations

import typing as t

from ..._core import tags as tagging
from ..._core.errors import aws_call
from ..._core.paging import batches, pages
from ..._core.types import Client, Json

# DeleteParameters takes ten names.
MOST = 10


@aws_call
def read(ssm: Client, path: str) -> dict[str, str]:
    """The values below a path, by name."""
    found = pages(ssm, "get_parameters_by_path", "Parameters", Path=path, Recursive=True, WithDecryption=True)
    return {one["Name"]: one["Value"] for one in found}


@aws_call
def write(ssm: Client, name: str, value: str, tags: t.Mapping[str, str] | None) -> None:
    """AWS takes tags of new parameters alone: None for one that exists."""
    new: Json = {"Tags": tagging.to_capital_list(tags)} if tags is not None else {"Overwrite": True}
    ssm.put_parameter(Name=name, Value=value, Type="SecureString", Tier="Standard", **new)


@aws_call
def delete(ssm: Client, names: t.Sequence[str]) -> None:
    """One that does not exist is no error."""
    for some in batches(names, MOST):
        ssm.delete_parameters(Names=some)
