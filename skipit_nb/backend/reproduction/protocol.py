"""The acceptance checks on one model and task: first what is fixed without labels, then what labels say of it."""

from __future__ import annotations

from skipit_nb.backend.evaluation.answering import refuse_without_images
from skipit_nb.backend.reproduction.checks import (
    Unable,
    distance_check,
    flow_check,
    middle_check,
    predicted_check,
    ranking_check,
)
from skipit_nb.backend.reproduction.fixing import Fixed, fix
from skipit_nb.backend.reproduction.judging import Judged, judge
from skipit_nb.backend.selection.calibration import Calibration
from skipit_nb.backend.selection.splitting import halves
from skipit_nb.results import BandAccuracy, Check, Reproduction
from skipit_nb.skipset import SkipSet

LLAVA_EXCEPTED = 2
"""First layers of a LLaVA whose VAR is left out: high there, although vision tokens may enter later."""


def reproduce(data: Calibration, *, margin: float, instruction: str, max_new_tokens: int) -> Reproduction:
    """Run the checks.

    Args:
        data: The questions of both halves, as the model will read them.
        margin: Accuracy that may be lost, as a share.
        instruction: What stands below each question, for the record.
        max_new_tokens: Longest answer.

    Raises:
        SettingError: If the questions are about one image.
        NoImagesError: If no question has an image.
        UnsupportedSkipError: If the model can leave out vision tokens in no band.
    """
    refuse_without_images(data.examples, [SkipSet.absent(0)])
    first, second = halves(data.examples, data.provenance.seed)
    fixed = fix(data.on(first))  # sees no answer, and is not touched after this line
    judged = judge(data.on(second), fixed, max_new_tokens)
    return Reproduction(
        provenance=data.on([*first, *second]).provenance,
        num_fixed=len(first),
        margin=margin,
        instruction=instruction,
        guess=judged.guess,
        predicted=fixed.predicted,
        span=fixed.span,
        layers=fixed.curves.evidence(),
        arms=judged.arms,
        rankings=judged.rankings,
        checks=_checks(fixed, judged, margin, excepted_layers(str(data.live.model.config.model_type))),
    )


def excepted_layers(model_type: str) -> int:
    """So many first layers are left out of check 2: the exception is known of LLaVA and made for no other family."""
    return LLAVA_EXCEPTED if "llava" in model_type else 0


def _checks(fixed: Fixed, judged: Judged, margin: float, excepted: int) -> tuple[Check, ...]:
    """All five."""
    unable = _too_little_to_lose(judged, margin)
    decisive = next(row for row in judged.rankings if (row.outcome, row.score) == ("accuracy", "both"))
    return (
        distance_check(fixed.curves),
        flow_check(fixed.curves, excepted),
        predicted_check(_arm("predicted", fixed, judged, unable), margin),
        middle_check(_arm("middle", fixed, judged, unable), margin, _overlap(fixed)),
        ranking_check(unable or decisive, _other_span(fixed)),
    )


def _too_little_to_lose(judged: Judged, margin: float) -> Unable | None:
    """Why accuracy says nothing of this model and task: losing the image would cost less than the margin."""
    over, full = judged.over_guess, judged.arms[0].accuracy
    if over.low > margin:
        return None
    return Unable(
        f"The full model is right on {full:.1%}, and the commonest answer of each question type on {judged.guess:.1%} "
        f"({100 * over.value:+.1f} points [{100 * over.low:+.1f}, {100 * over.high:+.1f}]): too little to lose."
    )


def _arm(role: str, fixed: Fixed, judged: Judged, unable: Unable | None) -> BandAccuracy | Unable:
    """The set of a role, or why there is nothing to say of it."""
    if fixed.predicted.is_empty:
        return Unable(f"Nothing is predicted ({fixed.ends}).", passed=False)
    found = next((arm for arm in judged.arms if arm.role == role), None)
    return unable or found or Unable("This model cannot leave vision tokens out of exactly these layers.")


def _overlap(fixed: Fixed) -> str:
    """A sentence on layers that the middle band shares with the predicted set; "" if none."""
    middle, predicted = (set(band.layers("absent")) for band in (fixed.middle, fixed.predicted))
    shared = len(middle & predicted)
    return f"{shared} of its {len(middle)} layers are in the predicted set too." if shared else ""


def _other_span(fixed: Fixed) -> str:
    """A sentence where the ranked bands are not as long as what is predicted; "" if they are."""
    width = len(fixed.predicted.layers("absent"))
    return "" if fixed.span == width else f"They are {fixed.span} layers long, as {width} are predicted."
