"""`ValuesTable`: the numbers behind the explorer's pictures, folded away: what a screen reader reads, or one copies."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from skipit_nb.results import BandDistances, RedundancyProfile
from skipit_nb.widgets.explorer.bands import best_bands
from skipit_nb.widgets.parts.assets import script, style

MISSING = "–"


class ValuesTable(anywidget.AnyWidget):
    """Tables under one line that opens them."""

    _esm = script("explorer_values")
    _css = style("table", "explorer_values")

    label = traitlets.Unicode("Values as tables").tag(sync=True)
    tables: traitlets.List[dict[str, Any]] = traitlets.List(traitlets.Dict()).tag(sync=True)
    """One dict a table: `caption`, `columns`, and `rows` of text, whose first column names the row."""

    def __repr__(self) -> str:
        return f"ValuesTable({len(self.tables)} tables)"


def profile_table(profile: RedundancyProfile, epsilon: float, caption: str) -> dict[str, Any]:
    """One row per layer, a column for each quantity and kind of token."""
    kinds = list(dict.fromkeys(row.tokens for row in profile.layers))
    columns = ["layer"]
    for kind in kinds:
        columns += [f"d {kind}", "± s.d.", f"P[d > {epsilon:g}]", "length", "change"]
    columns += ["VAR", "flat"]
    by_kind = [profile.of(kind) for kind in kinds]
    rows = []
    for layer, flow in enumerate(profile.flow_by_layer):
        cells = [str(layer)]
        for rows_of_kind in by_kind:
            row = rows_of_kind[layer]
            values = (row.distance, row.spread, row.tail_at(epsilon), row.norm, row.update)
            cells += [f"{value:.4g}" for value in values]
        rows.append([*cells, *([f"{flow.var:.4g}", f"{flow.uniform:.4g}"] if flow else [MISSING, MISSING])])
    return {"caption": caption, "columns": columns, "rows": rows}


def bands_table(bands: BandDistances, tokens: str) -> dict[str, Any]:
    """For each number of layers the band that turns the tokens least."""
    caption = f"of all bands of so many layers, the one that turns {tokens} tokens least"
    columns = ["layers", "band", "angle / π", "1 − cos"]
    return {"caption": caption, "columns": columns, "rows": best_bands(bands, tokens)}
