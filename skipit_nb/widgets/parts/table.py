"""`Table`: a small table of text."""

from __future__ import annotations

from collections.abc import Sequence

import anywidget
import traitlets

from skipit_nb.widgets.parts.assets import script, style


class Table(anywidget.AnyWidget):
    """Rows of text under a caption. The first column names the row; the others are aligned as numbers."""

    _esm = script("table")
    _css = style("table")

    label = traitlets.Unicode("").tag(sync=True)
    """The line under which the table is folded away until one opens it; "" for a table that is always there."""
    caption = traitlets.Unicode("").tag(sync=True)
    columns: traitlets.List[str] = traitlets.List([]).tag(sync=True)
    rows: traitlets.List[list[str]] = traitlets.List([]).tag(sync=True)
    words: traitlets.List[int] = traitlets.List([]).tag(sync=True)
    """Indices of columns that hold words and are aligned left."""
    bars: traitlets.List[list[float]] = traitlets.List([]).tag(sync=True)
    """For each row the lengths of two bars, A above B, as shares; [] for none. The numbers stand in the cells."""

    def draw(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        caption: str = "",
        words: Sequence[int] = (),
        bars: Sequence[Sequence[float]] = (),
    ) -> None:
        """Show these rows, in one message to the page."""
        with self.hold_sync():
            self.columns, self.rows = list(columns), [list(row) for row in rows]
            self.caption, self.words, self.bars = caption, list(words), [list(pair) for pair in bars]

    def __repr__(self) -> str:
        return f"Table({self.caption!r}, {len(self.rows)} rows)"
