# The commands of the README. PYTHON=python3.13 make test uses another Python.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help run test test-all fuzz soak lint check clean
.DEFAULT_GOAL := help

help:  ## these lines
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: $(VENV)/core  ## what `python run.py` shows, from nothing
	$(BIN)/python run.py

test: $(VENV)/dev  ## the quick suite
	$(BIN)/python -m pytest -m "not slow" -n auto

test-all: $(VENV)/dev  ## every test
	$(BIN)/python -m pytest -n auto

fuzz: $(VENV)/dev  ## changed files and options, until one ends in no error of ours; SEED=1 COUNT=1000
	$(BIN)/python -m tests.corpus.fuzz $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT))

soak: $(VENV)/dev  ## two hundred killed runs, each held against one that nothing disturbed
	$(BIN)/python -m tests.soak.soak --kills 200 --seed 0

lint: $(VENV)/dev  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test  ## lint, types, the quick suite: what a change must pass

clean:  ## remove the environment and all outputs
	rm -rf $(VENV) outputs

$(VENV)/core: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -e .
	touch $@

$(VENV)/dev: pyproject.toml plugins/curriculum-zpd/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -e '.[dev,math]' -e plugins/curriculum-zpd
	touch $@ $(VENV)/core
