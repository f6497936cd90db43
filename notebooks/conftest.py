"""How nbval compares these notebooks: the words, not the drawings.

A table's HTML and a picture's SVG carry ids that are new each time; what they say is in the text beside them.
"""

import pytest

# The course is handed out unsolved, and graded: tests/course does that.
collect_ignore = ["course"]


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Leave HTML and SVG out of the comparison."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("text/html", "image/svg+xml")
