"""How Sphinx makes the pages of `docs/`, with the notebooks of `notebooks/` among them."""

import os
import shutil
from pathlib import Path

from skipit_nb import __version__

DOCS = Path(__file__).parent
COPIES = DOCS / "_build" / "notebooks"

project = "skipit_nb"
release = version = __version__
copyright = "the skipit_nb contributors, Apache-2.0"  # noqa: A001 - Sphinx reads this name

extensions = ["myst_nb"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# `make docs` says "force": the pages show what the code does today, and a notebook that fails stops the build.
nb_execution_mode = os.environ.get("SKIPIT_DOCS_EXECUTE", "off")
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
# A page has no kernel behind it, so of each bundle it takes the picture and not the live widget.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]

html_theme = "furo"
html_title = f"skipit_nb {release}"
exclude_patterns = ["_build/html", "_build/doctrees", "**/.ipynb_checkpoints"]

# Sphinx reads nothing outside this folder, so the notebooks come as copies; what they write stays beside them.
shutil.rmtree(COPIES, ignore_errors=True)
shutil.copytree(DOCS.parent / "notebooks", COPIES, ignore=shutil.ignore_patterns("*.py", "*.cfg", "runs", ".*", "__*"))
