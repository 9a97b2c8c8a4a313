# The commands of the README. PYTHON=python3.13 make test uses another Python.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test test-all check clean

run: $(VENV)/core  ## what `python run.py` shows, from nothing
	$(BIN)/python run.py

test: $(VENV)/dev  ## the quick suite
	$(BIN)/python -m pytest -m "not slow" -n auto

test-all: $(VENV)/dev  ## every test
	$(BIN)/python -m pytest -n auto

check: $(VENV)/dev  ## lint, types, the quick suite
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m "not slow" -n auto

clean:
	rm -rf $(VENV) outputs

$(VENV)/core: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -e .
	touch $@

$(VENV)/dev: pyproject.toml plugins/curriculum-zpd/pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -e '.[dev,math]' -e plugins/curriculum-zpd
	touch $@ $(VENV)/core
