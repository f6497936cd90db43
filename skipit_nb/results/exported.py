"""`Exported`: what was written where, and why in that form."""

from __future__ import annotations

from dataclasses import dataclass

from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class Exported(Stored):
    """A skip set that left the session: as a checkpoint without the skipped layers, or beside the whole model."""

    form: str
    """"pruned": the layers are gone. "config": the whole model, and the set in `skip_config.json`.
    "per_layer_config": the whole model, and the set in transformers' own `config.json`."""
    path: str
    """The folder."""
    skipset: SkipSet
    """The set, bound."""
    reason: str
    """Why this form: what was proven of a pruned checkpoint, or why there can be none."""
    num_layers: int
    """Decoder layers of the model in the folder."""
    bytes: int
    """Size of the folder."""

    @property
    def code(self) -> str:
        """Python that opens the folder and runs its model under the set, by transformers alone where that is enough."""
        opened = f"model = AutoModelForImageTextToText.from_pretrained({self.path!r})"
        if self.form == "config":
            return f"{opened}\nwith skipit_nb.exported_skips(model, {self.path!r}):\n    model.generate(**inputs)"
        return f"{opened}\nmodel.generate(**inputs)"

    def __str__(self) -> str:
        wrote = {
            "pruned": f"a pruned checkpoint, {self.num_layers} of {self.skipset.num_layers} layers",
            "config": f"the whole model and '{self.skipset}' in skip_config.json",
            "per_layer_config": f"the whole model and '{self.skipset}' in config.json",
        }[self.form]
        code = "\n".join(f"    {line}" for line in self.code.splitlines())
        return f"{self.path}: {wrote}, {self.bytes / 1e6:,.1f} MB.\n{self.reason[:1].upper()}{self.reason[1:]}.\n{code}"
