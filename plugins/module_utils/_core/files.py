# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are written as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .error_codes import FILE_NOT_WRITTEN
from .errors import SlipwayError

# How files begin that are not written completely yet.
UNFINISHED = ".slipway-"


def write_text(path: Path, text: str) -> None:
    """All of the file or nothing; its folders are created, and its permissions are kept."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise SlipwayError(
            FILE_NOT_WRITTEN,
            f"{path} cannot be written: {error.strerror}. Correct this, then rerun; files that were already written"
            " are kept.",
        ) from error
