"""`SkipSetBuilder`: a skip set drawn by hand, under the paper's conditions."""

from skipit_nb.widgets.builder.builder import SkipSetBuilder

__all__ = ["SkipSetBuilder"]
