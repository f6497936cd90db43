"""A skip set as a picture: one cell per layer and kind of token, with its action in letters and colour."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.action_looks import ACTION_LOOKS
from skipit_nb.charts.paper import INK, finished, layer_axis, layered, rows
from skipit_nb.errors import UnboundSkipSetError
from skipit_nb.skipset import MODALITIES, SkipSet

ROW_HEIGHT = 34
CELL_WIDTH = 46


def skipset_chart(skipset: SkipSet) -> alt.LayerChart:
    """Which layers each kind of token skips, and how: A absent, F frozen, W whole, At attention, Ml MLP.

    Raises:
        UnboundSkipSetError: If the set does not know how many layers there are.
    """
    count = _bound_layers(skipset)
    base = rows(_cells(skipset, count)).encode(x=layer_axis(count), y=_y())
    color = alt.Color(
        "action:N", legend=None, scale=alt.Scale(domain=list(ACTION_LOOKS), range=[c for _, c in ACTION_LOOKS.values()])
    )
    cells = base.mark_rect(stroke="#FFFFFF", strokeWidth=2).encode(
        x2="stop:Q", color=color, tooltip=["layer:Q", "action:N"]
    )
    letters = base.mark_text(color=INK, fontSize=11, fontWeight="bold").encode(x=alt.X("middle:Q"), text="letters:N")
    width = max(240, min(CELL_WIDTH * count, 900))
    picture = layered(cells, letters, width=width, height=ROW_HEIGHT * len(MODALITIES))
    subtitle = ["A absent · F frozen · W whole layer skipped · At attention skipped · Ml MLP skipped"]
    return finished(picture, str(skipset), subtitle, f"Skip set {skipset} on {count} layers.")


def _bound_layers(skipset: SkipSet) -> int:
    if skipset.num_layers is None:
        raise UnboundSkipSetError(skipset)
    return skipset.num_layers


def _cells(skipset: SkipSet, count: int) -> list[dict[str, object]]:
    actions = [(layer, name, skipset.action(layer, name)) for layer in range(count) for name in MODALITIES]
    return [
        {
            "layer": layer - 0.5,
            "middle": layer,
            "stop": layer + 0.5,
            "tokens": name,
            "action": action,
            "letters": ACTION_LOOKS[action][0],
        }
        for layer, name, action in actions
    ]


def _y() -> alt.Y:
    return alt.Y("tokens:N", title=None, scale=alt.Scale(domain=list(MODALITIES)), axis=alt.Axis(ticks=False))
