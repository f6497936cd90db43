"""Flips with their images: a table for a notebook cell."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from skipit_nb.charts.pixels import image_url

if TYPE_CHECKING:
    import pandas as pd

    from skipit_nb.results import Comparison

MOST_ROWS = 24
MOST_LETTERS = 300
"""Of one cell: an answer may be megabytes long."""
THUMBNAIL_PIXELS = 96
COLUMNS = {"question": "question", "target": "right answer", "a": "A", "b": "B", "kind": "kind"}


class HasImages(Protocol):
    """What gives a question back for its key: a `Task`."""

    def example(self, key: str, /) -> Any:
        """The question, with its `image`."""


def flips_with_images(comparison: Comparison, task: HasImages, kind: str = "worse") -> FlipTable:
    """The questions that A and B answer differently, to look at: a notebook shows each with its image.

    Args:
        comparison: The result; it holds no images.
        task: The task it is about, which opens them again, such as `load_task("easy-vqa")`.
        kind: "worse" (A right, B wrong), "better", "any" (either), or "changed" (another text, any score).

    Raises:
        SettingError: If it is another kind.
    """
    return FlipTable(comparison.flips(kind), task, kind)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class FlipTable:
    """Flips as a table; in a notebook with images. Whatever a model or a data set wrote is shown as text."""

    frame: pd.DataFrame
    """One row per flip, as `Comparison.flips` gives it."""
    task: HasImages
    kind: str

    def __len__(self) -> int:
        """How many there are, shown or not."""
        return len(self.frame)

    def _repr_html_(self) -> str:
        """The first 24 flips; images as PNG inside the page, opened now."""
        heads = "".join(f"<th>{word}</th>" for word in ("image", *COLUMNS.values()))
        rows = "".join(self._row(row) for row in self.frame.head(MOST_ROWS).to_dict("records"))
        more = f"<p>{len(self) - MOST_ROWS} more in <code>.frame</code></p>" if len(self) > MOST_ROWS else ""
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{more}"

    def _row(self, row: dict[Any, Any]) -> str:
        cells = "".join(f"<td>{_as_text(str(row[name]))}</td>" for name in COLUMNS)
        return f"<tr><td>{self._image(row['key'])}</td>{cells}</tr>"

    def _image(self, key: str) -> str:
        """The thumbnails of one question, or why there are none."""
        try:
            seen = self.task.example(key).image
            images = seen if isinstance(seen, list) else [] if seen is None else [seen]
            urls = [image_url(image, THUMBNAIL_PIXELS) for image in images]
        except Exception as error:  # noqa: BLE001 - a file may be gone since: the words of a flip stand without it
            return _as_text(f"{type(error).__name__}: {error}")
        return "".join(f'<img src="{url}" alt="{_plain(key)}">' for url in urls)

    def __repr__(self) -> str:
        return f"FlipTable({len(self)} flips, {self.kind})"


def _as_text(text: str) -> str:
    """Text as a page shows it; its direction of writing ends with it."""
    return f"<bdi>{_plain(text)}</bdi>"


def _plain(text: str) -> str:
    """The first letters of a text, of which no tag is one."""
    short = text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}… ({len(text):,} letters)"
    return html.escape(short).replace("\0", "\N{REPLACEMENT CHARACTER}")
