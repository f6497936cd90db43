"""An environment under Google Colab's pins, but with the Python and torch of this one."""

from tests.delivery.environment import ROOT, Environment, made

PINS = ROOT / "tests" / "constraints" / "colab.txt"
TOOLS = ("ipykernel", "ipython", "nbclient", "pytest>=9", "pytest-timeout", "hypothesis", "hatchling")
"""What a notebook there runs on, and what runs the tests."""


def colab() -> Environment:
    """What a Colab has after its first cell, and pytest beside it."""
    return made("colab", "--constraint", PINS, "--editable", f"{ROOT}[tasks]", *TOOLS, pins=PINS)
