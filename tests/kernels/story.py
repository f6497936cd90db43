"""Cells sent to a running kernel, one after the other, as JupyterLab would send them."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

SECONDS = 180
"""The longest cell imports torch on a busy machine."""


@dataclass
class Told:
    """What a cell gave."""

    seconds: float
    printed: str = ""
    shown: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    """Traits of widgets that changed meanwhile."""
    error: str = ""


class Kernel:
    """A running kernel."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager = manager
        self._client = client

    def run(self, code: str, seconds: float = SECONDS) -> Told:
        """Run a cell to its end."""
        return self.hear(self.start(code), seconds)

    def start(self, code: str) -> str:
        """Send a cell, and do not wait."""
        return str(self._client.execute(code))

    def hear(self, cell: str, seconds: float = SECONDS) -> Told:
        """Wait for the end of a cell that was sent."""
        began, told = time.monotonic(), Told(0.0)
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=seconds)
            except Empty:
                raise TimeoutError(f"the kernel said nothing for {seconds} s") from None
            kind, content = message["msg_type"], message["content"]
            if kind == "comm_msg":  # a worker's message has another parent, or none
                told.updates.append(content["data"].get("state", {}))
            if message["parent_header"].get("msg_id") != cell:
                continue
            if kind == "stream":
                told.printed += content["text"]
            elif kind in ("display_data", "execute_result"):
                told.shown.append(content["data"])
            elif kind == "error":
                told.error = f"{content['ename']}: {content['evalue']}"
            elif kind == "status" and content["execution_state"] == "idle":
                told.seconds = time.monotonic() - began
                return told

    def wait_for_progress(self, seconds: float = SECONDS) -> None:
        """Wait until the page is told that a first question is done: by the worker, while the cell waits for it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            message = self._client.get_iopub_msg(timeout=seconds)
            if message["msg_type"] == "comm_msg" and message["content"]["data"].get("state", {}).get("done", 0) > 0:
                return
        raise TimeoutError(f"no progress in {seconds} s")

    def interrupt(self) -> None:
        """What the Stop button does."""
        self._manager.interrupt_kernel()


@contextmanager
def kernel_of(python: Path, folder: Path) -> Iterator[Kernel]:
    """A kernel that this Python runs, while the block runs."""
    (folder / "other").mkdir()
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "other", "language": "python", "interrupt_mode": "signal"}
    (folder / "other" / "kernel.json").write_text(json.dumps(spec))
    specs = KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False)
    manager = KernelManager(kernel_name="other", kernel_spec_manager=specs)
    manager.start_kernel(cwd=str(folder))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=SECONDS)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
