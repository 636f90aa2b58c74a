# Everything works from a bare Python >= 3.11, git and make: each target builds .venv first if it is missing or stale.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NOX := $(BIN)/nox --no-error-on-external-run -s

.PHONY: setup demo test lint bench docs package lock clean
.DEFAULT_GOAL := help

help: ## Say what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

setup: $(READY) ## Create .venv with the pinned dependencies and this package

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(READY) ## A whole campaign on this machine, with its report under out/demo
	$(BIN)/campaign-workers demo --out out/demo

test: $(READY) ## All tests, with branch coverage of the rules
	$(NOX) tests

lint: $(READY) ## Style, types and the dependency rule
	$(NOX) lint types imports

bench: $(READY) ## Rates beside the floor of the libraries
	$(NOX) bench

docs: $(READY) ## Run every Python block of the documentation
	$(NOX) docs

package: $(READY) ## Build the wheel and try it in an empty environment
	$(NOX) package

lock: $(READY) ## Resolve constraints.txt anew from pyproject.toml
	$(NOX) lock

clean: ## Remove what the other targets made
	rm -rf $(VENV) .nox .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage* dist build out
