# Two commands matter: `make demo` and `make test`. Everything runs in .venv, everything is kept below .twinning.
SHELL := /bin/sh
BIN := .venv/bin
export TWINNING_HOME ?= $(CURDIR)/.twinning
export DAGSTER_HOME ?= $(TWINNING_HOME)/dagster
export TWINNING_ZONE ?= Europe/Zurich
export TWINNING_CURRENCY ?= CHF
DEV_PORT ?= 3000
PYTEST := $(BIN)/python -m pytest

.PHONY: demo test lint engine bench dev environment-run environment-dev programs locks clean

demo: environment-run ## Sample exports of two people through the whole road, with receipts and the day's facts.
	@$(BIN)/twinning demo

dev: environment-run ## The Dagster UI on http://127.0.0.1:3000 (DEV_PORT=… elsewhere), with sensor and schedules running.
	@mkdir -p $(DAGSTER_HOME) $(TWINNING_HOME)/inbox && cp dagster.yaml $(DAGSTER_HOME)/dagster.yaml
	@echo "inbox: $(TWINNING_HOME)/inbox/<person>/"
	@$(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p $(DEV_PORT)

test: environment-dev programs ## Every test; needs no network.
	@$(PYTEST) -n 2 --dist loadscope $(TESTS)

lint: environment-dev programs ## Format, lint, types, import contracts, YAML, and the stack's files before their own checkers.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy infra/stack/*.py
	@$(BIN)/lint-imports
	@$(BIN)/yamllint --strict .
	@$(BIN)/python -m twinning_pipelines_tests.infra.lint

engine: environment-dev programs ## The stack on a Docker engine (DOCKER_HOST), with images made of Debian's packages.
	@$(PYTEST) -m engine twinning_pipelines_tests/infra/engine

bench: environment-dev .venv/peers/bin/python ## Ratios against named peers, in one run.
	@$(BIN)/python -m twinning_pipelines_tests.bench --peers .venv/peers/bin/python

# A peer whose requirements are heavy has an environment of its own.
.venv/peers/bin/python: infra/locks/peers.lock
	@rm -rf .venv/peers && $(BIN)/python -m venv .venv/peers
	@.venv/peers/bin/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

locks: environment-dev ## Pin the newest allowed versions again; needs uv.
	@for kind in run dev; do \
	  uv pip compile pyproject.toml --group build $$( [ $$kind = dev ] && echo --group dev -c infra/locks/run.lock ) --universal \
	    --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -q -o infra/locks/$$kind.lock; \
	done
	@printf 'apple-health-parser\nofxtools\n' | uv pip compile - --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate -q -o infra/locks/peers.lock

environment-run:
	@infra/environment run

environment-dev:
	@infra/environment dev

# Servers and checkers of Debian; a system that has none does without.
programs: environment-dev
	@infra/programs

clean: ## Remove the environment and caches; the data in .twinning stays.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
