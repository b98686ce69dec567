# make demo: everything from nothing to a film. make test: the test suite.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test test-slow test-training lint unjitted examples clean

demo: .venv/ready
	$(BIN)/turingdiff compare --out turingdiff-out

test: .venv/dev
	$(BIN)/python -m pytest -q -m "not slow"

test-slow: .venv/dev
	$(BIN)/python -m pytest -q -m slow

unjitted: .venv/dev
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -m "not slow and not compiled"

test-training: .venv/train
	$(BIN)/python -m pytest -q tests/test_training.py tests/test_network.py tests/test_cli_networks.py

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

examples: .venv/ready
	for example in examples/*.py; do $(BIN)/python $$example --quick --out out || exit 1; done

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e .
	touch $@

.venv/dev: .venv/ready
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@

.venv/train: .venv/dev
	$(BIN)/python -m pip install --quiet -e ".[train]"
	touch $@

clean:
	rm -rf .venv out turingdiff-out
