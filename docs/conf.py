"""How Sphinx makes the pages of `docs/`, with the notebooks of `notebooks/` among them."""

import gc
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

from docstrings import HEADINGS, Plain, rewrite  # noqa: E402  beside this file

from skipit_nb import __version__  # noqa: E402

# A build makes a million nodes that live to its end; with Python's own settings, looking for garbage among them is a
# third of its time.
gc.set_threshold(100_000, 20, 100)

COPIES = DOCS / "_build" / "notebooks"

project = "skipit_nb"
release = version = __version__
copyright = "the skipit_nb contributors, Apache-2.0"  # noqa: A001 - Sphinx reads this name

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Our docstrings name types that live in torch, transformers, pandas and altair, whose inventories are not at hand.
nitpick_ignore_regex = [("py:.*", r".*")]
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # a signature with all its types is unreadable; the docstrings say what goes in
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [(heading, "notes_style") for heading in HEADINGS if heading in ("Source", "Shapes")]

# `make docs` says "force": the pages show what the code does today, and a notebook that fails stops the build.
nb_execution_mode = os.environ.get("SKIPIT_DOCS_EXECUTE", "off")
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
# A page has no kernel behind it, so of each bundle it takes the picture and not the live widget.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]

html_theme = "furo"
html_title = f"skipit_nb {release}"
html_static_path = ["static"]
html_js_files = ["focusable.js"]
exclude_patterns = ["_build/html", "_build/doctrees", "_build/jupyter_execute", "**/.ipynb_checkpoints"]

# Sphinx reads nothing outside this folder, so the notebooks come as copies; what they write stays beside them, and what
# they read in `../docs/results` lies there too.
shutil.rmtree(COPIES, ignore_errors=True)
shutil.copytree(
    DOCS.parent / "notebooks", COPIES, ignore=shutil.ignore_patterns("*.py", "*.cfg", "course", "runs", ".*", "__*")
)
shutil.copytree(
    DOCS / "results", COPIES.parent / "docs" / "results", ignore=shutil.ignore_patterns("*.md"), dirs_exist_ok=True
)


def _from_the_site(_app: Any, docname: str, source: list[str]) -> None:
    """A notebook links to pages as its reader in the repository finds them; on the site the folders are others."""
    if docname.startswith("_build/notebooks/"):
        source[0] = re.sub(r"\]\(\.\./docs/", "](../../", source[0])


def setup(app: Any) -> None:
    """Connect what is ours."""
    plain = Plain()
    app.connect("autodoc-process-docstring", rewrite, priority=400)  # napoleon comes at 500
    app.connect("autodoc-process-docstring", plain.note, priority=499)
    app.connect("autodoc-process-docstring", plain.restore, priority=501)
    app.connect("source-read", _from_the_site)
