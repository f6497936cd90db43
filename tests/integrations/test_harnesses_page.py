"""What the page about harnesses shows is what runs."""

import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

from skipit_nb.cli.main import _parser
from skipit_nb.integrations.lmms_eval.arguments import skip_argument

PAGE = (Path(__file__).parents[2] / "docs" / "harnesses.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^(?:`|\| `)?(skipit (?:judge|compare) [^`\n\[]+)", PAGE, re.MULTILINE)


@pytest.mark.parametrize("code", PYTHON)
def test_every_block_is_python(code):
    compile(code, "harnesses.md", "exec")


def test_commands_are_ones_that_our_command_line_takes():
    taken = [command for command in COMMANDS if command != "skipit judge A B "]
    assert len(taken) >= 3
    for command in taken:
        _parser().parse_args(shlex.split(command)[1:])


@pytest.mark.parametrize(
    ("written", "meant"), re.findall(r"^\| `\"?skip=([^`\"]+)\"?`.* \| `([^`]+)`", PAGE, re.MULTILINE)
)
def test_skip_sets_mean_what_the_table_says(written, meant):
    assert str(skip_argument(written)) == meant


def test_our_results_are_written_and_read_back(tmp_path, monkeypatch, session):
    monkeypatch.chdir(tmp_path)
    (writes,) = (code for code in PYTHON if "import write" in code)
    (reads,) = (code for code in PYTHON if "import read_logs" in code)
    scope: dict[str, object] = {}
    exec(writes.replace("limit=190", "limit=8, measure=('accuracy',)"), scope)
    exec(reads.replace("runs/", "runs/mine/"), scope)
    assert scope["found"].accuracy == scope["result"].metric("accuracy")


def test_the_class_for_vlmevalkit_answers_as_compare_does(tmp_path, monkeypatch, session):
    (code,) = (code for code in PYTHON if "generate_inner" in code)
    stands_in = ModuleType("vlmeval.vlm.base")
    stands_in.BaseModel = type("BaseModel", (), {})
    monkeypatch.setitem(sys.modules, "vlmeval.vlm.base", stands_in)
    scope: dict[str, object] = {}
    exec("from vlmeval.vlm.base import BaseModel\n" + code[code.index("class") : code.index("session, dataset")], scope)
    model = scope["Skipped"](session, "vision absent 2-")
    compared = session.compare("digits-vqa", b="vision absent 2-", limit=12, measure=("accuracy",))
    for example, answer in zip(session.examples("digits-vqa", limit=12), compared.answers, strict=True):
        path = tmp_path / "image.png"
        example.image.save(path)
        message = [{"type": "image", "value": str(path)}, {"type": "text", "value": example.question}]
        assert model.generate_inner(message) == answer.b
