"""What is beside the language model is found by structure, and stages are told in the order they happen."""

import pytest
import torch

from skipit_nb import SkipSet
from skipit_nb.backend.evaluation.efficiency.counting import predicted_cost
from skipit_nb.backend.evaluation.efficiency.flops import count_flops
from skipit_nb.backend.evaluation.efficiency.stages import _Stages, parts_beside, watched
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.model import LiveModel
from tests.backend.live.tiny_llava import prompts, tiny_llava
from tests.families.all_families import BUILDERS, family


class Written:
    def __init__(self):
        self.lines = []

    def begins(self, stage, step):
        self.lines.append(f"+{stage} {step}")

    def ends(self, stage, step):
        self.lines.append(f"-{stage} {step}")


def test_stages_come_in_order_and_nothing_stays_on_the_model():
    model, inputs, written = tiny_llava("sdpa"), prompts(padded=False), Written()
    live = LiveModel(model, None, name="tiny", revision="")
    model.generate(**inputs, max_new_tokens=2, do_sample=False)  # transformers hooks itself up on the first call
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
    with watched(live, written), torch.no_grad():
        model.generate(**inputs, max_new_tokens=2, min_new_tokens=2, do_sample=False)
    step = "+language {0} -language {0} +language {0} -language {0}"
    expected = "+vision 0 -vision 0 +vision 0 -vision 0 " + step.format(0) + " " + step.format(1)
    assert " ".join(written.lines) == expected
    assert sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()) == hooks


def test_a_stage_inside_another_interrupts_it():
    model, written = tiny_llava("sdpa"), Written()
    stages = _Stages(written, model.get_decoder())
    tower = model.model.vision_tower
    stages.enter("language", model.get_decoder())
    stages.enter("vision", tower)
    stages.leave("vision", tower)
    stages.leave("language", model.get_decoder())
    assert written.lines == [f"{sign} 0" for sign in ("+language", "-language", "+vision", "-vision", "+language",
                                                      "-language")]  # fmt: skip


@pytest.mark.families
@pytest.mark.parametrize("name", BUILDERS)
def test_every_family_has_its_vision_beside_the_language_model(name):
    model = family(name).model
    anatomy = anatomy_of(model)
    parts = list(parts_beside(model, anatomy))
    inside = {module for part in parts for module in part.modules()}
    assert parts
    assert not inside & {anatomy.decoder, anatomy.head, *anatomy.layers, model.get_input_embeddings()}
    known = (*parts, anatomy.decoder, anatomy.head, model.get_input_embeddings())
    covered = {id(weight) for part in known for weight in part.parameters()}
    loose = {name.rsplit(".", 1)[-1] for name, weight in model.named_parameters() if id(weight) not in covered}
    assert loose <= {"image_newline", "query_tokens", "high_res_vision_alpha"}, "rows and a factor, no work"


@pytest.mark.families
@pytest.mark.parametrize("name", BUILDERS)
def test_the_language_models_flops_are_the_predicted_ones_in_every_family(name):
    replica = family(name)
    live = LiveModel(replica.model, None, name=name, revision="")
    none = SkipSet.none(num_layers=live.shape.num_layers)
    counted = count_flops(live, none, replica.one)
    assert counted.first_token >= counted.vision + counted.prefill
    assert counted.vision > 0
    predicted = predicted_cost(live, none, replica.one)
    assert counted.prefill == pytest.approx(predicted.flops_prefill, rel=0.01)
    # Short convolutions are no products of matrices, so nothing predicts them; this replica is 32 wide.
    allowed = 0.03 if name == "qwen3_5" else 0.01
    assert counted.per_token == pytest.approx(predicted.flops_per_token, rel=allowed)
