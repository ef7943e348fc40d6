# Two commands on a fresh machine: `make run` and `make test`. Each sets up .venv when needed and reuses it.
#   make run PYTHON=python3.12   with another Python than python3
#   make run TORCH=cpu           on Linux: PyTorch without the libraries for NVIDIA cards, 2.3 GB and not 6.3
PYTHON ?= python3
BIN := .venv/bin
# What .venv holds: all that the course needs, or the tools of the tests as well.
READY := .venv/.ready
TESTED := .venv/.ready-test
# Where PYTHON was given, a .venv of another Python is refused.
ASKED := $(if $(filter file,$(origin PYTHON)),,--asked)

.PHONY: run series lab site editions test nightly python
.DEFAULT_GOAL := run

run: $(READY)        ## the quickstart end to end: train, map, assess; results in build/
	@$(BIN)/python -m stma_nb run

series: $(READY)     ## all notebooks
	@$(BIN)/python -m stma_nb series

lab: $(READY)        ## JupyterLab in your browser
	@$(BIN)/python -m stma_nb lab

site: $(READY)       ## the notebooks as web pages that work offline, in build/site
	@$(BIN)/python -m stma_nb site

editions: $(READY)   ## for a class: notebooks without solutions, and with solutions open, in build/editions
	@$(BIN)/python -m stma_nb editions build/editions --overwrite

# A process of tests for each core; who is done takes over tests of the others.
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

test: $(TESTED)      ## style, types and tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(PYTEST)

nightly: $(TESTED)   ## all tests, the slow ones as well
	@$(PYTEST) -m ""

$(READY): EXTRA := all
$(TESTED): EXTRA := test
$(READY) $(TESTED): pyproject.toml constraints.txt | python
	@"$(PYTHON)" .ci/set_up.py $(EXTRA) $(ASKED) --torch "$(TORCH)"
	@touch $(READY) $@

python:
	@$(if $(ASKED),"$(PYTHON)" .ci/set_up.py --asked)
