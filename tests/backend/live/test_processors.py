"""Processors of many families, without torchvision: they load, and make the prompts their models expect."""

import json

import pytest
import torch
import transformers
from packaging.version import Version
from tokenizers import processors
from transformers import AutoProcessor, ProcessorMixin
from transformers.models.auto.processing_auto import processor_class_from_name

from skipit_nb.backend.live.processors import open_processor
from skipit_nb.backend.live.prompts import Prompts
from skipit_nb.errors import ImageError, MissingPackageError, PromptError, QuestionError
from tests.backend.live.processor_files import (
    ASKING,
    FAMILIES,
    LONG,
    ONLY_WITH_TORCHVISION,
    SHORT,
    SQUARE,
    WIDE,
    WITH_VIDEO,
    Family,
    write,
)

# A few processors of transformers turn tensors into numpy arrays the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")

EVERY = pytest.mark.parametrize("name", FAMILIES)
TEMPLATED = [name for name in FAMILIES if name != "instructblip"]


@pytest.fixture(autouse=True)
def _no_torchvision():
    if transformers.utils.is_torchvision_available():
        pytest.skip("torchvision is installed: transformers' own processors load")


def opened(name, folder, *, template=False) -> ProcessorMixin:
    try:
        return open_processor(str(write(FAMILIES[name], folder, template=template)))
    except MissingPackageError:
        skip_on_older_transformers("reads images of this family with torchvision only")
        raise


def skip_on_older_transformers(why):
    if Version(transformers.__version__) < Version("5.23"):
        pytest.skip(f"transformers {transformers.__version__} {why}")


def prompts_of(name, folder, *, template=False) -> tuple[Prompts, int]:
    family, processor = FAMILIES[name], opened(name, folder, template=template)
    vision = processor.tokenizer.convert_tokens_to_ids(family.vision or family.tokens[0])
    return Prompts(processor, (vision,)), vision


def is_padded_on_the_left(mask):
    return bool((mask.diff(dim=1) >= 0).all()) and bool(mask[:, -1].all())


@pytest.mark.parametrize(
    ("name", "template"), [*((name, False) for name in FAMILIES), *((name, True) for name in TEMPLATED)]
)
def test_two_questions_make_one_batch_padded_on_the_left(name, template, tmp_path):
    prompts, vision = prompts_of(name, tmp_path, template=template)
    batch = prompts.tensors([SQUARE, WIDE], [LONG, SHORT])
    assert (batch["input_ids"] == vision).sum(1).tolist() == list(FAMILIES[name].counts)
    assert is_padded_on_the_left(batch["attention_mask"])
    for row, (image, question) in enumerate([(SQUARE, LONG), (WIDE, SHORT)]):
        alone = prompts.tensors([image], [question])
        assert alone["attention_mask"].all()
        assert batch["input_ids"][row][batch["attention_mask"][row].bool()].tolist() == alone["input_ids"][0].tolist()


@EVERY
def test_every_tensor_of_a_row_moves_with_its_padding(name, tmp_path):
    prompts, _ = prompts_of(name, tmp_path)
    batch = prompts.tensors([SQUARE, WIDE], [LONG, SHORT])
    alone = prompts.tensors([SQUARE], [LONG])
    keep = batch["attention_mask"][0].bool()
    for key in {"mm_token_type_ids", "token_type_ids", "cross_attention_mask"} & set(batch):
        assert torch.equal(batch[key][0][keep], alone[key][0]), key


@EVERY
def test_several_images_go_before_one_question(name, tmp_path):
    family, (prompts, vision) = FAMILIES[name], prompts_of(name, tmp_path)
    if 2 not in family.takes:
        with pytest.raises(PromptError, match="no prompt of 2 images and text: its prompt has room for one image"):
            prompts.tensors([[SQUARE, WIDE]], [SHORT])
        return
    batch = prompts.tensors([[SQUARE, WIDE], WIDE], [SHORT, LONG])
    both = family.both or sum(family.counts)
    assert (batch["input_ids"] == vision).sum(1).tolist() == [both, family.counts[1]]
    assert is_padded_on_the_left(batch["attention_mask"])


@EVERY
def test_a_question_may_do_without_an_image(name, tmp_path):
    family, (prompts, vision) = FAMILIES[name], prompts_of(name, tmp_path)
    if 0 not in family.takes:
        with pytest.raises(PromptError, match="PaliGemmaProcessor makes no prompt of 0 images"):
            prompts.tensors([None], [SHORT])
        return
    batch = prompts.tensors([None, None], [SHORT, LONG])
    assert not (batch["input_ids"] == vision).any()
    assert "pixel_values" not in batch
    assert is_padded_on_the_left(batch["attention_mask"])


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.takes == (0, 1, 2)])
def test_questions_with_and_without_an_image_share_a_batch(name, tmp_path):
    prompts, vision = prompts_of(name, tmp_path)
    if name == "mllama":
        skip_on_older_transformers("wants an image in each of its questions, or in none")
    for images in ([SQUARE, None], [None, SQUARE]):
        counts = (prompts.tensors(images, [SHORT, LONG])["input_ids"] == vision).sum(1).tolist()
        assert counts == [FAMILIES[name].counts[0] if image else 0 for image in images]


def test_a_prompt_that_puts_tokens_where_no_image_is_is_refused(tmp_path):
    prompts, _ = prompts_of("instructblip", tmp_path)
    with pytest.raises(PromptError, match=r"no prompt of 1 \+ 0 images and text: image tokens stand where there is no"):
        prompts.tensors([SQUARE, None], [SHORT, LONG])


