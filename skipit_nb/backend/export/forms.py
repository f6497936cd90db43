"""The forms in which a skip set can leave, each with a draft that says it exactly and the reason why it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import transformers

from skipit_nb.backend.export.draft import Draft, pruned_draft, whole_draft
from skipit_nb.backend.export.per_layer_config import per_layer_draft, reasons_against_parts
from skipit_nb.backend.export.proof import NotTheSameError, proven
from skipit_nb.backend.export.reasons import reasons_against_new_weights, reasons_against_pruning
from skipit_nb.backend.export.trial import trial_prompt
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.errors import SettingError, UnsupportedExportError
from skipit_nb.skipset import SkipSet


class Form(NamedTuple):
    """A draft under its form's name, and why it says what the skip set says."""

    name: str
    draft: Draft
    why: str


def form_of(live: LiveModel, skipset: SkipSet, name: str) -> Form:
    """The form by its name; "auto" is a pruned checkpoint where that is exact, otherwise the set beside the model.

    Raises:
        SettingError: If there is no such form.
        UnsupportedExportError: If the form cannot say the set.
    """
    if name not in FORMS:
        raise SettingError("form", name, f"one of {', '.join(FORMS)}")
    return FORMS[name](live, skipset)


def _auto(live: LiveModel, skipset: SkipSet) -> Form:
    try:
        return _pruned(live, skipset)
    except UnsupportedExportError as refusal:
        return _config(live, skipset)._replace(why=f"a checkpoint without layers cannot say this: {refusal.why}")


def _pruned(live: LiveModel, skipset: SkipSet) -> Form:
    what = "a pruned checkpoint"
    _refuse(skipset, what, reasons_against_pruning(live.model, live.anatomy, skipset))
    if skipset.is_empty:
        return Form("pruned", whole_draft(live.model, live.anatomy), "nothing is skipped, so it is the model as it is")
    draft = pruned_draft(live.model, live.anatomy, skipset.layers("whole"))
    return Form("pruned", *_proven(live, draft, skipset, what))


def _config(live: LiveModel, _: SkipSet) -> Form:
    return Form("config", whole_draft(live.model, live.anatomy), "this form says every skip set exactly")


def _per_layer_config(live: LiveModel, skipset: SkipSet) -> Form:
    what = f"the per_layer_config of transformers {transformers.__version__}"
    _refuse(skipset, what, (*reasons_against_parts(skipset), *reasons_against_new_weights(live.model)))
    draft = per_layer_draft(live.model, live.anatomy, skipset)
    return Form("per_layer_config", *_proven(live, draft, skipset, what))


FORMS: dict[str, Callable[[LiveModel, SkipSet], Form]] = {
    "auto": _auto,
    "pruned": _pruned,
    "config": _config,
    "per_layer_config": _per_layer_config,
}


def _refuse(skipset: SkipSet, what: str, reasons: Iterable[str]) -> None:
    for why in reasons:
        raise UnsupportedExportError(skipset, what, why)


def _proven(live: LiveModel, draft: Draft, skipset: SkipSet, what: str) -> tuple[Draft, str]:
    try:
        return proven(live.model, draft, skipset, trial_prompt(live))
    except NotTheSameError as difference:
        raise UnsupportedExportError(skipset, what, str(difference)) from difference
