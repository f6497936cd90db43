"""Whether scores foretell what skipping costs, as a picture: rank correlations beside what chance gives."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.marks import Look
from skipit_nb.charts.paper import FAINT, Row, finished, layered, measured_on, panel, rows, series_looks
from skipit_nb.errors import SettingError
from skipit_nb.results import OUTCOMES, SCORES, Agreement

PANEL_WIDTH, ROW_HEIGHT = 190, 24
COLUMNS = 3
MARKS = {
    "above 95 % of random orders": Look("#0072B2", "circle", (1, 0)),
    "not above": Look("#6B6B6B", "cross", (1, 0)),
}
LOST = {"accuracy": "accuracy lost", "log_likelihood": "log-likelihood of the right answer lost"}


def agreement_chart(agreement: Agreement, outcome: str = "log_likelihood") -> alt.VConcatChart:
    """A panel per family of skip sets, a row per score: Spearman's correlation with what skipping costs, -1 to 1.

    1 means the higher the score, the more skipping costs, as it should be. The bar is the 95 % interval over images;
    the upright tick is what 95 % of random orders of the layers' scores stay below. A score is above chance where its
    point is right of the tick. Where all scores or all costs are equal there is no rank, and no point.

    Args:
        agreement: What was measured.
        outcome: "log_likelihood" or "accuracy" of the right answer.

    Raises:
        SettingError: If the outcome is neither.
    """
    if outcome not in OUTCOMES:
        raise SettingError("outcome", outcome, f"one of {', '.join(OUTCOMES)}")
    families = list(dict.fromkeys(row.family for row in agreement.rows))
    panels = [_panel(agreement, family, outcome, has_names=at % COLUMNS == 0) for at, family in enumerate(families)]
    lines = [alt.hconcat(*panels[at : at + COLUMNS], spacing=16) for at in range(0, len(panels), COLUMNS)]
    title = "Do scores that need no answers foretell what skipping costs?"
    scored = f"scores from {agreement.num_scored} questions, costs from the others, on other images"
    subtitle = [measured_on(agreement.provenance), f"cost: {LOST[outcome]}; {scored}"]
    words = f"{title} Spearman's rank correlation per score and family, 1 is best. {_words(agreement, outcome)}"
    return finished(alt.vconcat(*lines, spacing=14), title, subtitle, words)


def agreement_rows(agreement: Agreement, family: str, outcome: str) -> list[Row]:
    """One row per score that has a rank correlation: score, rho, its interval low and high, chance, mark, p."""
    above, not_above = MARKS
    return [
        {
            "score": row.score,
            "rho": row.rho,
            "low": row.low,
            "high": row.high,
            "chance": row.chance,
            "mark": above if row.chance is not None and row.rho > row.chance else not_above,
            "p": row.p,
        }
        for row in agreement.rows
        if (row.family, row.outcome) == (family, outcome) and row.rho is not None
    ]


def _panel(agreement: Agreement, family: str, outcome: str, *, has_names: bool) -> alt.LayerChart:
    values = agreement_rows(agreement, family, outcome)
    sets = next(row.sets for row in agreement.rows if row.family == family)
    title = "rank correlation (1 = foretold)"
    scale = alt.Scale(domain=[-1, 1], nice=False)
    x = alt.X("rho:Q", title=title, scale=scale, axis=alt.Axis(values=[-1, -0.5, 0, 0.5, 1], format="~g"))
    y = alt.Y("score:N", scale=alt.Scale(domain=list(SCORES)), sort=None, axis=alt.Axis(title=None, labels=has_names))
    looks = series_looks("mark", MARKS)
    base = rows(values).encode(y=y)
    zero = rows([{"rho": 0}]).mark_rule(color=FAINT, strokeDash=[4, 3]).encode(x=x)
    ranked = [row for row in values if row["low"] is not None]
    interval = rows(ranked).mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q", y=y)
    chance = base.mark_tick(thickness=2, height=16, color=FAINT, orient="vertical").encode(
        x=alt.X("chance:Q", title=title)
    )
    unranked = [{"score": name, "words": "no rank"} for name in SCORES if name not in {row["score"] for row in values}]
    words = rows(unranked).mark_text(color=FAINT, fontSize=10, align="left", dx=4)
    tooltip = ["score:N", *(alt.Tooltip(f"{name}:Q", format="+.2f") for name in ("rho", "low", "high", "chance"))]
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        x=x, shape=looks["shape"], color=looks["color"], tooltip=[*tooltip, alt.Tooltip("p:Q", format=".3f")]
    )
    said = words.encode(x=alt.value(PANEL_WIDTH / 2), y=y, text="words:N")
    marks = layered(zero, chance, interval.encode(color=looks["color"]), points, said)
    return panel(marks, f"{family} ({sets} sets)", ROW_HEIGHT * len(SCORES), PANEL_WIDTH)


def _words(agreement: Agreement, outcome: str) -> str:
    above, _ = MARKS
    sentences = []
    for family in dict.fromkeys(row.family for row in agreement.rows):
        told = [r["score"] for r in agreement_rows(agreement, family, outcome) if r["mark"] == above]
        sentences.append(f"{family}: {', '.join(told) or 'no score'} above chance.")
    return " ".join(sentences)
