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
FUZZ ?= 5000
KILLS ?= 200
# Where this folder may not be written, as may be after the set-up, runs and caches go elsewhere.
WORK := $(shell [ -w . ] && echo . || echo "$${TMPDIR:-/tmp}/evoplastic-$$(id -u)")
ifeq ($(WORK),.)
AT_WORK := $(BIN)/evoplastic
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q
else
AT_WORK := mkdir -p -m 700 "$(WORK)" && cd "$(WORK)" && \
	echo "this folder may not be written; runs go to $(WORK), where printed commands work" && \
	"$(CURDIR)/$(BIN)/evoplastic"
PYTEST := mkdir -p -m 700 "$(WORK)" && HYPOTHESIS_STORAGE_DIRECTORY="$(WORK)/hypothesis" \
	PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
	$(BIN)/python -m pytest -q -o cache_dir="$(WORK)/pytest-cache"
endif
DOCS_STAMP := $(VENV)/.docs-installed
SITE := build/site
GPU_CHECKS := $(wildcard tests/evoplastic/engines/gpu/*checks.py tests/cluster/gpu_checks.py)

# A machine that is there for its GPU alone has no .venv: its own python3 holds torch.
GPU_PYTHON ?= $(if $(wildcard $(BIN)/python),$(BIN)/python,python3)

# A name on the PATH can be a shim without an interpreter behind it, so each candidate is tried.
CANDIDATES := python3.11 python3.12 python3.13 python3 python
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	"$$p" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	>/dev/null 2>&1 && { echo "$$p"; break; }; done)

.PHONY: help setup evolve test test-cluster test-slurm test-exhaustive test-fuzz test-storm test-gpu test-gpu-interpreter test-docs gpu bench bench-search bench-cluster docs lint ui clean

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  Variables: RECIPE=$(RECIPE) ARGS='key=value ...' JOBS=$(JOBS) PYTHON=... PORT=$(PORT) STORE=$(STORE)"

setup: $(STAMP) ## Install everything into .venv, once and again when the dependencies change

$(STAMP): pyproject.toml constraints.txt
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then \
		echo "No working Python 3.11 to 3.13 with venv found; install one, or say PYTHON=/path/to/python." >&2; \
		exit 3; \
	fi; \
	"$$python" set_up.py $(VENV)
	@touch $@

evolve: setup ## Evolve a network (RECIPE=laptop: five minutes on two cores), then tabulate and draw
	@$(AT_WORK) evolve $(RECIPE) $(ARGS)

test: setup ## Run the tests on JOBS processes; the targets below add what takes longer
	@$(PYTEST) -n $(JOBS) --dist loadfile $(ARGS)

test-cluster: setup ## Run Ray clusters, servers and drivers that are killed, frozen and stopped
	@$(PYTEST) -m cluster $(ARGS)

test-fuzz: setup ## Mutate 5,000 files and words of every kind, with a new seed (FUZZ=5000)
	@EVOPLASTIC_FUZZ=$(FUZZ) $(PYTEST) -s tests/fuzz $(ARGS)

test-storm: setup ## Kill drivers and workers 200 times beside a dying server and a full disk (KILLS=200)
	@EVOPLASTIC_KILLS=50 $(PYTEST) -s tests/cluster/tracking/test_database.py -k killed
	@EVOPLASTIC_KILLS=100 $(PYTEST) -s tests/cluster/test_end.py -k killed
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.storm --kills $(KILLS)

test-slurm: setup ## Run batch files on a real Slurm of two nodes on this machine (as root, in ten minutes)
	@$(BIN)/python -m tests.cli.launch.slurm $(ARGS)

test-exhaustive: setup ## Run more trials, larger networks and every family of what `test` covers
	@$(PYTEST) -m exhaustive -n $(JOBS) $(ARGS)

test-gpu-interpreter: setup ## Run all checks of the GPU kernels under Triton's interpreter
	@TRITON_INTERPRET=1 $(PYTEST) -m '' -n $(JOBS) $(GPU_CHECKS) $(ARGS)

test-gpu: setup ## Run all checks of the GPU kernels on this machine's GPU
	@$(BIN)/python -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else \
		"No CUDA device is visible to torch; `make test-gpu-interpreter` needs none.")'
	@TRITON_INTERPRET=0 $(PYTEST) -m '' $(GPU_CHECKS) $(ARGS)

docs: $(DOCS_STAMP) ## Build the documentation's site in build/site and check its links
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict --site-dir $(SITE)
	@$(BIN)/python -m docs.generator.links $(SITE)

$(DOCS_STAMP): $(STAMP)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev,docs]'
	@touch $@

test-docs: docs ## Build the site and look at it in Chromium, where there is one
	@EVOPLASTIC_SITE=$(SITE) $(PYTEST) -m '' tests/docs/generator $(ARGS)

gpu: ## Check and measure this machine's GPU in eight minutes, with torch, triton, numpy and jax alone
	@$(GPU_PYTHON) -m tests.gpu $(ARGS)

bench: setup ## Measure the engines and their rivals, write docs/performance.md (half an hour)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

bench-search: setup ## Measure lifetimes until unseen tasks are acquired, into docs/performance.md (half an hour)
	@$(BIN)/python -m tests.benchmarks.search $(ARGS)

bench-cluster: setup ## Measure what handing work to workers costs, into docs/performance.md (five minutes)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.cluster $(ARGS)

lint: setup ## Check format, rules and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

ui: setup ## Browse the recorded runs at http://127.0.0.1:PORT
	@$(AT_WORK) ui --store "$(STORE)" --port $(PORT)

clean: ## Remove .venv and caches; runs and records stay
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
