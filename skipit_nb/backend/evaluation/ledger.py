"""A folder that keeps every answer as soon as it is there, so that a run that died goes on where it stopped.

    manifest.json   what decides the answers, for each configuration that wrote here
    answers.jsonl   one line per answer: configuration, question (its key, and a digest of what is asked), answer
    scores.jsonl    one line per question and skip set of a sweep: configuration, key, scores
    errors.jsonl    one line per question that had an error: configuration, key, error

An answer is found again by configuration and question, so two skip sets never share one, and a changed model, prompt,
question, image or library finds nothing. Times are not kept: they are measured anew. Nor are scores of answers: they
are computed from them. A question with an error is asked again; its error is a line for people, and tells that its
batch was done.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from skipit_nb.backend.evaluation.lines import Lines
from skipit_nb.errors import LedgerError

MANIFEST, ANSWERS, SCORES, ERRORS = "manifest.json", "answers.jsonl", "scores.jsonl", "errors.jsonl"
FORMAT = 1

_WORDS = {ANSWERS: "answer", SCORES: "scores", ERRORS: "error"}

Row = tuple[str, str, Any]
"""Configuration, what the question is called here, and the answer, scores or error."""


class Ledger:
    """The answers in one folder."""

    def __init__(self, folder: str | Path) -> None:
        """Open a ledger, or begin one.

        Raises:
            LedgerError: If the folder holds something else, a line before the last is damaged, or it cannot be written.
        """
        self.folder = Path(folder)
        with _named(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._configurations = self._read_manifest()
            self._kept = {name: self._read(name) for name in (ANSWERS, SCORES, ERRORS)}

    def __len__(self) -> int:
        """Answers kept."""
        return len(self._kept[ANSWERS])

    @property
    def configurations(self) -> dict[str, dict[str, Any]]:
        """What decides the answers, by fingerprint."""
        return dict(self._configurations)

    def register(self, decides: Mapping[str, Any]) -> str:
        """Note a configuration in the manifest; gives its fingerprint.

        Raises:
            LedgerError: If the manifest cannot be written. The old one is untouched then.
        """
        name = fingerprint(decides)
        if name not in self._configurations:
            known = self._configurations | {name: dict(decides)}
            text = json.dumps({"format": FORMAT, "configurations": known}, indent=1, sort_keys=True)
            with _named(self.folder):
                replace_file(self.folder / MANIFEST, text + "\n")
            self._configurations = known
        return name

    def answer(self, configuration: str, key: str) -> str | None:
        """The answer to a question; None if it was not answered under this configuration."""
        return self._kept[ANSWERS].get((configuration, key))

    def scores(self, configuration: str, key: str) -> dict[str, Any] | None:
        """What a sweep found for a question under this configuration; None if it did not ask it."""
        return self._kept[SCORES].get((configuration, key))

    def error(self, configuration: str, key: str) -> str | None:
        """What was wrong with a question when it was last asked; None if nothing was."""
        return self._kept[ERRORS].get((configuration, key))

    def __getitem__(self, asked: tuple[str, str]) -> str:
        """The answer that is known to be there: by configuration and key."""
        return str(self._kept[ANSWERS][asked])

    def keep(self, rows: Sequence[Row], name: str = ANSWERS) -> None:
        """Append answers, or what else has a file here, and see them on disk.

        Raises:
            LedgerError: If they cannot be written, such as on a full disk.
        """
        if not rows:
            return
        word = _WORDS[name]
        with _named(self.folder):
            Lines(self.folder / name).add([dict(zip(("configuration", "key", word), row, strict=True)) for row in rows])
        self._kept[name] |= {(configuration, key): value for configuration, key, value in rows}

    def _read_manifest(self) -> dict[str, dict[str, Any]]:
        path = self.folder / MANIFEST
        if not path.exists():
            if any(self.folder.iterdir()):
                raise LedgerError(self.folder, "it holds files, but no manifest.json of a ledger")
            return {}
        try:
            manifest = json.loads(path.read_text("utf-8"))
            if manifest["format"] != FORMAT:
                raise LedgerError(self.folder, f"it has format {manifest['format']}, this version reads {FORMAT}")
            return dict(manifest["configurations"])
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(self.folder, f"its manifest.json cannot be read ({type(error).__name__})") from error

    def _read(self, name: str) -> dict[tuple[str, str], Any]:
        """All lines of a file; a last line that is torn, because its writer was killed, is cut off."""
        found: dict[tuple[str, str], Any] = {}
        for number, row in Lines(self.folder / name):
            try:
                found[row["configuration"], row["key"]] = row[_WORDS[name]]
            except (KeyError, TypeError) as error:
                raise LedgerError(self.folder, f"line {number} of {name} is damaged") from error
        return found


def fingerprint(decides: Mapping[str, Any]) -> str:
    """One name for everything that decides an answer; the order of the entries does not matter."""
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def replace_file(path: Path, text: str) -> None:
    """Write a file completely or not at all."""
    fresh = path.with_name(path.name + ".tmp")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


@contextlib.contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Turn what the system says into an error that names the ledger."""
    try:
        yield
    except LedgerError:
        raise
    except OSError as error:
        raise LedgerError(folder, error.strerror or str(error)) from error
