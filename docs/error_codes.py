"""Writes the tables of error codes into the guide on troubleshooting, from the code: `make docs`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".ansible/collections"))

from ansible_collections.slipway.aws.plugins.module_utils._core import errors  # noqa: E402
from ansible_collections.slipway.aws.plugins.module_utils._ecs import diagnosis, rollout  # noqa: E402

GUIDE = ROOT / "docs/docsite/rst/guide_troubleshooting.rst"
BEGIN, END = ".. codes: written by `make docs`\n", ".. codes: end\n"
SPACES = re.compile(r"\s+")

# What a person does about what any module can fail with.
CALLS = {
    errors.ACCESS_DENIED: "AWS does not allow the call that is named. Let the credentials' owner make it.",
    errors.AWS_ERROR: "AWS answered with a fault of its own. Try again; its support asks for ``request_id``.",
    errors.CONFLICT: "Something else is being done to the resource, or its name is taken. Wait for it, then try again.",
    errors.INVALID_OPTION: "An option cannot be right; nothing was changed. ``problems`` lists all that is wrong.",
    errors.LIMIT_EXCEEDED: "A quota of the account is used up. Ask AWS to raise it, or remove what is not needed.",
    errors.NO_CONNECTION: "AWS cannot be reached: check the network, a proxy, ``region`` and ``endpoint_url``.",
    errors.NO_CREDENTIALS: "There are no usable credentials. Sign in, for instance with ``aws sso login``.",
    errors.NOT_FOUND: "What is named does not exist, in this region and account.",
    errors.REFUSED: "AWS refuses the request for what it says.",
    errors.THROTTLED: "AWS was asked too often, even after ten tries. Lower ``parallel``, or run less at a time.",
    errors.TIMEOUT: "Waiting took too long. The message says what was seen last.",
}


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
