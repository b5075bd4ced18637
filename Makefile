# Every command that README, CI and people use. `make help` lists them.
STACK ?= local
PYTHON ?= python3
VENV := .venv/bin/python
RUN := $(PYTHON) -m toolchain run --

.DEFAULT_GOAL := help
.PHONY: help up preview destroy render secrets test check acceptance bench toolchain

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/ready: requirements-dev.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

toolchain: .venv/ready
	@$(PYTHON) -m toolchain ensure

up: toolchain ## deploy STACK (default: local, which renders everything to rendered/local/)
	@$(RUN) $(VENV) -m ops up --stack $(STACK)

preview: toolchain ## show what `make up` would change on STACK
	@$(RUN) $(VENV) -m ops preview --stack $(STACK)

destroy: toolchain ## remove STACK; stops at what holds data
	@$(RUN) $(VENV) -m ops destroy --stack $(STACK)

secrets: toolchain ## make the secrets that STACK lacks
	@$(RUN) $(VENV) -m ops secrets --stack $(STACK)

render: .venv/ready ## write manifests and zones of STACK to rendered/STACK/, without engine or passphrase
	@$(VENV) -m ops render --stack $(STACK)

test: toolchain ## all tests that need no cluster
	@$(PYTHON) -m toolchain ensure --tests
	$(VENV) -m pytest
	@$(RUN) $(VENV) -m pytest -m engine

bench: toolchain ## what the program costs, as ratios
	@$(RUN) $(VENV) -m tests.bench

check: .venv/ready ## format, lint, types, generated files
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(VENV) -m ops generate --check
