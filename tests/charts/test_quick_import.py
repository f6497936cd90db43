"""The first chart does not wait for a checker of addresses, and who needs it has it all the same."""

import subprocess
import sys

import pytest

pytest.importorskip("rfc3987_syntax", reason="comes with JupyterLab")

QUICKLY = """
import sys
from skipit_nb.charts import distance_chart
print("altair" in sys.modules, "rfc3987_syntax" in sys.modules)
"""
CHECKS = """
from jsonschema import FormatChecker
checker = FormatChecker()
print(*(checker.conforms(text, kind) for kind in ("iri", "iri-reference") for text in ("http://a.b/ö", "http://[")))
import rfc3987_syntax
print(rfc3987_syntax.is_valid_syntax("iri", "http://a.b/ö"), rfc3987_syntax.__file__ is not None)
"""


def said(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_chart_comes_without_it_and_jsonschema_checks_addresses_as_ever() -> None:
    loaded, *checked = said(QUICKLY + CHECKS)
    assert loaded == "True False"
    assert checked == said(CHECKS) == ["True False True False", "True True"]


def test_where_it_was_imported_before_it_stays() -> None:
    assert said("import rfc3987_syntax as before\n" + QUICKLY + "print(sys.modules['rfc3987_syntax'] is before)") == [
        "True True",
        "True",
    ]
