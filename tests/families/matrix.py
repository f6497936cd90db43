"""The matrix: every family under every kind of skip set, in every way to ask, against the slow reference."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import InstructBlipForConditionalGeneration, PreTrainedModel

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import Anatomy, anatomy_of
from skipit_nb.backend.live.limits import limits
from skipit_nb.backend.live.skipping import skipping
from tests.families.all_families import BUILDERS, family
from tests.families.exclusions import EXCLUDED
from tests.families.pairwise import covering
from tests.families.reference import reference
from tests.families.replica import Inputs, Replica

KINDS = {
    "whole, first": "whole 0",
    "whole, last two": "whole {last_two}",
    "attention": "attn 1+{last}",
    "MLP": "mlp 0+2",
    "late entry": "vision absent 0-1",
    "early exit": "vision absent {last_two}",
    "middle band": "vision absent 1-2",
    "vision frozen": "vision frozen 0+2",
    "vision frozen everywhere": "vision frozen 0-",
    "text frozen": "text frozen 1-2",
    "text absent": "text absent 2",
    "union": "whole 1; vision frozen 2; vision absent {last}",
}

AXES = {
    "family": (*BUILDERS,),
    "kind": (*KINDS,),
    "prompts": ("one", "padded", "several", "text_only"),
    "decoding": ("greedy", "beams"),
    "cache": ("dynamic", "static", "none"),
    "attention": ("sdpa", "eager"),
}

AXIS_OF = {value: axis for axis, values in AXES.items() for value in values}
EXCLUDED_VALUES = [
    frozenset((AXIS_OF[value], value) for value in values) for values in EXCLUDED if values[0] in BUILDERS
]

DECODING = {"greedy": {"num_beams": 1}, "beams": {"num_beams": 3}}
CACHES = {"dynamic": {}, "static": {"cache_implementation": "static"}, "none": {"use_cache": False}}
STEPS = 4

CLOSE = 1e-4
"""Most that a logit may differ, relative to the largest one. Caching alone makes qwen3_5 differ by 3e-5."""


class Case(NamedTuple):
    """One place of the matrix."""

    family: str
    kind: str
    prompts: str
    decoding: str
    cache: str
    attention: str

    def __str__(self) -> str:
        return "-".join(self)


class Outcome(NamedTuple):
    """How the engine did against the reference."""

    has_same_tokens: bool
    error: float
    """Largest difference of a logit of a new token, relative to the largest logit."""

    @property
    def is_exact(self) -> bool:
        return self.has_same_tokens and self.error < CLOSE


def covering_cases() -> list[Case]:
    """Each pair of values in some case, families together."""
    cases = [Case(**case) for case in covering(AXES, EXCLUDED_VALUES)]
    return sorted(cases, key=lambda case: AXES["family"].index(case.family))


def all_cases(name: str) -> Iterator[Case]:
    """Every case of a family, those with the same reference together."""
    for values in product([name], *[*AXES.values()][1:]):
        if not any(excluded <= {*zip(AXES, values, strict=True)} for excluded in EXCLUDED_VALUES):
            yield Case(*values)


def outcome_of(case: Case) -> Outcome:
    """Generate under the skip set, with the engine and with the reference."""
    replica = family(case.family, case.attention)
    with under(replica.model, case.kind):
        tokens, logits = generated(replica, getattr(replica, case.prompts), case.decoding, case.cache)
    expected_tokens, expected = expected_of(case.family, case.kind, case.prompts, case.decoding)
    error = float((logits - expected).abs().max() / expected.abs().max())
    return Outcome(torch.equal(tokens, expected_tokens), error)


@functools.lru_cache(maxsize=1)
def expected_of(name: str, kind: str, prompts: str, decoding: str) -> tuple[Tensor, Tensor]:
    """What the reference generates."""
    replica = family(name, "eager")
    anatomy, inputs = anatomy_of(replica.model), getattr(replica, prompts)
    with reference(replica.model, inputs["input_ids"], skipset_of(kind, anatomy)):
        return generated(replica, inputs, decoding, "none")


def under(model: PreTrainedModel, kind: str, *, vision: Tensor | None = None) -> AbstractContextManager[None]:
    """Let the model run under a skip set of this kind, inside a block."""
    anatomy = anatomy_of(model)
    return skipping(model, anatomy, skipset_of(kind, anatomy), vision=vision)


def skipset_of(kind: str, anatomy: Anatomy) -> SkipSet:
    """A skip set of this kind, without what the family cannot do."""
    skipset = asked_for(kind, anatomy)
    for layer, _ in [*limits(anatomy, skipset)]:
        skipset = skipset.replace(layer, "run")
    return skipset


def asked_for(kind: str, anatomy: Anatomy) -> SkipSet:
    """A skip set of this kind, possible or not."""
    last = len(anatomy.layers) - 1
    return SkipSet.parse(KINDS[kind].format(last=last, last_two=f"{last - 1}-{last}"), num_layers=last + 1)


def generated(replica: Replica, inputs: Inputs, decoding: str, cache: str) -> tuple[Tensor, Tensor]:
    """New tokens and the logits they were chosen from."""
    if cache == "none" and isinstance(replica.model, InstructBlipForConditionalGeneration):
        return generated_one_by_one(replica, inputs)  # it would cache all the same
    return written(replica, inputs, STEPS, **DECODING[decoding], **CACHES[cache])


def generated_one_by_one(replica: Replica, inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Each token from a fresh prompt of all before it."""
    steps = []
    for _ in range(STEPS):
        steps.append(written(replica, inputs, 1))
        new = steps[-1][0]
        inputs = inputs | {
            "input_ids": torch.cat([inputs["input_ids"], new], 1),
            "attention_mask": torch.cat([inputs["attention_mask"], torch.ones_like(new)], 1),
        }
    tokens, logits = zip(*steps, strict=True)
    return torch.cat(tokens, 1), torch.cat(logits, 1)


def written(replica: Replica, inputs: Inputs, steps: int, **settings: object) -> tuple[Tensor, Tensor]:
    out = replica.model.generate(
        **inputs, **settings, max_new_tokens=steps, min_new_tokens=steps, do_sample=False, output_logits=True,
        suppress_tokens=[*replica.suppress], return_dict_in_generate=True,
    )  # fmt: skip
    return out.sequences[:, -steps:], torch.stack(out.logits, dim=1)
