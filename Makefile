# Everything works from a bare Python >= 3.11, git and make: each target builds .venv first if it is missing or stale.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
NOX := $(BIN)/nox --no-error-on-external-run -s

# Options of the targets `package` and `deploy`.
STACK ?= campaign-workers
ZIPS = $(BIN)/python -m deploy.packaging $(if $(ARCH),--arch $(ARCH)) \
	$(if $(PYTHON_VERSION),--python $(PYTHON_VERSION)) $(addprefix --extra ,$(EXTRAS))
AWS = $(BIN)/aws cloudformation $(if $(REGION),--region $(REGION))

# The target `docs` serves the site until it is interrupted, but not in CI.
SERVE ?= $(if $(CI),0,1)
PORT ?= 8000

.PHONY: setup demo test lint bench docs package cloud deploy lock clean
.DEFAULT_GOAL := help

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

setup: $(READY) ## Create .venv with the pinned dependencies and this package

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
# The pip that comes with a Python may be too old to see that a pin holds for a package's extras.
	sed -n '/^pip==/,/[^\\]$$/p' constraints.txt | $(PIP) --require-hashes -r /dev/stdin
	$(PIP) --require-hashes -r constraints.txt
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

demo: $(READY) ## A whole campaign on this machine, with its report under out/demo (FANS=5000)
	$(BIN)/campaign-workers demo --out out/demo $(if $(FANS),--fans $(FANS))

test: $(READY) ## All tests, with branch coverage of the rules
	$(NOX) tests

lint: $(READY) ## Style, types and the dependency rule
	$(NOX) lint types imports

bench: $(READY) ## The workers beside the floor of their libraries (SIZE=0.1)
	$(NOX) bench -- --size $(or $(SIZE),1)

docs: $(READY) ## Build the documentation site and serve it on this machine (SERVE=0 only builds; PORT=8000)
	$(NOX) site
	$(if $(filter 0,$(SERVE)),,$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site $(PORT))

package: $(READY) ## Build the wheel and the zips of AWS Lambda (ARCH=arm64 PYTHON_VERSION=3.12)
	$(NOX) wheel
	$(ZIPS)

cloud: $(READY) ## A cloud on this machine with the template deployed, to play with
	$(BIN)/python -m tests.cloud.local_cloud

deploy: $(READY) ## Deploy to AWS (BUCKET=for-the-code STACK=name REGION=eu-west-1)
	test -n "$(BUCKET)" || { echo "BUCKET is not set; use make deploy BUCKET=name-of-the-bucket-for-code" >&2; exit 2; }
	$(ZIPS)
	$(AWS) package --template-file deploy/template.yaml --s3-bucket $(BUCKET) --s3-prefix $(STACK) \
		--output-template-file dist/lambda/template.yaml
	$(AWS) deploy --template-file dist/lambda/template.yaml --s3-bucket $(BUCKET) --s3-prefix $(STACK) \
		--stack-name $(STACK) --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND \
		--no-fail-on-empty-changeset --parameter-overrides $$($(ZIPS) --parameters) $(PARAMETERS)

lock: $(READY) ## Resolve constraints.txt from pyproject.toml
	$(NOX) lock

clean: ## Remove what the other targets made
	rm -rf $(VENV) .nox .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage* dist build out/demo
