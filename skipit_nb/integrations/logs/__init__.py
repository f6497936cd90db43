"""Runs of other harnesses under our statistics: `read_logs(A, B)`, and `skipit judge A B` in a terminal."""

from skipit_nb.integrations.logs.reading import read_logs

__all__ = ["read_logs"]
