"""What methods and agreement go by, measured on calibration questions when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from skipit_nb.backend.evaluation.batches import Here
from skipit_nb.backend.live.forward_pass import ForwardPass
from skipit_nb.backend.live.limits import limits, refuse_unsupported
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.skipping import acting
from skipit_nb.backend.redundancy import bands, profiling
from skipit_nb.backend.redundancy.bands import turn, unit
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.trie.scores import Prefilled, prefill_batch
from skipit_nb.errors import UnsupportedSkipError
from skipit_nb.jobs import Tick
from skipit_nb.results import BandDistances, Provenance, RedundancyProfile
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class Calibration:
    """A model, questions to measure it on, and how."""

    live: LiveModel
    examples: Sequence[Example]
    provenance: Provenance
    batch_size: int
    tick: Tick

    @property
    def num_layers(self) -> int:
        """Decoder layers of the model."""
        return self.live.shape.num_layers

    def on(self, examples: Sequence[Example]) -> Calibration:
        """The same with other questions."""
        made = replace(self.provenance, samples=tuple(example.key for example in examples))
        return replace(self, examples=examples, provenance=made)

    def supported(self, skipsets: Iterable[SkipSet]) -> list[SkipSet]:
        """Those the model can run.

        Raises:
            UnsupportedSkipError: If it can run none for a reason that is no layer's, such as its attention.
        """
        given = list(skipsets)
        found = [skipset for skipset in given if not any(limits(self.live.anatomy, skipset))]
        for skipset in found[:1] or given[:1]:
            refuse_unsupported(self.live.model, self.live.anatomy, skipset)
        return found

    def bands(self) -> BandDistances:
        """How far every band turns each kind of token."""
        return bands.bands(self.live, self.examples, self.provenance, batch_size=self.batch_size, tick=self.tick)

    def profile(self) -> RedundancyProfile:
        """Distances and cross-modal flow."""
        return profiling.profile(
            self.live, self.examples, self.provenance, flow=True, batch_size=self.batch_size, tick=self.tick
        )

    def prefilled(self, skipsets: Sequence[SkipSet]) -> list[Prefilled]:
        """Every question under the full model and each set, from one prefill a batch."""
        work = partial(prefill_batch, skipsets=tuple(skipsets))
        return Here(self.live, self.batch_size).run(self.examples, work, tick=self.tick).rows

    def kls(self, skipsets: Sequence[SkipSet]) -> list[float]:
        """Mean over questions of KL(full ‖ set) of the next token after the prompt, in nats, for each set."""
        if not skipsets:
            return []
        rows = self.prefilled(skipsets)
        return [fmean(row.kls[arm] for row in rows) for arm in range(1, len(skipsets) + 1)]

    def sublayer_distances(self) -> dict[SkipSet, float]:
        """How far attention, and how far the MLP, turns the residual stream at each layer that can skip it.

            attn: 1 - cos(x, y)    mlp: 1 - cos(y, z)    x → attention → y → MLP → z

        y is what the layer gives without its MLP, so that families with norms behind their sublayers come out right.
        """
        every = [make(i, num_layers=self.num_layers) for make in (SkipSet.attn, SkipSet.mlp)
                 for i in range(self.num_layers)]  # fmt: skip
        wanted = {str(skipset) for skipset in self.supported(every)}
        recorder = _SublayerRecorder(self.live, wanted)
        for start in range(0, len(self.examples), self.batch_size):
            self.tick(start, len(self.examples))
            recorder.add(self.examples[start : start + self.batch_size])
        self.tick(len(self.examples), len(self.examples))
        total = len(self.examples)
        return {skipset: recorder.sums[str(skipset)] / total for skipset in every if str(skipset) in wanted}


class _SublayerRecorder:
    """Sums over questions of the mean over tokens of 1 - cos around every sublayer."""

    def __init__(self, live: LiveModel, wanted: set[str]) -> None:
        self._live = live
        self.sums = dict.fromkeys(wanted, 0.0)

    def add(self, batch: Sequence[Example]) -> None:
        """Measure one batch."""
        live = self._live
        inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
        is_token = token_kinds(inputs, live.anatomy).any(0)
        share = is_token / is_token.sum(1, keepdim=True)
        handles = [
            layer.register_forward_hook(partial(self._hook, i, share), with_kwargs=True)
            for i, layer in enumerate(live.anatomy.layers)
        ]
        try:
            with live.lock, torch.inference_mode():
                live.model(**inputs, use_cache=False, logits_to_keep=1)
        finally:
            for handle in handles:
                handle.remove()

    def _hook(
        self, index: int, share: Tensor, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> None:
        attn, mlp = f"attn {index}", f"mlp {index}"
        if mlp not in self.sums:
            return
        anatomy = self._live.anatomy
        without_mlp = SkipSet.mlp(index, num_layers=len(anatomy.layers))
        with acting(anatomy, without_mlp, index, ForwardPass(anatomy)):
            between = layer.forward(*args, **kwargs)
        states = [unit(_state(x)) for x in (args[0], between, out)]
        for name, before, after in ((attn, states[0], states[1]), (mlp, states[1], states[2])):
            if name in self.sums:
                self.sums[name] += float((share.to(before.device) * turn(before, after)[1]).sum())


def _state(out: Any) -> Tensor:
    state: Tensor = out[0] if isinstance(out, tuple) else out
    return state


def is_supported(live: LiveModel, skipset: SkipSet) -> bool:
    """Whether the model can run the set."""
    try:
        refuse_unsupported(live.model, live.anatomy, skipset)
    except UnsupportedSkipError:
        return False
    return True
