# Every target makes the environment that it needs, once; a second run skips what is done.
# Override on the command line: PYTHON=python3.12, CONFIG=configs/mine.yaml, ARGS="--study mine", ...

PYTHON ?= python3
CONFIG ?= configs/quickstart.yaml
# --resume starts the study when it is new, goes on when it was cut off, and shows the report when it is done.
ARGS ?= --resume
# Two workers; the tests of one file stay on one worker, so they share what the file has set up.
TESTS ?= tests
WORKERS ?= 2
PYTEST_ARGS ?=
IN_TURNS = -q -n $(WORKERS) --dist loadfile

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
TORCH := $(shell grep '^torch==' constraints.txt)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help search test test-thorough test-slow faults mutants lint docs dashboard constraints clean

help: ## show this list
	@echo "mixspace: search the design space of vision token mixers"
	@echo
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

search: $(VENV)/.runtime ## run the quickstart search on real images (CONFIG=..., ARGS=...)
	@$(BIN)/python -m search run $(CONFIG) $(ARGS)

dashboard: $(VENV)/.runtime ## look at the studies in a browser of this machine (MIXSPACE_STORE=... for another store)
	@$(BIN)/python -m streamlit run dashboard --server.headless true

# Programs that tests start would be compiled anew each time.
unexport PYTHONDONTWRITEBYTECODE

test: $(VENV)/.test ## run the default tests (TESTS=tests/space, PYTEST_ARGS=...)
	@$(BIN)/python -m pytest $(TESTS) -m "not slow and not thorough" $(IN_TURNS) $(PYTEST_ARGS)

test-thorough: $(VENV)/.test ## run what looks further: whole searches, every combination, browsers
	@$(BIN)/python -m pytest $(TESTS) -m "thorough and not slow" $(IN_TURNS) $(PYTEST_ARGS)

test-slow: $(VENV)/.test ## run the slow tests
	@$(BIN)/python -m pytest $(TESTS) -m slow -q $(PYTEST_ARGS)

# ARGS is for `search` by default; whatever is given on the command line is for this one.
faults: $(VENV)/.test ## kill what a search needs a hundred times, and say what it cost (ARGS="--kills 20")
	@$(BIN)/python -m tests.campaign $(if $(filter command line,$(origin ARGS)),$(ARGS))

# A sample, as all of them take many hours; ARGS="--sample 100 --only 'search.study.*'" chooses.
mutants: $(VENV)/.mutation ## change the code in small ways and list what no test notices (ARGS="--sample 100")
	@$(BIN)/python -m tests.mutants $(if $(filter command line,$(origin ARGS)),$(ARGS))

lint: $(VENV)/.lint ## check style, types and import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Warnings are errors, and -E reads all pages anew, so none is missed. Nothing is fetched.
docs: $(VENV)/.docs ## build the pages of docs/ as a site, in build/docs
	@$(BIN)/python -m sphinx -W --keep-going -q -E -b html -d build/doctrees docs build/docs
	@echo "look at build/docs/index.html"

constraints: $(VENV)/.test $(VENV)/.lint $(VENV)/.docs ## write constraints.txt anew from the environment
	@{ grep '^#' constraints.txt; $(BIN)/python -m pip freeze --all --exclude-editable \
	  | grep -v '@\|^#\|^mixspace\|^pip=' | sed 's/+[^=]*$$//' | sort -f; } > constraints.new
	@mv constraints.new constraints.txt

clean: ## remove the environment and every cache; stores and checkpoints stay
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each layer of the environment. The stamp is written last, so a broken install starts over.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mixspace needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "making the environment in $(VENV) with $$($(PYTHON) --version 2>&1)"
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

# torch first, alone and asked for exactly: an open range may fetch gigabytes of GPU packages.
$(VENV)/.torch: $(VENV)/.made constraints.txt
	@echo "installing $(TORCH)"
	@$(PIP) install -c constraints.txt "$(TORCH)"
	@touch $@

$(VENV)/.runtime: $(VENV)/.torch pyproject.toml constraints.txt
	@echo "installing mixspace and what it needs (a minute or two, once)"
	@$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/.test: $(VENV)/.runtime
	@echo "installing what the tests need"
	@$(PIP) install -c constraints.txt -e ".[test]"
	@touch $@

$(VENV)/.mutation: $(VENV)/.test
	@echo "installing what makes mutants"
	@$(PIP) install -c constraints.txt -e ".[mutation]"
	@touch $@

$(VENV)/.docs: $(VENV)/.runtime
	@echo "installing what builds the pages"
	@$(PIP) install -c constraints.txt -e ".[docs]"
	@touch $@

$(VENV)/.lint: $(VENV)/.runtime
	@echo "installing what the linters need"
	@$(PIP) install -c constraints.txt -e ".[lint]"
	@touch $@
