"""The machine's own Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

# Chromium would look for updates, sync servers and a GPU, none of which a test wants, and start a process for each page
# and one more in reserve.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--renderer-process-limit=1",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def executable() -> str:
    """The path of Chromium. Without one a test is skipped, but on CI it fails: there, a skip would hide a loss."""
    found = os.environ.get("SKIPIT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found:
        return found
    reason = "no Chromium here: install Debian's package chromium, or name one in SKIPIT_CHROMIUM"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running headless Chromium; never one that Playwright downloads."""
    path = executable()
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, headless=True, args=QUIET) as browser,
    ):
        yield browser
