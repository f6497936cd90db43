"""A skip set beside what else people put on a model: a compiler, offloaded weights, gradient checkpointing."""

import threading

import pytest
import torch
from accelerate import cpu_offload, disk_offload, dispatch_model

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.uncompiled import uncompiled
from tests.families.all_families import BUILDERS, family
from tests.families.matrix import under, written

each_kind = pytest.mark.parametrize(
    "kind", ["whole, first", "attention", "late entry", "vision frozen everywhere", "text frozen", "union"]
)


@torch.no_grad()
def logits_of(model, inputs, **settings):
    return model(**inputs, **settings).logits


@pytest.fixture(
    scope="module", params=["torch.compile(model)", pytest.param("model.compile()", marks=pytest.mark.slow)]
)
def compiled(request):
    """A model, its compiled form, and a list that grows with every compiled graph that runs."""
    replica, runs = BUILDERS["llava"]("sdpa"), []

    def noting(graph, _):
        return lambda *args: (runs.append(graph), graph(*args))[1]

    if request.param == "model.compile()":
        replica.model.compile(backend=noting)
        return replica, replica.model, runs
    return replica, torch.compile(replica.model, backend=noting), runs


@each_kind
def test_a_compiled_model_runs_uncompiled_inside_and_compiled_again_afterwards(compiled, kind):
    (replica, model, runs), plain = compiled, family("llava").model
    logits_of(model, replica.one)
    runs.clear()
    before = logits_of(model, replica.one)
    usual = len(runs)
    with under(plain, kind):
        wanted = logits_of(plain, replica.one)
    with under(replica.model, kind):
        assert torch.equal(logits_of(model, replica.one), wanted)
    assert len(runs) == usual > 0
    assert torch.equal(logits_of(model, replica.one), before)
    assert len(runs) == 2 * usual


def test_threads_share_the_uncompiled_setting_and_the_last_one_out_puts_it_back():
    runs, inside, leave = [], threading.Barrier(3), [threading.Event(), threading.Event()]
    double = torch.compile(lambda x: x * 2, backend=lambda graph, _: lambda *args: (runs.append(1), graph(*args))[1])

    def stay(until):
        with uncompiled():
            inside.wait(30)
            until.wait(30)

    threads = [threading.Thread(target=stay, args=[until]) for until in leave]
    for thread in threads:
        thread.start()
    inside.wait(30)
    for thread, until in zip(threads, leave, strict=True):
        double(torch.ones(3))
        assert not runs, "a thread is still inside"
        until.set()
        thread.join()
    double(torch.ones(3))
    assert runs


def on_disk(model, folder):
    disk_offload(model, folder, "cpu")


def layers_on_disk(model, folder):
    """As `device_map` does it: the rest stays, and each layer has a hook of its own."""
    names = [name for name, _ in [*model.named_parameters(), *model.named_buffers()]]
    layers = {
        name: name.split(".layers.")[0] + ".layers." + name.split(".layers.")[1].split(".")[0]
        for name in names
        if ".language_model.layers." in name
    }
    places = {layers.get(name, name.rpartition(".")[0]): "disk" if name in layers else "cpu" for name in names}
    dispatch_model(model, places, main_device="cpu", offload_dir=folder, force_hooks=True)


@pytest.mark.parametrize(
    ("name", "offload"),
    [
        ("llava", lambda model, _: cpu_offload(model, "cpu")),
        ("llava", on_disk),
        ("llava", layers_on_disk),
        ("gemma4", layers_on_disk),
    ],
    ids=["CPU", "disk", "layers on disk", "layers with tensors of their own on disk"],
)
def test_offloaded_weights_are_where_they_were_and_so_are_their_hooks(name, offload, tmp_path):
    replica, plain = BUILDERS[name]("sdpa"), family(name)
    offload(replica.model, tmp_path)
    before = hooks_and_places(replica.model)
    for kind in ("whole, first", "late entry", "vision frozen everywhere", "attention", "union"):
        with under(plain.model, kind):
            _, wanted = written(plain, plain.padded, 3)
        with under(replica.model, kind):
            _, got = written(replica, plain.padded, 3)
        assert torch.equal(got, wanted), kind
        assert hooks_and_places(replica.model) == before, kind
    assert torch.equal(written(replica, plain.padded, 3)[1], written(plain, plain.padded, 3)[1])


def hooks_and_places(model):
    hooks = [(module.__dict__.get("forward"), getattr(module, "_hf_hook", None)) for module in model.modules()]
    return hooks, [parameter.device.type for parameter in model.parameters()]


@each_kind
@pytest.mark.parametrize("name", ["llava", "gemma3", "qwen2_5_vl", "gemma4"])
def test_checkpointing_changes_no_gradient_inside_and_none_afterwards(name, kind):
    plain, checkpointed = BUILDERS[name]("sdpa").model.train(), BUILDERS[name]("sdpa").model.train()
    checkpointed.activation_checkpointing_enable()
    inputs = family(name).padded
    with under(plain, kind):
        wanted = gradients(plain, inputs)
    with under(checkpointed, kind):
        assert_same(gradients(checkpointed, inputs), wanted)
    assert_same(gradients(checkpointed, inputs), gradients(plain, inputs))
    assert all(layer.gradient_checkpointing for layer in anatomy_of(checkpointed).layers)


def gradients(model, inputs):
    model.zero_grad()
    model(**inputs, use_cache=False).logits.sum().backward()
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}


def assert_same(got, wanted):
    assert got.keys() == wanted.keys()
    assert all(torch.equal(got[name], wanted[name]) for name in got)
