import torch

from skipit_nb.zoo.smol.low_rank import Update, Updated, add_updates, merge_updates
from tests.zoo.smol.small_backbone import small_backbone


def decoder():
    return small_backbone().model.model


def states(model: torch.nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model(inputs_embeds=torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(1))).last_hidden_state


def stirred(updates: torch.nn.ModuleList) -> None:
    torch.manual_seed(2)
    for update in updates:
        torch.nn.init.normal_(update.back, std=0.1)


def test_every_linear_layer_of_the_decoder_gets_an_update() -> None:
    assert len(add_updates(decoder(), rank=3)) == 2 * 7


def test_a_new_update_changes_no_bit() -> None:
    model = decoder()
    before = states(model)
    add_updates(model, rank=3)
    assert torch.equal(states(model), before)


def test_merged_the_decoder_says_what_it_said_with_its_updates_beside_it() -> None:
    model = decoder()
    before = states(model)
    stirred(add_updates(model, rank=3))
    updated = states(model)
    merge_updates(model)
    assert (updated - before).abs().max() > 0.1  # or the comparison would be empty
    assert torch.allclose(states(model), updated, atol=1e-4)
    assert not any(isinstance(module, Updated) for module in model.modules())


def test_an_update_adds_the_product_of_its_factors() -> None:
    update = Update(width_in=2, width_out=3, rank=1)
    with torch.no_grad():
        update.into.copy_(torch.tensor([[1.0, 2.0]]))
        update.back.copy_(torch.tensor([[1.0], [0.0], [-1.0]]))
    assert update(torch.tensor([3.0, 4.0])).tolist() == [11.0, 0.0, -11.0]


def test_an_update_follows_the_precision_of_what_it_is_given() -> None:
    update = Update(4, 4, rank=2)
    assert update(torch.ones(1, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
    assert update.into.dtype == torch.float32


def test_a_layer_of_another_precision_keeps_it_when_merged() -> None:
    layer = Updated(torch.nn.Linear(4, 4, bias=False).bfloat16(), rank=2)
    torch.nn.init.ones_(layer.update.back)
    expected = layer.layer.weight.float() + layer.update.back @ layer.update.into
    assert layer.merged().weight.dtype == torch.bfloat16
    assert torch.equal(layer.layer.weight, expected.bfloat16())
