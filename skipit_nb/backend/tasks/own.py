"""Questions of one's own: a DataFrame, dicts, a folder of images; each row read by names, templates or functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from skipit_nb.backend.tasks.cells import as_text, as_texts, is_missing
from skipit_nb.backend.tasks.hub.benchmark import with_options
from skipit_nb.backend.tasks.judges import Judge
from skipit_nb.backend.tasks.pictures import digest, opened
from skipit_nb.backend.tasks.scoring.grouped import metric_names
from skipit_nb.backend.tasks.scoring.registry import known_scorer
from skipit_nb.backend.tasks.task import GENERATE_UNTIL, Example, Task
from skipit_nb.backend.tasks.templates import filled, is_template
from skipit_nb.errors import NoExamplesError, SettingError, TaskDataError

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
Reader = str | Callable[[Row], Any]
"""The name of a column, a template such as ``"{{question}} Answer briefly."``, or a function of the row."""

QUESTIONS = "questions.csv"
"""The table in a folder of images."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a row becomes a question; the names are lmms-eval's."""

    doc_to_text: Reader = "question"
    """The question. A column's text gets the options written below it; a template or a function says all."""
    doc_to_visual: Reader | None = "image"
    """The image, a list of them, or None: a path, encoded bytes, a PIL image, an array. None: no question has one."""
    doc_to_target: Reader | int = "answer"
    """The right answer; a list of several people's; of a multiple choice its letter, its text, or its number from 0."""
    doc_to_choice: Reader | Sequence[str] | None = None
    """The options, or the same for all rows. None: the column `choices` or the columns A, B, C, … if they are there."""
    process_results: Callable[[Row, list[str]], Any] | None = None
    """Scores `(row, [answer])` in place of `scorer`: a number from 0 to 1, or a dict of them."""
    score_key: str | None = None
    """Which number of that dict counts; None where there is one, or one called exact_match, acc or score."""
    cluster_key: Reader | None = None
    """Which image, or what else, a question shares with others; None for the image itself, by path or content."""
    kind: Reader | None = None
    """The type of question; None for the column `kind` if it is there."""
    group: Reader | None = None
    """What is right or wrong together, for the metrics "mme" and "circular"."""
    scorer: str | None = None
    """The rule, one of `scorer_names()`; None for "choice" where there are options, else "exact"."""
    metric: str = "accuracy"
    """What scores are put together to, one of `metric_names()`."""
    max_new_tokens: int = 16
    """How many tokens a model may write as its answer."""
    output_type: str = GENERATE_UNTIL
    """How a question is answered: by what a model writes, or, "multiple_choice", by the likeliest of its options."""
    until: str | Sequence[str] = ()
    """Texts that end an answer: it is cut before the first of them. An empty one ends nothing."""

    def __post_init__(self) -> None:
        """Refuse what no row could mend.

        Raises:
            SettingError: If scorer, metric, max_new_tokens or until is out of range.
        """
        if self.scorer is not None:
            known_scorer(self.scorer)
        if self.metric not in metric_names():
            raise SettingError("metric", self.metric, f"one of {', '.join(metric_names())}")
        if self.max_new_tokens < 1:
            raise SettingError("max_new_tokens", self.max_new_tokens, "at least 1")
        if not all(isinstance(end, str) for end in self.ends):
            raise SettingError("until", self.until, "a text that ends an answer, or a list of them")

    @property
    def ends(self) -> tuple[str, ...]:
        """The texts that end an answer."""
        return tuple(filter(None, [self.until] if isinstance(self.until, str) else self.until))


def from_dicts(rows: Iterable[Row], name: str, **reading: Any) -> Task:
    """Make a task of dicts; see `Task.from_dicts`."""
    return task_of(rows, name, Reading(**reading), version="own rows")


def from_frame(frame: pd.DataFrame, name: str, **reading: Any) -> Task:
    """Make a task of a DataFrame; see `Task.from_frame`."""
    columns = [str(column) for column in frame.columns]
    rows = (dict(zip(columns, row, strict=True)) for row in frame.itertuples(index=False, name=None))
    return task_of(rows, name, Reading(**reading), version="own frame")


