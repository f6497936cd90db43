import pytest
import torch
from PIL import Image

from skipit_nb.backend.tasks import Example, load_task
from skipit_nb.backend.tasks.digits_vqa import Box, Canvas, canvases
from skipit_nb.zoo.architecture import make_dialect
from skipit_nb.zoo.corpus import Item, make_corpus
from skipit_nb.zoo.scenes import FACETS, UNKNOWN, SymbolReader, Symbols, digit_scenes, shape_scenes, told
from skipit_nb.zoo.vocabulary import vocabulary

pytestmark = pytest.mark.model


def item(question: str, answer: str) -> Item:
    return Item((0,), (0,), 1.0, Example("k", question, answer, "kind", "c", lambda: Image.new("RGB", (1, 1))))


def source_of(digit: int) -> int:
    pairs = [pair for canvas in canvases("test") for pair in zip(canvas.sources, canvas.digits, strict=True)]
    return next(source for source, shown in pairs if shown == digit)


def named(scene: torch.Tensor) -> list[str]:
    return [names[int(number)] for names, number in zip(FACETS.values(), scene, strict=True)]


@pytest.mark.parametrize(
    ("question", "answer", "color", "shape"),
    [
        ("what color is the circle?", "teal", "teal", "circle"),
        ("what is the red shape?", "triangle", "red", "triangle"),
        ("is there a blue shape?", "yes", "blue", None),
        ("is there a blue shape?", "no", None, None),
        ("is there not a blue shape?", "no", "blue", None),
        ("does the image not contain a rectangle?", "yes", None, None),
    ],
)
def test_color_and_shape_are_what_a_question_tells(
    question: str, answer: str, color: str | None, shape: str | None
) -> None:
    for facet, name in (("color", color), ("shape", shape)):
        assert told([item(question, answer)], facet) == (UNKNOWN if name is None else FACETS[facet].index(name))


def test_what_is_told_agrees_with_every_open_question() -> None:
    corpus = make_corpus(load_task("easy-vqa", "validation"), make_dialect())
    for row in corpus.items:
        for one in row:
            if one.example.kind in ("color", "shape"):
                assert told(row, one.example.kind) == FACETS[one.example.kind].index(one.example.answer)


def test_the_digit_over_each_patch_is_read_off_the_canvas() -> None:
    canvas = Canvas((source_of(7), source_of(3)), (Box(0, 0, 16), Box(40, 24, 24)), (0, 0, 0), (255, 255, 255))
    scene = digit_scenes([canvas]).reshape(8, 8, 5)
    assert named(scene[0, 0]) == ["nothing", "nothing", "7", "leftmost", "2"]
    assert named(scene[3, 5]) == ["nothing", "nothing", "3", "rightmost", "2"]
    assert named(scene[7, 7]) == ["nothing"] * 5
    assert (scene[:2, :2, 2] == scene[0, 0, 2]).all()
    assert (scene[3:6, 5:8, 2] == scene[3, 5, 2]).all()
    assert int((scene[..., 2] != 0).sum()) == 4 + 9


def test_a_patch_belongs_to_a_digit_if_its_middle_does() -> None:
    canvas = Canvas((source_of(7),), (Box(5, 4, 16),), (0, 0, 0), (255, 255, 255))
    scene = digit_scenes([canvas]).reshape(8, 8, 5)
    middles = torch.arange(8) * 8 + 4
    inside_x, inside_y = (middles >= 5) & (middles < 21), (middles >= 4) & (middles < 20)
    assert torch.equal(scene[..., 2] != 0, inside_y[:, None] & inside_x[None, :])
    assert named(scene[1, 1])[3:] == ["alone", "1"]


def test_a_shape_gives_its_color_to_the_patches_that_it_covers() -> None:
    mask = torch.zeros(2, 64, 64, dtype=torch.bool)
    mask[0, 8:24, 16:24] = True  # two patches
    mask[1, 33:36, 41:44] = True  # nine pixels of one patch, less than a quarter
    scenes = shape_scenes(mask, torch.tensor([3, UNKNOWN]), torch.tensor([1, 2]))
    assert scenes[0].nonzero().tolist() == [[10, 0], [10, 1], [18, 0], [18, 1]]
    assert scenes[1, 37].tolist() == [UNKNOWN, 2, 0, 0, 0]
    assert int((scenes[1] != 0).sum()) == 2


def test_a_patch_is_the_sum_of_its_facets() -> None:
    symbols = Symbols(width=3, spread=1.0)
    words = torch.randn(len(vocabulary()), 3, generator=torch.Generator().manual_seed(0))
    scene = torch.tensor([[[FACETS["color"].index("red"), 0, 1 + 7, FACETS["place"].index("leftmost"), 2]]])
    own = symbols.own.weight
    # Facets follow each other in the table: 9 colors, 4 shapes, 11 digits, 5 places, 5 counts.
    named_by_words = words[[vocabulary().index(word) for word in ("red", "7", "left")]].sum(dim=0)
    assert torch.allclose(symbols(scene, words)[0, 0], named_by_words + own[9] + own[29 + 2])
    assert len(own) == 34


def test_an_unknown_facet_costs_the_reader_nothing() -> None:
    reader, features = SymbolReader(width=3), torch.randn(1, 2, 3, generator=torch.Generator().manual_seed(0))
    known = torch.zeros(1, 2, 5, dtype=torch.long)
    unknown = known.clone()
    unknown[0, 0, 0] = UNKNOWN
    known_color = torch.nn.functional.cross_entropy(reader.read(reader.norm(features))[0, :, :9], known[0, :, 0])
    unknown_color = torch.nn.functional.cross_entropy(reader.read(reader.norm(features))[0, 1:, :9], known[0, 1:, 0])
    difference = reader(features, known) - reader(features, unknown)
    assert difference.item() == pytest.approx((known_color - unknown_color).item(), abs=1e-5)
