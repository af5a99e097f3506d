# One command for everything, for people and for CI alike. `make` lists them.
# Settings: PYTHON (3.11-3.13), and pip's own, such as PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu for
# PyTorch without CUDA on Linux.

.DEFAULT_GOAL := help
.PHONY: help install demo serve test test-unit test-service quick emulate coverage fuzz soak hosts sabotage screenshots check audit bench bench-gpu first-gpu studies docs clean

# The tests start hundreds of processes, and pytest rewrites every test: neither is compiled anew each time.
unexport PYTHONDONTWRITEBYTECODE
# With EVERY=1 all is tried, as in CI; without it a selection that a person waits for (docs/decisions/0057).
export INITLAB_TEST_EVERY := $(EVERY)

VENV := .venv
RUN := $(VENV)/bin
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	if $$p -c '$(FITS)' 2>/dev/null; then echo $$p; exit; fi; done)
INSTALL := $(RUN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
UNIT := -n auto -m "not service"
SERVICE := -n 2 --dist loadfile --no-loadscope-reorder -m service
EMULATED := -n auto -m "gpu or emulated"
MARKED := 'mark\.(gpu|emulated)'
# Those files alone are read: to read all takes each process as long as twenty tests. Backwards, so that what takes long
# (pages, faults, chaos) does not begin last, when one process would wait for the other.
SERVICES = $$(grep -rl 'mark\.service' --include='test_*.py' tests/$(P) | sort -r)
PEERS := keras optax
BENCHES := trainers curves logging_cost diagnostics
SOURCES := api bench core docs initlab migrations tests worker

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(VENV)/.dev ## make the environment in .venv, for running and for developing

demo: $(VENV)/.server ## compare seven ways to set initial weights on real images; report and pictures in var/demo
	@$(RUN)/python -m initlab.demo

serve: $(VENV)/.server ## run the service here, data in ./var
	@$(RUN)/initlab serve

test: test-unit test-service ## run the tests, on all cores; with EVERY=1 all of them, as CI does

test-unit: $(VENV)/.dev
	$(RUN)/python -m pytest $(UNIT)

test-service: $(VENV)/.dev
	$(RUN)/python -m pytest $(SERVICE) $(SERVICES)

quick: $(VENV)/.dev ## run one folder's tests, without those that take seconds: make quick P=core/initializers
	@$(RUN)/python -m pytest -q -m "not service and not slow" $(PEERS:%=--ignore-glob='*/test_%.py') tests/$(P)

emulate: $(VENV)/.dev ## run the tests marked gpu on an emulated CUDA device, of one folder with P=core/training; needs g++
	$(RUN)/python -m tests.emulation $(EMULATED) $$(grep -rlE $(MARKED) --include='test_*.py' tests/$(P) | sort)

coverage: $(VENV)/.dev ## measure what the tests run, of one folder with P=core/store; pages go to var/coverage
	@rm -rf var/coverage
	-$(RUN)/python -m pytest $(UNIT) --cov --cov-report= tests/$(P)  # goes on: measured, tests about time may fail
	-$(RUN)/python -m pytest $(SERVICE) --cov --cov-append --cov-report= $(SERVICES)
	@$(RUN)/coverage html --quiet -d var/coverage/html
	@$(RUN)/coverage report

check: $(VENV)/.dev ## format, lint, types, import rules, retired words, docstrings, compose file, file lengths
	$(RUN)/ruff format --check
	$(RUN)/ruff check
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/python -m tests.checks.retired_words
	$(RUN)/python -m tests.checks.docstrings
	$(RUN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@find $(SOURCES) -name '*.py' -exec awk 'FNR == 301 {print FILENAME ": more than 300 lines"}' {} + | \
		awk '{print} END {exit NR > 0}'

audit: $(VENV)/.dev ## ask PyPI's advisory database for known faults of the pinned versions; needs internet
	@$(RUN)/python -c 'import socket; socket.create_connection(("pypi.org", 443), 10).close()' 2>/dev/null || \
		{ echo "no internet here: https://pypi.org, which knows the advisories, does not answer"; exit 1; }
	@$(RUN)/python -m pip install --quiet --disable-pip-version-check --target var/audit pip-audit
	@PYTHONPATH=var/audit $(RUN)/python -m pip_audit --requirement constraints.txt --no-deps --disable-pip

fuzz: $(VENV)/.dev ## throw 50,000 random specs at the service: none may be a fault, or hang: make fuzz N=1000 for fewer
	@$(RUN)/python bench/fuzz.py $(if $(N),--count $(N))

soak: $(VENV)/.dev ## kill, freeze and cut everything for twenty minutes; the record goes to bench/records/soak.json
	@$(RUN)/python bench/soak.py

hosts: $(VENV)/.dev ## kill, freeze, cut, slow and part nine hosts made of network namespaces; needs root, on Linux
	@$(RUN)/python bench/hosts.py

screenshots: $(VENV)/.dev ## take the pictures of the page in docs/page anew; needs Chromium
	@$(RUN)/python -m tests.page.screenshots

sabotage: $(VENV)/.dev ## switch every protection off, one at a time: a test has to notice
	@$(RUN)/python -m pytest -m sabotage

bench: $(VENV)/.dev ## run the benchmarks; records go to bench/records
	@for name in $(BENCHES) overhead waiting pictures stalls store api_load listeners external importing scale; do echo "== $$name"; $(RUN)/python bench/$$name.py || exit 1; done

bench-gpu: $(VENV)/.dev ## on a machine with a GPU: the tests that need one, and the benchmarks on it
	@failed=0; $(RUN)/python -m pytest -m gpu || test $$? -eq 5 || failed=1; \
	for name in $(BENCHES) layouts; do echo "== $$name"; $(RUN)/python bench/$$name.py --device cuda || failed=1; done; \
	exit $$failed

first-gpu: $(VENV)/.server ## the first fifteen minutes on a GPU, what decides most first: make first-gpu TO=folder
	@$(RUN)/python bench/first_gpu.py $(if $(TO),--to "$(TO)")

studies: $(VENV)/.dev ## train the studies of docs/studies again: make studies DATA=folder
	@$(RUN)/python bench/studies.py --data "$(DATA)"

docs: $(VENV)/.dev ## build the manual, which the service then has at /manual; warnings and broken links are errors
	@$(RUN)/python -m docs.manual

clean: ## remove the environment, caches and the demo's output (not the data in ./var)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info build dist var/demo var/manual api/manual/site
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@if ! "$(PYTHON)" -c '$(FITS)' 2>/dev/null; then \
		echo "initlab needs Python 3.11, 3.12 or 3.13; found: $$($(or $(PYTHON),python3) --version 2>&1)." >&2; \
		echo "Say which to use, for example: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; fi
	"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

$(VENV)/.server: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing the service into $(VENV) (PyTorch is large; the first time takes minutes)."
	$(INSTALL) -e '.[server]'
	@touch $@

$(VENV)/.dev: $(VENV)/.server
	$(INSTALL) -e '.[server,dev,docs,integrations]'
	@touch $@
