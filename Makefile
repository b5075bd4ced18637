# Every command that README, CI and people use. `make help` lists them.
STACK ?= local
PYTHON ?= python3
VENV := .venv/bin/python
RUN := $(PYTHON) -m toolchain run --

# Whoever keeps Python from writing bytecode would wait for every module again, in each of a hundred processes.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help up preview destroy render secrets test check security golden policy acceptance acceptance-mutants acceptance-images acceptance-oldest acceptance-long bench toolchain packages test-quick test-long lab-up lab-down lab-test update record-release coverage

help: ## this list
	@echo "To run a stack (./kolab --help has everything else, ./kolab new begins one):"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "To change this project:"
	@awk -F ':.*#: ' '/^[a-z-]+:.*#: / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/ready: requirements-dev.txt
	@$(PYTHON) -m toolchain.venv

policy/.venv/ready: policy/requirements.txt
	$(PYTHON) -m venv policy/.venv
	policy/.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r policy/requirements.txt
	@touch $@

policy: policy/.venv/ready ## what `./kolab pulumi preview --policy-pack policy` needs

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

packages: #: as root on Debian: install the daemons and tools that tests use
	@tests/install-packages

test: test-quick policy #: the tests that need no cluster, but for the longest
	@$(RUN) $(VENV) -m pytest -m "(thorough or engine) and not long" -n 2 --dist loadfile --no-loadscope-reorder

test-long: toolchain policy #: the longest that need none: updates one after the other, documented commands, changed images, steps of workflows
	@$(PYTHON) -m toolchain ensure --tests
	@$(RUN) $(VENV) -m pytest -m "(thorough or engine) and long" -n 2 --dist loadfile --no-loadscope-reorder

test-quick: toolchain #: the quick layers of the tests: no engine, no servers
	@$(PYTHON) -m toolchain ensure --tests
	$(VENV) -m pytest -n 2 --dist loadfile

coverage: toolchain #: how much of model/ and components/ the quick tests reach; it fails below the floor in pyproject.toml
	@$(PYTHON) -m toolchain ensure --tests
	$(VENV) -m pytest -n 2 --dist loadfile --cov --cov-report=term

golden: toolchain #: write the reviewed manifests and reports anew, to read their difference
	@$(RUN) $(VENV) -m pytest --golden tests/program/test_golden.py
	@$(RUN) $(VENV) -m pytest --golden -m engine tests/engine/test_reports.py

.venv-security/ready: requirements-security.txt
	$(PYTHON) -m venv .venv-security
	.venv-security/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-security.txt
	@touch $@

security: toolchain .venv-security/ready #: try the attacks that need no cluster, and scan the manifests
	@$(PYTHON) -m toolchain ensure --tests
	@$(RUN) $(VENV) -m pytest -m "security and not acceptance" -n 2 --dist loadfile
	@$(VENV) -m tests.security

bench: toolchain #: what the program costs, as ratios
	@$(RUN) $(VENV) -m tests.bench

check: .venv/ready #: format, lint, types, shell scripts, workflows, generated files
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	@tests/check-shell
	.venv/bin/zizmor --offline --quiet .github
	$$($(PYTHON) -m toolchain ensure --only actionlint) -pyflakes=
	$(VENV) -m ops generate --check

# Only what stands on make's own command line: the shell's KUBECONFIG may be anybody's cluster.
GIVEN = KOLAB_ACCEPTANCE_KUBECONFIG='$(if $(filter command,$(origin KUBECONFIG)),$(KUBECONFIG))' \
	KOLAB_ACCEPTANCE_ADDRESS='$(if $(filter command,$(origin ADDRESS)),$(ADDRESS))' \
	KOLAB_ACCEPTANCE_PODS='$(if $(filter command,$(origin PODS)),$(PODS))'

acceptance: toolchain #: real-cluster tests on this machine, as root (make packages first); or KUBECONFIG=... ADDRESS=...
	@$(PYTHON) -m toolchain ensure --tests
	@$(GIVEN) $(RUN) $(VENV) -m tests.acceptance run -m "acceptance and not mutants and not images and not long" tests/acceptance

acceptance-mutants: toolchain #: show that the acceptance tests notice mistakes, ten of them
	@$(PYTHON) -m toolchain ensure --tests
	@$(RUN) $(VENV) -m tests.acceptance run -m mutants tests/acceptance/mutants

acceptance-images: toolchain #: show what an update does with images that do not fit, and that do
	@$(PYTHON) -m toolchain ensure --tests
	@$(RUN) $(VENV) -m pytest -m images -p no:cacheprovider tests/acceptance

acceptance-long: toolchain #: crowds, failures, dead nodes, broken updates, a day's work, secrets exchanged, keys rolled, other servers before the websites, the cluster's Prometheus, a lost cluster; takes hours
	@$(PYTHON) -m toolchain ensure --tests
	@$(RUN) $(VENV) -m pytest -m long -p no:cacheprovider tests/acceptance

acceptance-oldest: export KOLAB_LAB_KUBERNETES = oldest
acceptance-oldest: export KOLAB_ACCEPTANCE_REPORT = reports/acceptance-oldest
acceptance-oldest: toolchain #: the same tests on the oldest Kubernetes that is supported; builds it the first time
	@$(PYTHON) -m toolchain ensure --tests
	@KOLAB_ACCEPTANCE_KUBECONFIG= $(RUN) $(VENV) -m tests.acceptance run -m "acceptance and not mutants and not images and not long" tests/acceptance

lab-test: toolchain #: tests of the lab itself, its images, and of what an API server alone can say, as root
	@$(RUN) $(VENV) -m pytest -m acceptance -p no:cacheprovider tests/lab tests/toolchain

lab-up: toolchain #: a real two-node cluster with MetalLB on this machine; prints KUBECONFIG
	@$(VENV) -m tests.lab up

lab-down: .venv/ready #: remove it without a trace
	@$(VENV) -m tests.lab down

LOCK = .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

update: .venv/ready #: newest versions of all packages that requirements*.in allow, with their hashes; then check and test
	$(LOCK) -o requirements.txt requirements.in
	$(LOCK) -o requirements-dev.txt requirements-dev.in
	$(LOCK) -o requirements-security.txt requirements-security.in
	$(MAKE) check test

record-release: toolchain #: keep what this version leaves behind, for the upgrade tests of later ones
	@$(RUN) $(VENV) -m tests.upgrade
