# make demo: everything from nothing to a film. make test: the quick tests. make test-slow: all that they leave out.
PYTHON ?= python3
WORKERS ?= 2
export OMP_WAIT_POLICY = PASSIVE
BIN = .venv/bin

# Small but telling: what leans on Numba and NumPy, compiled and plain, network files and films.
TELLING = -m "not slow" -k "not test_contract or is_its_cell_function or is_the_plain_one or threads_do_not" \
	$(addprefix tests/test_,compile.py contract.py steppers.py network.py animation.py)

.PHONY: demo test test-slow test-training test-oldest test-newest lint unjitted examples clean

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

# The oldest declared versions of all dependencies; what has since been deprecated beneath them is not our concern.
test-oldest: .venv-oldest/ready
	.venv-oldest/bin/python -m pytest -q -W ignore::DeprecationWarning $(TELLING)

# The newest that pyproject.toml allows.
test-newest: .venv-newest/ready
	.venv-newest/bin/python -m pytest -q $(TELLING)

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

.venv-oldest/ready: pyproject.toml
	$(PYTHON) -m venv .venv-oldest
	$(PYTHON) scripts/oldest_versions.py > .venv-oldest/oldest.txt
	.venv-oldest/bin/python -m pip install --quiet -c .venv-oldest/oldest.txt -e . "pytest>=8.3" "hypothesis>=6.112"
	touch $@

.venv-newest/ready: pyproject.toml
	$(PYTHON) -m venv .venv-newest
	.venv-newest/bin/python -m pip install --quiet --upgrade -e . pytest hypothesis
	touch $@

clean:
	rm -rf .venv .venv-oldest .venv-newest out turingdiff-out
