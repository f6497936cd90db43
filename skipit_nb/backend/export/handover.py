"""A skip set leaves the session: into a folder that transformers opens."""

from __future__ import annotations

import contextlib
import copy
from pathlib import Path

from skipit_nb.backend.export.draft import Draft
from skipit_nb.backend.export.forms import form_of
from skipit_nb.backend.export.new_folder import new_folder, refuse_taken
from skipit_nb.backend.export.skip_config import write_skip_config
from skipit_nb.backend.live.limits import refuse_unsupported
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.quiet import quiet_transformers
from skipit_nb.errors import MissingProcessorError
from skipit_nb.results import Exported
from skipit_nb.skipset import SkipSet

SHARD = "5GB"
"""Weights are written in pieces of this size: what is on a card passes through memory piece by piece."""


def export(live: LiveModel, skipset: SkipSet, path: str | Path, *, form: str, overwrite: bool) -> Exported:
    """Write the model under a bound skip set into a folder; see `Session.export`."""
    refuse_unsupported(live.model, live.anatomy, skipset)
    target = Path(path).expanduser().resolve()
    refuse_taken(target, overwrite=overwrite)
    with quiet_transformers():
        chosen = form_of(live, skipset, form)
    with quiet_transformers(), new_folder(target, needed_bytes=_num_bytes(chosen.draft)) as folder:
        _save(live, chosen.draft, folder)
        if chosen.name == "config":
            write_skip_config(folder, skipset, live.provenance())
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Exported(chosen.name, str(path), skipset, chosen.why, len(chosen.draft.kept), size)


def _num_bytes(draft: Draft) -> int:
    """Bytes of the weights; tied ones count once."""
    return sum({tensor.data_ptr(): tensor.nbytes for tensor in draft.weights.values()}.values())


def _save(live: LiveModel, draft: Draft, folder: Path) -> None:
    """Write by transformers' own `save_pretrained`, which notes things on the model it is called on: on a double."""
    double = copy.copy(live.model)
    double.config = draft.config
    double.generation_config = copy.deepcopy(live.model.generation_config)
    double.save_pretrained(folder, state_dict=dict(draft.weights), max_shard_size=SHARD)
    with contextlib.suppress(MissingProcessorError):
        live.processor.save_pretrained(folder)
