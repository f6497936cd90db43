"""How an answer is scored: one rule a file, found by name; each gives the value, whether it could read, and how."""

from skipit_nb.backend.tasks.scoring.exact import normalized
from skipit_nb.backend.tasks.scoring.grouped import metric_names, put_together
from skipit_nb.backend.tasks.scoring.registry import known_scorer, score, scorer_names
from skipit_nb.backend.tasks.scoring.score import Score

__all__ = ["Score", "known_scorer", "metric_names", "normalized", "put_together", "score", "scorer_names"]
