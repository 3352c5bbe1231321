"""Draws a recorded terminal session as docs/images/terminal.svg.

script --quiet --command "<command>" session.txt
python docs/terminal.py session.txt
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

IMAGE = Path(__file__).resolve().parent / "images/terminal.svg"
COLUMNS = 110
# `script` frames the session with these.
FRAME = re.compile(r"^Script (?:started|done) .*\n?", re.MULTILINE)
# What was shown of a running task until other output replaced it.
REPLACED = re.compile(r"[^\n]*\r\x1b\[K")


def drawn(session: str) -> str:
    """The session, with its colours, in a terminal's window."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(REPLACED.sub("", FRAME.sub("", session).replace("\r\n", "\n")).strip()))
    # Fonts are the reader's own: a picture that loads fonts from elsewhere is blocked where README files are shown.
    return re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="slipway.aws"), flags=re.DOTALL)


if __name__ == "__main__":
    IMAGE.write_text(drawn(Path(sys.argv[1]).read_text()))
