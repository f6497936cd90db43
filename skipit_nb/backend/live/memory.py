"""Out of memory in the middle of a job: what was taken is given back, and the error says what to lower."""

from __future__ import annotations

import contextlib
import gc
import traceback
from collections.abc import Iterator

import torch

from skipit_nb.errors import OutOfMemoryError


@contextlib.contextmanager
def memory_given_back(device: torch.device) -> Iterator[None]:
    """Turn PyTorch's out-of-memory error into ours, with no tensor of the job left alive.

    The frames of the failed call hold its tensors for as long as its traceback lives, which in a notebook is until
    the next error; so they are emptied here.

    Raises:
        OutOfMemoryError: If the device had no memory left.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        why = (str(error).splitlines() or ["no reason given"])[0].rstrip(".")
        traceback.clear_frames(error.__traceback__)
        error.__traceback__ = None
    else:
        return
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    raise OutOfMemoryError(str(device), why) from None