def test_a_chat_template_without_images_is_refused(tmp_path):
    processor = opened("llava", tmp_path)
    processor.chat_template = "{{ messages[0]['content'][-1]['text'] }}"
    with pytest.raises(PromptError, match="LlavaProcessor makes no prompt of 1 image and text"):
        Prompts(processor, (4,)).tensors([SQUARE], [SHORT])


def test_what_is_not_an_image_or_a_question_is_refused(tmp_path):
    prompts, _ = prompts_of("llava", tmp_path)
    with pytest.raises(ImageError, match="an object of type int"):
        prompts.tensors([[SQUARE, 3]], [SHORT])
    with pytest.raises(QuestionError):
        prompts.tensors([None], [" "])


def test_the_text_begins_once(tmp_path):
    processor = opened("llava", tmp_path)
    begin = processors.TemplateProcessing("<s> $0", special_tokens=[("<s>", processor.tokenizer.bos_token_id)])
    processor.tokenizer.backend_tokenizer.post_processor = begin
    image = processor.tokenizer.convert_tokens_to_ids("<image>")
    for template in (None, "<s> <image> {{ messages[0]['content'][-1]['text'] }}"):
        processor.chat_template = template
        ids = Prompts(processor, (image,)).tensors([SQUARE], [SHORT])["input_ids"]
        assert (ids == processor.tokenizer.bos_token_id).sum() == 1


def test_a_template_of_the_tokenizer_serves_if_it_knows_of_images(tmp_path):
    processor = opened("llava", tmp_path)
    image = processor.tokenizer.convert_tokens_to_ids("<image>")
    plain = Prompts(processor, (image,)).tensors([SQUARE], [SHORT])["input_ids"]
    processor.tokenizer.chat_template = "{{ messages[0]['content'] }}"
    assert torch.equal(Prompts(processor, (image,)).tensors([SQUARE], [SHORT])["input_ids"], plain)
    mark_and_text = "{{ '<image> user' if part.type == 'image' else ' ' + part.text }}"
    processor.tokenizer.chat_template = f"{{% for part in messages[0]['content'] %}}{mark_and_text}{{% endfor %}}"
    templated = Prompts(processor, (image,)).tensors([SQUARE], [SHORT])["input_ids"]
    assert processor.tokenizer.convert_tokens_to_ids("user") in templated


@pytest.mark.parametrize("name", [*WITH_VIDEO, *ASKING])
def test_the_processor_is_of_the_familys_own_class(name, tmp_path):
    processor = opened(name, tmp_path, template=True)
    family = FAMILIES[name].processor
    assert type(processor).__name__ == family
    assert family in [base.__name__ for base in type(processor).__mro__[1:]]
    assert "messages" in processor.chat_template
    assert processor.image_processor.__class__.__name__.endswith("Pil")


@pytest.mark.parametrize("name", WITH_VIDEO)
def test_videos_are_refused_by_name(name, tmp_path):
    processor = opened(name, tmp_path)
    with pytest.raises(MissingPackageError, match="a video needs the package torchvision"):
        processor.video_processor([SQUARE])


@EVERY
def test_a_processor_saved_again_makes_the_same_tensors(name, tmp_path):
    first = opened(name, tmp_path / "first")
    if name == "deepseek_vl_hybrid":
        skip_on_older_transformers("saves it without all its settings")
    first.save_pretrained(tmp_path / "second")
    second = open_processor(str(tmp_path / "second"))
    family = FAMILIES[name]
    vision = (first.tokenizer.convert_tokens_to_ids(family.vision or family.tokens[0]),)
    one, two = (Prompts(p, vision).tensors([SQUARE, WIDE], [LONG, SHORT]) for p in (first, second))
    assert one.keys() == two.keys()
    for key in one:
        assert torch.equal(one[key], two[key]), key


def test_without_a_named_class_the_configuration_decides(tmp_path):
    write(FAMILIES["qwen2_vl"], tmp_path)
    settings = json.loads((tmp_path / "preprocessor_config.json").read_text())
    del settings["processor_class"]
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2_5_vl"}))
    assert type(open_processor(str(tmp_path))).__name__ == "Qwen2_5_VLProcessor"


@pytest.mark.parametrize("processor", ONLY_WITH_TORCHVISION)
def test_a_family_that_needs_torchvision_says_so(processor, tmp_path):
    if processor_class_from_name(processor) is None:
        skip_on_older_transformers("does not have it")
    write(Family(processor, ONLY_WITH_TORCHVISION[processor], {}, ("<|image|>",), (0, 0)), tmp_path)
    with pytest.raises(MissingPackageError, match=r"needs the package torchvision.*Session\(model\).*ready tensors"):
        open_processor(str(tmp_path))


def test_a_checkpoint_without_a_processor_says_so(tmp_path):
    write(Family("ProcessorOfTheFuture", "CLIPImageProcessor", {}, ("<image>",), (0, 0)), tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "fast_vlm"}))
    with pytest.raises(ValueError, match="its files name no processor that transformers knows"):
        open_processor(str(tmp_path))
    (tmp_path / "empty").mkdir()
    (tmp_path / "config.json").rename(tmp_path / "empty" / "config.json")
    with pytest.raises(ValueError, match="Unrecognized processing class"):
        open_processor(str(tmp_path / "empty"))


def test_a_processor_that_loads_is_taken_as_it_is(tmp_path, monkeypatch):
    whole = opened("llava", tmp_path)
    monkeypatch.setattr(AutoProcessor, "from_pretrained", lambda *_, **__: whole)
    assert open_processor(str(write(FAMILIES["qwen2_vl"], tmp_path / "video"))) is whole
