"""A real JupyterLab on 127.0.0.1 that knows nothing of the user's settings."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# Folders of its own, so that no setting, workspace or kernel of the user's changes a test.
OWN_FOLDERS = (
    "HOME",
    "IPYTHONDIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
)

# No news, no update check, no autosave: nothing happens that a test did not ask for.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/apputils-extension:themes": {"theme": "JupyterLab Light"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}

START_SECONDS = 90
STOP_SECONDS = 10


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: its address, and the folder it serves."""

    address: str
    root: Path


@contextmanager
def lab_server(base: Path) -> Iterator[Lab]:
    """Serve `base/root` in JupyterLab while the block runs; its log is `base/server.log`."""
    root, log = base / "root", base / "server.log"
    root.mkdir(exist_ok=True)
    port = _free_port()
    with log.open("w") as out:
        server = subprocess.Popen(
            _command(base, port),
            env=_environment(base),
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=root,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_up(server, address, log)
        yield Lab(address, root)
    finally:
        _stop(server)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _environment(base: Path) -> dict[str, str]:
    for name in OWN_FOLDERS:
        (base / name).mkdir(exist_ok=True)
    own = {name: str(base / name) for name in OWN_FOLDERS}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | own | {"JUPYTER_PLATFORM_DIRS": "1", "PATH": path}


def _command(base: Path, port: int) -> list[str]:
    overrides = base / "overrides"
    overrides.mkdir(exist_ok=True)
    (overrides / "overrides.json").write_text(json.dumps(SETTINGS))
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={base / 'root'}"),
        *("--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True"),
        *("--ServerApp.terminals_enabled=False", "--LabApp.news_url=None", "--LabApp.extension_manager=readonly"),
        f"--LabServerApp.app_settings_dir={overrides}",
        "--LabApp.expose_app_in_browser=True",  # gives the page `window.jupyterapp`: sturdier than reading its CSS
    ]


def _wait_until_up(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{address}/api/status", timeout=2):  # noqa: S310 - our own
            return
        time.sleep(0.1)
    message = f"JupyterLab did not start:\n{log.read_text()[-3000:]}"
    raise RuntimeError(message)


def _stop(server: subprocess.Popen[bytes]) -> None:
    # The whole group that we started, and nothing else; Jupyter ends its kernels on SIGTERM.
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(STOP_SECONDS)
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
