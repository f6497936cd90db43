"""The flips of a comparison as a table with images, in which nothing that was written is taken for markup."""

import base64
import io
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PIL import Image

from skipit_nb.charts.flips import flips_with_images
from skipit_nb.errors import ImageError, SettingError
from tests.charts import sample_results as sample

NASTY = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\u202e&lt;", "a\x00b", "x" * 10_000_000]


class Pictures:
    """A task whose images are 300 px wide; some are gone."""

    def __init__(self, gone=()):
        self.gone, self.asked = gone, []

    def example(self, key):
        self.asked.append(key)
        if key in self.gone:
            raise ImageError(key, "there is no such file <b>")
        return SimpleNamespace(image=Image.new("RGB", (300, 100), "red"))


def told(**words):
    """A comparison whose flips say these words."""
    found = sample.comparison()
    return replace(found, answers=tuple(replace(answer, **words) for answer in found.answers))


def test_each_flip_is_shown_with_its_image_and_words():
    found, task = sample.comparison(), Pictures()
    page = flips_with_images(found, task, "any")._repr_html_()
    keys = list(found.flips("any").key)[:24]
    assert task.asked == keys
    urls = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(urls) == len(keys) > 0
    assert Image.open(io.BytesIO(base64.b64decode(urls[0]))).size == (96, 32)
    for row in found.flips("any").head(24).itertuples():
        assert f"<bdi>{row.a}</bdi></td><td><bdi>{row.b}</bdi>" in page


def test_the_frame_is_that_of_the_comparison_and_no_image_is_opened_for_it():
    found, task = sample.comparison(), Pictures()
    table = flips_with_images(found, task, "worse")
    assert table.frame.equals(found.flips("worse"))
    assert len(table) == found.worse
    assert repr(table) == f"FlipTable({found.worse} flips, worse)"
    assert task.asked == []


@pytest.mark.parametrize("words", NASTY, ids=["script", "attribute", "right-to-left", "NUL", "10 MB"])
@pytest.mark.parametrize("field", ["a", "question", "target", "kind", "key"])
def test_what_was_written_is_text(words, field):
    page = flips_with_images(told(**{field: words}), Pictures(), "any")._repr_html_()
    assert set(re.findall(r"<(\w+)", page)) <= {"table", "thead", "tbody", "tr", "th", "td", "bdi", "img", "p", "code"}
    assert page.count("<img") == len(re.findall(r'<img src="data:image/png;base64,[\w+/=]+" alt="[^"<>]*">', page))
    assert "\x00" not in page
    assert len(page) < 1_000_000


def test_an_image_that_is_gone_leaves_its_words_and_a_reason():
    found = sample.comparison()
    key = found.flips("any").key[0]
    page = flips_with_images(found, Pictures({key}), "any")._repr_html_()
    assert "ImageError" in page
    assert "no such file &lt;b&gt;" in page


def test_another_kind_is_refused():
    with pytest.raises(SettingError, match="kind is 'sideways'"):
        flips_with_images(sample.comparison(), Pictures(), "sideways")
