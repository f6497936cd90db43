"""What workers are sent to do in these tests: functions that another process can import."""

import os
import signal
import time
from pathlib import Path

from PIL import Image

from skipit_nb.errors import DeviceError


def keys(live, batch):
    return [example.key for example in batch]


def widths(live, batch):
    return [example.image.width for example in batch]


def one_too_few(live, batch):
    return keys(live, batch)[1:]


def refuse(live, batch):
    raise DeviceError("device 'cuda:7'", ["cpu"])


def divide_by_nothing(live, batch):
    return [1 / 0 for _ in batch]


def die(live, batch):
    os.kill(os.getpid(), signal.SIGKILL)


def slowly(live, batch, *, log):
    """Leave a file per batch, so that another process can count them."""
    Path(log, batch[0].key.replace("/", "-")).touch()
    time.sleep(0.2)
    return keys(live, batch)


def blank(width):
    return Image.new("RGB", (width, 8))
