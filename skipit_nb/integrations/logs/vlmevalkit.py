"""The tables of VLMEvalKit: one row an index, in xlsx, tsv or csv, with the score its `evaluate` found.

`_result` of multiple choices holds `hit`, `_auxmatch` of yes/no questions `score`, `_results` of open ones
`eval_score`. The file without an ending of that kind holds answers alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from skipit_nb.errors import LogError, MissingPackageError
from skipit_nb.integrations.logs.log import Document, Log

if TYPE_CHECKING:
    import pandas as pd

HARNESS = "VLMEvalKit"
ENDINGS = (".csv", ".tsv", ".xlsx")
_USUAL = ("hit", "score", "eval_score")
_EXPECTED = "a table with the columns index and prediction, and with hit, score or eval_score once it was evaluated"


def read(path: Path) -> Log:
    """Read a table.

    Raises:
        LogError: If it is no table with an index, or an index stands in it twice.
        MissingPackageError: If it is xlsx and openpyxl is not installed.
    """
    frame = _table(path)
    if not {"index", "prediction"} <= set(frame.columns):
        raise LogError(path, f"its columns are {', '.join(map(str, frame.columns))}", _EXPECTED)
    return Log.of(path, HARNESS, _documents(frame))


def _table(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if path.suffix == ".xlsx":
            return pd.read_excel(path, engine="openpyxl")
        return pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",")
    except ImportError as error:
        raise MissingPackageError(
            "openpyxl", f"reading '{path.name}'", "pip install openpyxl, or save the table as csv"
        ) from error
    except (OSError, ValueError, KeyError, BadZipFile) as error:  # xlsx is a zip, perhaps without its parts
        raise LogError(path, f"it cannot be read ({error})", _EXPECTED) from error


def _documents(frame: pd.DataFrame) -> Iterator[Document]:
    numbers = {str(name) for name in frame.select_dtypes(["number", "bool"]).columns} - {"index"}
    usual = [name for name in _USUAL if name in numbers]
    for row in frame.to_dict("records"):
        yield Document(
            key=str(row["index"]),
            # Other numbers, such as a line's own, are scores only if somebody says so: `metric=` finds them in the row.
            scores={name: row[name] for name in usual},
            identity=str(row.get("answer")),
            row={str(name): value for name, value in row.items()},
        )
