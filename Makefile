# Python 3.11 to 3.13 and make are all a machine needs; everything else goes into .venv.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RECIPE ?= laptop
ARGS ?=
JOBS ?= 2
STORE ?= sqlite:///mlflow.db
PORT ?= 5000

# A name on the PATH can be a shim without an interpreter behind it, so each candidate is tried.
CANDIDATES := python3.11 python3.12 python3.13 python3 python
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	>/dev/null 2>&1 && { echo "$$p"; break; }; done)

.PHONY: help setup evolve test bench lint ui clean

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  Variables: RECIPE=$(RECIPE) ARGS='key=value ...' JOBS=$(JOBS) PYTHON=... PORT=$(PORT) STORE=$(STORE)"

setup: $(STAMP) ## Install everything into .venv, once and again when the dependencies change

$(STAMP): pyproject.toml constraints.txt
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then \
		echo "No working Python 3.11 to 3.13 with venv found; install one, or say PYTHON=/path/to/python." >&2; \
		exit 3; \
	fi; \
	if ! $(BIN)/python -c '' >/dev/null 2>&1; then \
		echo "Creating $(VENV) with $$python"; \
		rm -rf $(VENV); \
		"$$python" -m venv $(VENV); \
	fi
	@echo "Installing the tested versions of constraints.txt (a few minutes the first time)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

evolve: setup ## Evolve a network (RECIPE=laptop: five minutes on two cores), then tabulate and draw
	@$(BIN)/evoplastic evolve $(RECIPE) $(ARGS)

test: setup ## Run all tests on JOBS processes
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile $(ARGS)

bench: setup ## Measure the engines and their rivals, write docs/performance.md (half an hour)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

lint: setup ## Check format, rules and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

ui: setup ## Browse the recorded runs at http://127.0.0.1:PORT
	@$(BIN)/evoplastic ui --store $(STORE) --port $(PORT)

clean: ## Remove .venv and caches; runs and records stay
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