def from_folder(folder: Path, name: str, **reading: Any) -> Task:
    """Make a task of a folder of images with a `questions.csv`; see `Task.from_folder`."""
    import pandas as pd

    path = folder / QUESTIONS
    if not path.is_file():
        raise TaskDataError(
            f"the folder '{folder}'", f"there is no {QUESTIONS}", "one with columns image, question, answer"
        )
    try:
        # As text, and as it stands: "NA" and "none" are answers, not gaps.
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise TaskDataError(f"'{path}'", str(error), "a table in UTF-8 with one line of names") from error
    reader = Reading(**reading)
    column = reader.doc_to_visual
    rows = [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
    if isinstance(column, str) and column in frame.columns:
        for line, row in enumerate(rows, start=2):
            row[column] = _file_of(folder, row[column], line) if row[column] else None
    return task_of(rows, name or folder.resolve().name, reader, version=f"own folder {folder.name}")


def task_of(rows: Iterable[Row], name: str, reading: Reading, *, version: str, split: str = "own") -> Task:
    """Make a task of rows.

    Raises:
        NoExamplesError: If there are no rows.
        TaskDataError: If a row has no question, no answer, or no image where it should have one.
    """
    if "/" in name or not name:
        raise SettingError("name", name, "a name without a slash: it begins the keys of the questions")
    examples = tuple(
        _example(number, dict(row), f"{name}/{split}/{number:05d}", reading) for number, row in enumerate(rows)
    )
    if not examples:
        raise NoExamplesError(f"task {name!r}")
    return Task(
        name, split, version, examples, reading.max_new_tokens, reading.metric, reading.ends, reading.output_type
    )


def _example(number: int, row: Row, key: str, reading: Reading) -> Example:
    where = f"row {number}"
    choices, (name, picture) = _choices(row, reading, where), _image(row, reading, where)
    answer, answers = _target(row, reading, choices, where)
    judge = None
    if reading.process_results is not None:
        judge = Judge(reading.process_results, row, reading.score_key, key)
    return Example(
        key=key,
        question=_question(row, reading, choices, where),
        answer=answer,
        kind=_optional(row, reading.kind, "kind", where),
        cluster=(name if reading.cluster_key is None else _optional(row, reading.cluster_key, "cluster", where)) or key,
        loader=partial(_seen, reading.doc_to_visual, row, where, key),
        answers=answers,
        choices=choices,
        scorer=reading.scorer or ("choice" if choices else "exact"),
        group=_optional(row, reading.group, "group", where),
        judge=judge,
        picture=picture,
    )


def _read(reader: Any, row: Row, where: str, what: str) -> Any:
    """What a reader finds in a row.

    Raises:
        TaskDataError: If it names a column that is not there.
    """
    if callable(reader):
        return reader(row)
    if isinstance(reader, str) and reader in row:
        return row[reader]
    if isinstance(reader, str) and is_template(reader):
        return filled(reader, row)
    raise TaskDataError(where, f"there is no column {reader!r} for its {what}", f"one of {', '.join(map(str, row))}")


def _optional(row: Row, reader: Reader | None, column: str, where: str) -> str:
    if reader is None and column not in row:
        return ""
    value = _read(reader or column, row, where, column)
    return "" if is_missing(value) else as_text(value)


def _question(row: Row, reading: Reading, choices: Sequence[str], where: str) -> str:
    reader = reading.doc_to_text
    value = _read(reader, row, where, "question")
    text = "" if is_missing(value) else as_text(value)
    if not text.strip():
        raise TaskDataError(where, "it has no question", "some text")
    is_column = isinstance(reader, str) and reader in row
    return with_options(text, choices) if choices and is_column else text


def _choices(row: Row, reading: Reading, where: str) -> tuple[str, ...]:
    reader = reading.doc_to_choice
    if reader is None:
        lettered = [row[letter] for letter in ascii_uppercase if letter in row] if {"A", "B"} <= set(row) else []
        value = (
            row["choices"]
            if "choices" in row
            else [cell for cell in lettered if as_text(cell) and not is_missing(cell)]
        )
    else:
        value = reader if isinstance(reader, list | tuple) else _read(reader, row, where, "options")
    if value is None:
        return ()
    choices = as_texts(value)
    if choices is None or len(choices) > len(ascii_uppercase):
        raise TaskDataError(where, f"its options are {value!r}", "a list of texts, at most 26")
    return choices


def _target(row: Row, reading: Reading, choices: Sequence[str], where: str) -> tuple[str, tuple[str, ...]]:
    """The right answer, and all that people gave if they are several."""
    reader = reading.doc_to_target
    value = reader if isinstance(reader, int) else _read(reader, row, where, "answer")
    several = as_texts(value)
    if several:
        return max(several, key=several.count), several
    if several is not None or is_missing(value) or not as_text(value).strip():
        raise TaskDataError(where, "it has no answer", "a text, a number, yes or no, or a list of people's answers")
    return (_letter_of(value, choices, where) if choices else as_text(value).strip()), ()


def _letter_of(value: Any, choices: Sequence[str], where: str) -> str:
    """The letter of the right option, however it is named."""
    letters, text = ascii_uppercase[: len(choices)], as_text(value).strip()
    if text.upper() in list(letters):
        return text.upper()
    if text in choices:
        return letters[choices.index(text)]
    if text.isdecimal() and int(text) < len(choices):
        return letters[int(text)]
    raise TaskDataError(where, f"its answer is {text!r}", f"one of its options {', '.join(choices)}, or their letter")


def _image(row: Row, reading: Reading, where: str) -> tuple[str, str]:
    """What names a row's image, "" if it has none, and what tells it from another one of that name."""
    if reading.cluster_key is not None and callable(reading.doc_to_visual):
        # It may be slow, and nobody has asked for the image yet.
        return "", digest(list(row.values()))
    visual = _visual(reading.doc_to_visual, row, where)
    if visual is None:
        return "", ""
    if isinstance(visual, str | Path):
        return str(visual), _stamp(visual)
    return (found := digest(visual)), found


def _stamp(path: str | Path) -> str:
    """Size and time of a file; "" if it is not there."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def _visual(reader: Reader | None, row: Row, where: str) -> Any:
    """The image as the row has it; None if it has none."""
    value = None if reader is None else _read(reader, row, where, "image")
    return None if is_missing(value) or (isinstance(value, list) and not value) else value


def _seen(reader: Reader | None, row: Row, where: str, key: str) -> Any:
    return opened(_visual(reader, row, where), key)


def _file_of(folder: Path, name: str, line: int) -> str:
    path = folder / name
    if not path.is_file():
        raise TaskDataError(
            f"line {line} of {QUESTIONS}", f"there is no image '{path}'", "the name of a file in the folder"
        )
    return str(path)
