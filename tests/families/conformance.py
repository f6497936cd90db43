"""How exactly the engine did in the whole matrix: a part of docs/families.md, written by the test that runs it."""

from __future__ import annotations

import ast
import datetime as dt
import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path

import torch
import transformers

from skipit_nb.backend.live import skipping
from skipit_nb.backend.live.anatomy import anatomy_of
from tests.families.all_families import BUILDERS, family
from tests.families.exclusions import ANYWHERE, LATER, ON_NEWEST, ON_OLDEST
from tests.families.matrix import CLOSE, KINDS, covering_cases, skipset_of

Errors = Mapping[tuple[str, str], list[float]]
"""For each family and kind of skip set, the errors of its cases."""

ENGINE = (
    "anatomy", "forward_pass", "key_rows", "layer_forwards", "limits", "rows", "shortened_cache", "skipping",
    "uncompiled",
)  # fmt: skip
"""The files that decide whether a skip set is exact."""

BEGIN = "## How exactly\n"

WHAT = f"""
A case generates four tokens under a skip set and compares every logit with a slow reference that runs all layers on
all rows, without a cache, closes columns and puts states back. The matrix has every combination of the kind of skip
set · one prompt, a left-padded batch with different numbers of vision tokens, two images, no image · greedy, three
beams · dynamic cache, static cache, none · sdpa, eager. The table gives the largest difference of a logit, relative
to the largest logit; {CLOSE:g} is allowed, and the tokens must be the same. A dash: the family refuses all of it.

"""

KINDS_SAY = "The kinds, on a model with four layers: {kinds}.\n"

HOW = """
`make test` runs {few} of these cases, in which every two choices meet, and plants bugs that they must notice;
`make test-full` runs all, writes this part of the page, and runs the {few} with the oldest transformers too.

"""

LEFT_OUT = """Not in the matrix, because transformers itself fails there with nothing skipped, or has nothing to compare
with; a test shows each:

| family | with | transformers | why |
| --- | --- | --- | --- |
"""


def section(errors: Errors) -> str:
    """This part of the page."""
    date, total = dt.datetime.now(tz=dt.UTC).date().isoformat(), sum(map(len, errors.values()))
    measured = (
        f"Measured on {date} on commit {commit()}, with transformers {transformers.__version__} and torch "
        f"{torch.__version__}: {total} cases, all exact. <!-- engine {fingerprint()} -->\n\n"
    )
    kinds = "; ".join(f"{kind}, `{text.format(last=3, last_two='2-3')}`" for kind, text in KINDS.items())
    parts = [BEGIN, WHAT, measured, table(errors), "\n", KINDS_SAY.format(kinds=kinds)]
    return "".join([*parts, HOW.format(few=len(covering_cases())), LEFT_OUT, left_out()])


def table(errors: Errors) -> str:
    """Families down, kinds across; each kind of a family has as many cases."""
    head = f"| family | cases a kind | {' | '.join(KINDS)} |\n| --- | --- |{' --- |' * len(KINDS)}\n"
    return head + "".join(
        f"| {name} | {len(errors[name, next(iter(KINDS))])} | {cells(name, errors)} |\n" for name in BUILDERS
    )


def cells(name: str, errors: Errors) -> str:
    anatomy = anatomy_of(family(name).model)
    can = {kind: not skipset_of(kind, anatomy).is_empty for kind in KINDS}
    return " | ".join(f"{max(errors[name, kind]):.0e}".replace("e-0", "e-") if can[kind] else "–" for kind in KINDS)


def left_out() -> str:
    rows = [(values, "any", why) for values, why in ANYWHERE.items()]
    rows += [(values, "from 5.23", why) for values, why in ON_NEWEST.items()]
    rows += [(values, "5.15", why) for values, why in ON_OLDEST.items()]
    rows += [((name, "all"), "5.15", "came later") for name in LATER]
    return "".join(f"| {name} | {', '.join(with_)} | {version} | {why} |\n" for (name, *with_), version, why in rows)


def fingerprint() -> str:
    """Of the code that decides exactness; comments and docstrings left out."""
    folder = Path(skipping.__file__).parent
    code = "".join(ast.unparse(without_words(folder / f"{name}.py")) for name in ENGINE)
    return hashlib.sha256(code.encode()).hexdigest()[:12]


def without_words(file: Path) -> ast.Module:
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(getattr(node, "body", None), list):
            node.body = [line for line in node.body if not is_text(line)]
    return tree


def is_text(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def commit() -> str:
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"
