"""`ABEvaluator`: one skip set against another, on the same questions."""

from skipit_nb.widgets.evaluator.evaluator import ABEvaluator

__all__ = ["ABEvaluator"]
