"""The first notebook's story, headless: where is the model redundant, what may I skip, what does it cost?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from skipit_nb import charts
from skipit_nb.cli.tables import as_table, show

if TYPE_CHECKING:
    from skipit_nb.session import Session

PROFILED = 200
"""Questions of the profile; the A/B takes others of the same task."""
MARGIN = 0.02


def tell(session: Session, task: str, limit: int, seed: int, out: Path) -> None:
    """Print the three answers and save their pictures.

    Args:
        session: An open model.
        task: A task's name.
        limit: Questions of the A/B.
        seed: Of the sampling.
        out: Folder of the pictures.
    """
    show(f"{session} on {task}\n\n1. Where is the model redundant?\n")
    profile = session.profile(task, limit=PROFILED, seed=seed)
    show(as_table(profile.frame[profile.frame.tokens != "first"]))

    show("\n2. Which layers may I skip?\n")
    advice = session.recommend(profile)
    show(as_table(advice.frame.drop(columns="action")))
    show(f"\nRecommended: {advice.skipset}")

    show("\n3. What does it cost me, and what do I gain?\n")
    result = session.compare(task, None, advice.skipset, limit=limit, seed=seed, margin=MARGIN)
    show(as_table(result.summary))
    show(f"\n{result.verdict.sentence}\n")
    show(as_table(result.by_kind()))

    pictures = {
        "1-redundancy.png": charts.profile_chart(profile, 0.02, scale="log"),
        "2-conditions.png": charts.conditions_chart(advice),
        "3-comparison.png": charts.comparison_chart(result),
    }
    for name, chart in pictures.items():
        chart.save(out / name, scale_factor=2)
    show(f"\nPictures are in {out}: {', '.join(pictures)}")
