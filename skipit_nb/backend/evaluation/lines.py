"""A file of JSON lines that is only ever added to, and survives a writer that was killed in the middle of one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


class Lines:
    """The lines of one file; each line is an object."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """Give each line with its number, from 1; a last line that is torn is cut off first.

        A line that is no JSON is given as None.
        """
        if not self.path.exists():
            return
        whole, _, torn = self.path.read_bytes().rpartition(b"\n")
        if torn:
            os.truncate(self.path, len(whole) + 1 if whole else 0)
        for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
            try:
                yield number, json.loads(line)
            except ValueError:
                yield number, None

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Append rows and see them on disk, all of them or none.

        Raises:
            OSError: If they cannot be written, such as on a full disk.
        """
        text = "".join(json.dumps(row) + "\n" for row in rows)
        with self.path.open("ab") as file:
            before = file.tell()
            try:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)  # what follows must not begin in the middle of a line
                raise
