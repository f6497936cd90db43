"""How soon the studio stands below its cell, where the session is open: a bar of the studio, measured in the kernel."""

import time
from typing import Any

import numpy as np
import pytest

from skipit_nb.studio import Studio

pytestmark = pytest.mark.bench


def test_a_studio_is_built_within_two_seconds(session: Any) -> None:
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        studio = Studio(session)
        studio._repr_mimebundle_()
        seconds.append(time.perf_counter() - began)
        studio.close()
    print(f"\nStudio → bundle: p50 {np.median(seconds):.2f} s, most {max(seconds):.2f} s of {len(seconds)}")  # noqa: T201
    assert max(seconds) < 2
