"""The command line: the same calls as in a notebook, headless. `skipit --help` lists them."""

from skipit_nb.cli.main import main

__all__ = ["main"]
