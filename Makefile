# Headrace. `make help` says what there is.
MAKEFLAGS += --no-builtin-rules --no-print-directory --warn-undefined-variables
.DEFAULT_GOAL := help
.PHONY: help up down status test verdicts chaos bench lint lock
unexport PYTHONDONTWRITEBYTECODE

# The first of these that is there and that Superset has packages for.
SUITS = import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))
PYTHON ?= $(shell for p in python3 python3.12 python3.11; do $$p -c '$(SUITS)' 2>/dev/null && echo $$p && exit; done; echo python3)
ARGS ?=
# The environment with the tests' and the linters' packages; installed when first needed.
DEV = "$$($(PYTHON) -m infra.environments dev)"

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## start everything and apply the bookstore (safe to repeat)
	@$(PYTHON) ./headrace up $(ARGS)

down: ## stop everything; data stays
	@$(PYTHON) ./headrace down $(ARGS)

status: ## what runs, where, and how much memory it takes
	@$(PYTHON) ./headrace status $(ARGS)

test: ## all tests, on a platform of their own (ARGS="infra -k preflight" for some)
	@$(DEV) -m pytest -q $(ARGS)

SEED ?= $(shell date +%s)
FILTERS ?= 1000
verdicts: ## compare Flink's verdicts with the evaluator's, by many filters at random (SEED=42 FILTERS=5000)
	@HEADRACE_SEED=$(SEED) HEADRACE_FILTERS=$(FILTERS) $(DEV) -m pytest -q -s e2e/test_verdicts.py

MINUTES ?= 10
chaos: ## break a platform of its own, and look at every promise (SEED=42 MINUTES=20)
	@$(DEV) -m chaos --seed $(SEED) --minutes $(MINUTES)

REPETITIONS ?= 5
bench: ## measure the alternatives beside it, on a platform of its own (REPETITIONS=1); about an hour
	@$(DEV) -m bench.compare --repetitions $(REPETITIONS)
	@$(DEV) -m bench.projects
	@$(DEV) -m bench.events

lint: ## ruff, pyright, import-linter
	@dev=$(DEV) && $$dev -m ruff check . headrace && $$dev -m pyright --pythonpath $$dev && $$(dirname $$dev)/lint-imports

lock: ## for maintainers: resolve all versions anew (needs Maven)
	@dev=$(DEV) && $$dev -m infra.relock environments && $$dev -m infra.relock infra/artefacts.lock && $$dev -m infra.relock bench/artefacts.lock
