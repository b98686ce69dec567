# make demo: everything from nothing to a film. make test: the quick tests. make test-slow: all that they leave out.
PYTHON ?= python3
WORKERS ?= 2
export OMP_WAIT_POLICY = PASSIVE
BIN = .venv/bin

.PHONY: demo test test-slow test-training lint unjitted examples clean

demo: .venv/ready
	$(BIN)/turingdiff compare --out turingdiff-out

test: .venv/dev
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not slow"

test-slow: .venv/dev
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "slow or hypothesis" --hypothesis-profile=full

# Where compiled code runs as plain Python: an index beyond an array raises, a name without a value too.
PLAIN = contract stencils neighbourhood steppers stabilised evolve network denoising_machines denoising_mosaic \
	denoising_patch_composite denoising_pca_local denoising_equivariant denoising_uncertainty denoising_calibration

unjitted: .venv/dev
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not slow and not compiled" \
		$(PLAIN:%=tests/test_%.py)

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
