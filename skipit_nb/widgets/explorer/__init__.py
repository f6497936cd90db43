"""`LayerDistanceExplorer`: how far each layer moves each kind of token, in plots and over the image."""

from skipit_nb.widgets.explorer.explorer import LayerDistanceExplorer

__all__ = ["LayerDistanceExplorer"]
