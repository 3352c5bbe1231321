"""Writes the tables of error codes into the guide on troubleshooting, from the code: `make docs`."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".ansible/collections"))

from ansible_collections.slipway.aws.plugins.module_utils._core import errors  # noqa: E402
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout import diagnose as diagnosis  # noqa: E402
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout import judge as rollout  # noqa: E402

GUIDE = ROOT / "docs/docsite/rst/guide_troubleshooting.rst"
BEGIN, END = ".. codes: written by `make docs`\n", ".. codes: end\n"
SPACES = re.compile(r"\s+")

# What a person does about what any module can fail with.
CALLS = {
    errors.ACCESS_DENIED: "AWS does not allow the call that is named. Let the credentials' owner make it.",
    errors.AWS_ERROR: "AWS answered with a fault of its own. Try again; its support asks for ``request_id``.",
    errors.BAD_ANSWER: "An answer cannot be read, or leaves out what was asked for; a read is made three times. Check"
    " proxies on the way and ``endpoint_url``, then run it again.",
    errors.CONFLICT: "Something else is being done to the resource, or its name is taken. Wait for it, then try again.",
    errors.INVALID_OPTION: "An option cannot be right; nothing was changed. ``problems`` lists all that is wrong.",
    errors.LIMIT_EXCEEDED: "A quota of the account or a limit of the resource is reached. Remove what is not needed,"
    " or ask AWS to raise it.",
    errors.NO_CONNECTION: "AWS cannot be reached, or three attempts at a call stalled: check the network, a proxy,"
    " ``region`` and ``endpoint_url``.",
    errors.NO_CREDENTIALS: "There are no usable credentials. Sign in, for instance with ``aws sso login``.",
    errors.NOT_FOUND: "What is named does not exist, in this region and account.",
    errors.REFUSED: "AWS rejected the request as invalid. The message has its reason.",
    errors.THROTTLED: "AWS still throttles at the last of ten attempts. Lower ``parallel``, run less at a time, or"
    " raise ``AWS_MAX_ATTEMPTS``.",
    errors.TIMEOUT: "Waiting took too long. The message says what was seen last.",
}

# And about what some modules fail with besides.
OWN = {
    "archive_in_context": "The archive would be a part of what it holds. Give it a path outside the context.",
    "archive_not_written": "The archive cannot be written where it should be: see the folder and the space there.",
    "capacity_provider_failed": "AWS could not make, change or delete the capacity provider. The message says why.",
    "checkpoints_left": "The release is complete. Allow what the message names, then rerun it; it removes them.",
    "cluster_failed": "AWS could not make the cluster, or change its capacity providers. The message says why.",
    "context_changed": "A file changed while it was read. Run it again when nothing writes there.",
    "context_missing": "There is no such folder. Correct the path.",
    "context_not_directory": "The path is a file. Name the folder that it is in.",
    "dockerfile_missing": "There is no Dockerfile at that path. Correct it, or name another file.",
    "ignore_file_invalid": "``.dockerignore`` has a line that Docker refuses too. Correct the line that is shown.",
    "immutable": "AWS cannot change this in what exists, and nothing was changed. Leave it, or make it anew.",
    "invalid_variable": (
        "A variable, option or member is misspelt, or its value has the wrong type. Correct what the message names."
    ),
    "inputs_invalid": "``base_digests`` is neither a dictionary nor a list.",
    "interrupted": "The release was stopped from outside, and ECS goes on. Run it again, or take it back.",
    "last_tag": "Without this tag the image would be deleted. Set ``force``, or give it another tag first.",
    "not_empty": "The repository has images. Set ``force`` to remove them as well.",
    "not_issued": "AWS refused the certificate, or gave it up. The message says why; ask for a new one.",
    "release_in_progress": "Wait until the other release ends, or resume, undo or replace it, as the message says.",
    "tag_immutable": "The repository's tags may not move. Use a new tag, or change ``image_tag_mutability``.",
    "task_failed": "The task did not start, or its command did not end with 0. The message has the end of its log.",
    "unreadable": "A file cannot be read. Correct its permissions, or leave it out in ``.dockerignore``.",
    "unsupported": "The endpoint has no Application Auto Scaling, nor has the local cloud. Leave ``scaling`` out.",
}


def documented() -> dict[str, list[str]]:
    """The codes that modules document, each with its modules."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "plugins/modules").glob("*.py")):
        module = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{path.stem}")
        description = str((yaml.safe_load(module.RETURN).get("code") or {}).get("description"))
        for code in set(re.findall(r"V\((\w+)\)", description)):
            found.setdefault(code, []).append(path.stem)
    return found


def own() -> dict[str, str]:
    """The meaning of each code that is neither any call's nor a rollout's, and who has it."""
    rows = {code: modules for code, modules in documented().items() if code not in {*CALLS, *rollout.CODES}}
    if differing := rows.keys() ^ OWN.keys():
        raise SystemExit(f"Codes are documented by modules or explained in {__file__}, not both: {sorted(differing)}")
    return {code: f"``{'``, ``'.join(modules)}``: {OWN[code]}" for code, modules in rows.items()}


def table(title: str, text: str, rows: Mapping[str, str]) -> Iterator[str]:
    """A section with a table of codes."""
    yield from (title, "-" * len(title), "", text, "")
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 25 75", "", "   * - code", "     - meaning")
    for code, meaning in sorted(rows.items()):
        yield from (f"   * - ``{code}``", f"     - {SPACES.sub(' ', meaning)}")
    yield ""


def sections() -> str:
    """All tables, as reStructuredText."""
    causes = [cause.code for cause in diagnosis.CAUSES] + list(diagnosis.ADVICE)
    lines = (
        *table("Every module", "What can go wrong with any call to AWS:", CALLS),
        *table(
            "A service that does not reach its goal",
            "From ``ecs_service`` and ``ecs_release``. ``failure.causes`` tells why: the table after this one.",
            rollout.CODES,
        ),
        *table(
            "Why its tasks fail",
            "What ``failure.causes`` names, and what to do about it:",
            {code: diagnosis.advice_of(code) for code in causes},
        ),
        *table("Some modules", "What these fail with besides:", own()),
    )
    return "\n".join(lines)


def guide(text: str) -> str:
    """The guide with its tables as they are now."""
    before, rest = text.split(BEGIN)
    _old, after = rest.split(END)
    return f"{before}{BEGIN}\n{sections()}\n{END}{after}"


def main() -> None:
    GUIDE.write_text(guide(GUIDE.read_text()))


if __name__ == "__main__":
    main()
