"""`SkipSet`, its cells and its written form."""

from skipit_nb.skipset.cells import LAYER_ACTIONS, MODALITIES, MODALITY_ACTIONS, Action
from skipit_nb.skipset.skipset import Layers, SkipSet

__all__ = ["LAYER_ACTIONS", "MODALITIES", "MODALITY_ACTIONS", "Action", "Layers", "SkipSet"]
