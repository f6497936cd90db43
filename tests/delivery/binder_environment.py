"""The environment that `binder/` describes, with the torch of this one in the place of PyTorch's index."""

from tests.delivery.environment import ROOT, Environment, made

REQUIREMENTS = ROOT / "binder" / "requirements.txt"


def binder() -> Environment:
    """What a Binder has after its build: `requirements.txt`, torch, and this package."""
    return made("binder", "--requirement", REQUIREMENTS, "--editable", ROOT, pins=REQUIREMENTS)
