# Handrail. `make help` lists what there is. Works with GNU make 3.81 (macOS) and newer, and any POSIX sh.
#
# PYTHON=…  the Python that .venv is made from, instead of the newest fitting one.
# ARGS=…    passed on to the command: make demo ARGS="--port 9000", make test ARGS="-k redaction".

SHELL = /bin/sh
.DEFAULT_GOAL := help
PYTHON ?=
ARGS ?=
export PYTHON

# A Python that was set up for another project must not lend this one its packages.
unexport PYTHONHOME PYTHONPATH

.PHONY: help demo test check lint format types layers bench eval chaos venv clean-venv vectors lock venv-run venv-dev

help: ## list these targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

# ---- what a newcomer needs --------------------------------------------------------------------------------------

demo: venv-run ## a local Slack workspace in the browser with the bot in it; stays until Ctrl-C
	@exec .venv/bin/python -m bot demo $(ARGS)

test: venv-dev ## all tests, on two cores; one file: make test ARGS="-n 0 tests/unit/test_turn.py"
	@exec .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: lint format types layers ## all that can be checked without running it: lint, format, types, layers

# ---- the parts of `check` ---------------------------------------------------------------------------------------

lint: venv-dev ## ruff's rules
	@exec .venv/bin/python -m ruff check .

format: venv-dev ## whether ruff would format a file differently (`.venv/bin/ruff format .` does it)
	@exec .venv/bin/python -m ruff format --check .

types: venv-dev ## mypy --strict
	@exec .venv/bin/python -m mypy

layers: venv-dev ## who may import whom
	@exec .venv/bin/python -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())'

# ---- measuring --------------------------------------------------------------------------------------------------

bench: venv-run ## latency, throughput, CPU and memory: figures and ratios of one run
	@exec .venv/bin/python -m bot bench $(ARGS)

eval: venv-run ## how well questions are answered: figures, and which ones go wrong
	@exec .venv/bin/python -m bot eval $(ARGS)

chaos: venv-run ## events, faults and kills against a real bot process
	@exec .venv/bin/python -m bot chaos $(ARGS)

# ---- the environment --------------------------------------------------------------------------------------------
# Each target that needs .venv asks for it every time; with a .venv that fits its lock this takes a tenth of a second.

venv-run:
	@exec sh .make/venv.sh run

venv-dev:
	@exec sh .make/venv.sh dev

venv: venv-run ## make .venv with what the bot needs, and nothing else

clean-venv: ## remove .venv
	rm -rf .venv .venv.lock

vectors: venv-dev ## make the vectors of the shipped articles again, after editing them
	@exec .venv/bin/python -c 'from knowledge.shipped_vectors import write; print(write(), "vectors written")'

lock: ## compile the lock files again from pyproject.toml (needs uv; ARGS=--upgrade for newer versions)
	@command -v uv >/dev/null || { echo "make lock needs uv: python3 -m pip install uv" >&2; exit 2; }
	uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --python-version 3.11 $(ARGS) -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --python-version 3.11 -c requirements.lock $(ARGS) -o requirements-dev.lock
