# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of types that all layers share."""

from __future__ import annotations

import typing as t

# A document: what AWS answers or takes, and what a flow returns to Ansible.
Json = dict[str, t.Any]
Result = Json
# A client of boto3, for which there is no better type.
Client = t.Any
# Names or ARNs.
Items = t.Sequence[str]


class Clients(t.Protocol):
    """Makes a client of an AWS service; of the connection's own region, where none is named."""

    def __call__(self, service: str, region: str = "", /) -> t.Any: ...


class Connection(t.NamedTuple):
    """What a flow gets from Ansible: `client(service)`, the options, and whether it may only predict."""

    client: Clients
    params: dict[str, t.Any]
    check_mode: bool
