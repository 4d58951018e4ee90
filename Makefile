# The verbs of the project; `make` alone lists them. Needs python3 (3.11 to 3.14) with venv, and git.
# Everything is installed into .venv, from the lock files, with hashes. A second run installs nothing.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
ARGS ?=
COUNT ?= 10000
VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(CURDIR)/build/tools
export PIP_DISABLE_PIP_VERSION_CHECK := 1

RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
LAB := $(VENV)/.lab
# Another stamp once Python's headers are there: the engine is then compiled at the next run.
HEADERS := $(shell $(firstword $(wildcard $(BIN)/python) $(PYTHON)) _build/toolchain.py --headers)
INSTALLED := $(VENV)/.installed-$(HEADERS)
FUZZ_TARGETS := $(filter-out run streams test_%,$(basename $(notdir $(wildcard tests/fuzz/*.py))))
# A module is compiled where a .pxd lies beside it.
TYPED := $(shell find parsers sensor -name '*.pxd')
ENGINE := $(TYPED) $(TYPED:.pxd=.py)

# --- verbs -----------------------------------------------------------------------------------------------------------

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUNTIME) $(INSTALLED) ## set up, read the bundled captures, serve the API on 127.0.0.1:8470
	@exec $(BIN)/spanward demo $(ARGS)

.PHONY: test
test: $(DEV) $(INSTALLED) ## set up and run the tests (ARGS="-k tls" picks some)
	@exec $(BIN)/python -m pytest --numprocesses auto --dist worksteal $(ARGS)

.PHONY: check
check: $(DEV) $(INSTALLED) ## lint, types, floors, spelling, and our own rules and fingerprints
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(BIN)/spanward check

.PHONY: fix
fix: $(DEV) ## mend what can be mended by itself: lint, format
	-$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: golden
golden: $(DEV) $(INSTALLED) ## write the goldens that are missing; ARGS="pcaps/tls/x.pcap" writes that one anew
	@$(BIN)/python -m tests.golden.goldens $(ARGS)

.PHONY: bench
bench: $(DEV) $(INSTALLED) ## speed, side by side with the peers that are installed: ARGS="a b --rounds 3"
	@$(BIN)/python -m tests.benchmarks.run $(ARGS)

.PHONY: bench-live
bench-live: $(DEV) $(INSTALLED) ## speed on a wire, with tcpreplay (root, Linux): ARGS="a b --minutes 10"
	@$(BIN)/python -m tests.benchmarks.live $(ARGS)

.PHONY: docs
docs: ## check what the documents claim (comes with the console)
	@echo "make docs: comes with the console; nothing to check yet"

.PHONY: fuzz
fuzz: $(DEV) $(INSTALLED) ## feed COUNT hostile inputs to each target, engine and parsers; the ledger grows
	@seed=$$(date +%s) && for target in $(FUZZ_TARGETS); do \
	    $(BIN)/python -m tests.fuzz.run $$target $(COUNT) --seed $$seed $(ARGS) || exit 1; done

.PHONY: lab
lab: $(LAB) $(INSTALLED) ## build the hospital of real software, play and record its 120 days (root, Debian)
	@$(BIN)/python pcaps/lab/hospital.py --install $(ARGS)

.PHONY: record
record: $(LAB) $(INSTALLED) ## record single scenarios again from real software: ARGS="tls tls12_ecdhe" (root, Linux)
	@$(BIN)/python pcaps/lab/record.py $(or $(ARGS),--help)

.PHONY: score
score: $(DEV) $(INSTALLED) ## how good the inference is: the recorded hospital against the truth about it
	@$(BIN)/python -m tests.score $(ARGS)

.PHONY: agreement
agreement: $(DEV) $(INSTALLED) ## agreement with tshark, field by field
	@$(BIN)/python -m pytest -q -s tests/agreement $(ARGS)

.PHONY: lock
lock: $(DEV) ## resolve the dependencies anew (needs uv); keeps versions that still fit
	@_build/lock

.PHONY: clean
clean: ## remove .venv, builds and caches; never a store
	@rm -rf $(VENV) build ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find parsers sensor -name '*.so' -delete

# --- set-up ------------------------------------------------------------------------------------------------------------

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 14) else 1)' || { \
	    echo "Python 3.11 to 3.14 is needed, this is $$($(PYTHON) --version). Try: make PYTHON=python3.11" >&2; exit 1; }
	@echo "setting up $(VENV), which takes a minute or two"
	@$(PYTHON) -m venv --clear $(VENV)

$(RUNTIME): requirements.lock | $(BIN)/pip
	@$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME) | $(BIN)/pip
	@$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(LAB): requirements-lab.lock $(DEV) | $(BIN)/pip
	@$(BIN)/pip install --quiet --require-hashes -r requirements-lab.lock
	@touch $@

# The build tools are needed once, come by hash like everything else, and are gone afterwards.
$(INSTALLED): pyproject.toml setup.py $(wildcard _build/*.py) requirements-build.lock requirements-zig.lock $(ENGINE) | $(BIN)/pip
	@locks="$$($(BIN)/python _build/toolchain.py)" && \
	    $(BIN)/pip install --quiet --require-hashes --target $(TOOLS) --upgrade $$locks
	@PYTHONPATH=$(TOOLS) $(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -rf $(TOOLS)
	@$(BIN)/python -m compileall -q parsers sensor api # as pip does for what it copies
	@$(BIN)/python -m sensor.store # what a new store is a copy of
	@touch $@
