# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of a project's resources a teardown deletes, and which it keeps. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json


def teardown(
    resources: Sequence[Json],
    run_tags: Collection[str],
    skip_tags: Collection[str],
    retention: Mapping[str, Json],
) -> dict[str, list[str]]:
    """A line for each resource that the playbook's tags select. What holds data is kept unless its variable is set."""
    deleted, kept = [], []
    for resource in resources:
        if resource["tag"] in skip_tags or not {"all", resource["tag"]} & set(run_tags):
            continue
        rule = retention.get(resource["kind"])
        if resource["holds"] and rule and not rule["value"]:
            kept.append(f"{_line(resource)}  holds {resource['holds']}; delete with -e {rule['variable']}=true")
        else:
            deleted.append(_line(resource))
    return {"deleted": deleted, "kept": kept}


def _line(resource: Json) -> str:
    """Kind, name and id; an ARN and what repeats the name are left out."""
    name, identity = resource["name"], resource["id"]
    more = f"  {identity}" if name and name not in identity and not identity.startswith("arn:") else ""
    return f"{resource['kind']:<19}{name or identity}{more}"
