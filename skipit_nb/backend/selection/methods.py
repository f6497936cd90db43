"""Published training-free methods as rules that take a skip set from what they measure on calibration questions.

Each is a function of a `Calibration`; its keyword arguments are the method's own knobs. All scores are turned so that
low = redundant, and are measured in float32, in both modalities unless said, with every question weighing the same.

FastV and PyramidDrop are not among them: they drop *some* vision tokens, chosen anew for every question by attention,
which is no skip set but a `TokenDrop`; `equal_cost` puts all of them side by side.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from skipit_nb.backend.selection.calibration import Calibration
from skipit_nb.errors import SettingError
from skipit_nb.results import BAND_TOKENS, Candidate, Proposal
from skipit_nb.signature import held
from skipit_nb.skipset import SkipSet

KL_UNIT = "KL(full ‖ set) of the next token, nats"
DISTANCE_UNIT = "1 - cos"
ANGLE_UNIT = "angle / π"


class Choice(NamedTuple):
    """What a method came to."""

    chosen: Sequence[SkipSet]
    """Joined, they are the proposed set."""
    scores: dict[SkipSet, float]
    """Of everything it chose from. Low = redundant."""
    unit: str


def vtw(data: Calibration, *, max_kl: float = 0.003, first: int = 1) -> Choice:
    """Withdraw all vision tokens from the earliest layer on that changes the next token little enough.

        K = min { k ≥ first : mean KL(full ‖ vision absent from k on) ≤ max_kl }

    Nothing is skipped where no k qualifies. The official code measures KL(withdrawn ‖ full), starts at layer 5, and
    has one hard-coded threshold a model name, from 0.0001 to 0.003.

    Args:
        data: To measure on.
        max_kl: Threshold in nats, at least 0.
        first: First layer that may be without vision tokens.

    Source:
        Lin et al. 2024, "Boosting Multimodal Large Language Models with Visual Tokens Withdrawal", arXiv:2405.05803.
    """
    if not max_kl >= 0:
        raise SettingError("max_kl", max_kl, "a number of nats, at least 0")
    _whole_number("first", first, 0, data.num_layers - 1)
    exits = data.supported(SkipSet.early_exit(k, num_layers=data.num_layers) for k in range(first, data.num_layers))
    scores = dict(zip(exits, data.kls(exits), strict=True))
    return Choice([skipset for skipset in exits if scores[skipset] <= max_kl][:1], scores, KL_UNIT)


def shortv(data: Calibration, *, layers: int) -> Choice:
    """Freeze the vision tokens at the layers whose contribution to the next token is lowest.

        LC[i] = mean KL(full ‖ vision frozen at i)

    The official code measures KL(frozen ‖ full) on 40 questions drawn by the time of day; a second release of the
    same group measures ours.

    Args:
        data: To measure on.
        layers: How many.

    Source:
        Yuan et al. 2025, "ShortV", arXiv:2504.00502.
    """
    return _lowest(data, layers, [SkipSet.freeze(i, num_layers=data.num_layers) for i in range(data.num_layers)])


def shortgpt(data: Calibration, *, layers: int, tokens: str = "all") -> Choice:
    """Skip the whole layers that turn the residual stream least.

        BI[i] = mean 1 - cos(before layer i, after layer i)

    Common code flattens the batch, counts padding, weighs long prompts more, or takes the last layer after the final
    norm; none of that here. One score a layer does not know what skipping several does together.

    Args:
        data: To measure on.
        layers: How many.
        tokens: "all" as published, or "vision", "text", "first", "last".

    Source:
        Men et al. 2024, "ShortGPT", arXiv:2403.03853.
    """
    _known("tokens", tokens, BAND_TOKENS)
    influence = data.bands().block_influence(tokens)
    every = [SkipSet.whole(i, num_layers=data.num_layers) for i in range(data.num_layers)]
    scores = {skipset: influence[skipset.layers("whole")[0]] for skipset in data.supported(every)}
    return Choice(_cheapest(scores, layers), scores, DISTANCE_UNIT)


def angular(data: Calibration, *, layers: int, tokens: str = "last") -> Choice:
    """Skip the one band of so many whole layers that turns the last token of the prompt least.

        d(a, n) = mean arccos(cos(boundary a, boundary a + n)) / π

    PruneMe, the code most use, leaves out boundary 0, so that its bands never start at layer 0, and measures a model
    of 4 bits.

    Args:
        data: To measure on.
        layers: Length of the band.
        tokens: "last" as published, or "vision", "text", "first", "all".

    Source:
        Gromov et al. 2024, "The Unreasonable Ineffectiveness of the Deeper Layers", arXiv:2403.17887.
    """
    _known("tokens", tokens, BAND_TOKENS)
    _whole_number("layers", layers, 1, data.num_layers)
    measured = [band for band in data.bands().of(tokens) if band.stop - band.start == layers]
    angles = {SkipSet.whole(range(b.start, b.stop), num_layers=data.num_layers): b.angle for b in measured}
    scores = {skipset: angles[skipset] for skipset in data.supported(angles)}
    return Choice(_cheapest(scores, 1), scores, ANGLE_UNIT)


def llm_drop(data: Calibration, *, sublayers: int, part: str = "both") -> Choice:
    """Skip the attentions and MLPs that turn the residual stream least.

        attention: 1 - cos(x, x + Attn(norm(x)))    MLP: 1 - cos(y, y + MLP(norm(y)))

    The paper's importance is S = cos, and the highest go; ours is 1 - S. With "both", one order over all sublayers,
    as its joint form. An attention and an MLP of one layer make the whole layer.

    Args:
        data: To measure on.
        sublayers: How many.
        part: "attn", "mlp" or "both".

    Source:
        He et al. 2024, "What Matters in Transformers? Not All Attention is Needed", arXiv:2406.15786.
    """
    _known("part", part, ("both", "attn", "mlp"))
    scores = {
        skipset: distance
        for skipset, distance in data.sublayer_distances().items()
        if part == "both" or str(skipset).startswith(part)
    }
    return Choice(_cheapest(scores, sublayers, "sublayers"), scores, DISTANCE_UNIT)


def deepinsert(data: Calibration, *, depth: float = 0.14) -> Choice:
    """Let the vision tokens enter late, at a fixed share of the depth; nothing is measured.

        K = round(depth · num_layers)

    The paper retrains the model for it; without that, this is its layout and not its quality. 0.14 is the depth that
    its learned selector came to.

    Args:
        data: Knows the number of layers.
        depth: 0 for no late entry, below 1.

    Source:
        Choraria et al. 2026, "DeepInsert", arXiv:2504.19327.
    """
    if not 0 <= depth < 1:
        raise SettingError("depth", depth, "a share of the layers, at least 0 and below 1")
    entry = SkipSet.late_entry(round(depth * data.num_layers), num_layers=data.num_layers)
    return Choice(data.supported([entry]), {}, "")


METHODS: dict[str, Callable[..., Choice]] = {
    "angular": angular,
    "deepinsert": deepinsert,
    "llm-drop": llm_drop,
    "shortgpt": shortgpt,
    "shortv": shortv,
    "vtw": vtw,
}


def methods() -> dict[str, str]:
    """The methods by name, with what each does."""
    return {name: (inspect.getdoc(method) or "").splitlines()[0] for name, method in METHODS.items()}


def propose(method: str, data: Calibration, **knobs: Any) -> Proposal:
    """Let a method take a skip set.

    Args:
        method: One of `METHODS`.
        data: To measure on.
        knobs: The method's keyword arguments.

    Raises:
        SettingError: If there is no such method, or it has no such knob, or lacks one.
        UnsupportedSkipError: If the model can run nothing that the method chooses from.
    """
    _known("method", method, METHODS)
    rule = METHODS[method]
    allowed = list(inspect.signature(rule).parameters.values())[1:]
    for name in knobs:
        _known(f"{method}'s setting", name, [p.name for p in allowed])
    for parameter in allowed:
        if parameter.default is parameter.empty and parameter.name not in knobs:
            raise SettingError(parameter.name, None, f"how many {parameter.name} {method} should skip")
    choice = held(rule)(data, **knobs)
    return Proposal(
        provenance=data.provenance,
        method=method,
        skipset=joined(choice.chosen, data.num_layers),
        unit=choice.unit,
        candidates=tuple(Candidate(s, score, s in choice.chosen) for s, score in choice.scores.items()),
        source=_paper(rule),
    )


def joined(skipsets: Iterable[SkipSet], num_layers: int) -> SkipSet:
    """All of them together."""
    return reduce(or_, skipsets, SkipSet.none(num_layers=num_layers))


def _paper(rule: Callable[..., Choice]) -> str:
    """The paper that a method's own text names."""
    named = re.search(r"arXiv:[\d.]+\d", inspect.getdoc(rule) or "")
    return named[0] if named else ""


def _lowest(data: Calibration, layers: int, candidates: Sequence[SkipSet]) -> Choice:
    _whole_number("layers", layers, 1, len(candidates))
    supported = data.supported(candidates)
    scores = dict(zip(supported, data.kls(supported), strict=True))
    return Choice(_cheapest(scores, layers), scores, KL_UNIT)


def _cheapest(scores: dict[SkipSet, float], count: int, name: str = "layers") -> list[SkipSet]:
    """The lowest so many; of equals those given first."""
    _whole_number(name, count, 1, len(scores))
    finite = {skipset: score if math.isfinite(score) else math.inf for skipset, score in scores.items()}
    return sorted(scores, key=finite.__getitem__)[:count]


def _whole_number(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise SettingError(name, value, f"a whole number from {least} to {most}")


def _known(name: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise SettingError(name, value, f"one of {', '.join(known)}")
