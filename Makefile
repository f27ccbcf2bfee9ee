# Every target does the set-up it needs: a machine with Python 3.11+ and make is enough.
PYTHON ?= python3
BIN := .venv/bin
# Only files whose hashes are in a lock, also of what builds a package that comes as source.
HASHED := --require-build-hashes --build-constraints requirements/build.lock

define sync
	$(BIN)/uv pip sync --quiet --require-hashes $(HASHED) --python $(BIN)/python $(1)
	$(BIN)/uv pip install --quiet $(HASHED) --python $(BIN)/python --no-deps --editable .
endef

.PHONY: demo test setup checkov ministack definitions docs lint lock clean

demo: .venv/.ready ## two months for three model groups, on this machine
	$(BIN)/labelmill demo

test: setup ## the whole test suite
	$(BIN)/pytest -n auto --dist loadfile

setup: .venv/.dev .venv/sdk/.ready ## everything into .venv; the SDKs that compile state machines into .venv/sdk

definitions: .venv/sdk/.ready ## compiles pipelines/machines/ to pipelines/definitions/*.asl.json, which are committed
	.venv/sdk/bin/python -m pipelines.machines.compile

docs: .venv/.dev ## writes again what is generated in docs/access.md, docs/faults.md, docs/input.md and docs/local.md
	$(BIN)/python -m tests.infra.access_matrix
	$(BIN)/python -m tests.infra.local.refusals_page
	$(BIN)/python -m tests.simulation.faults
	$(BIN)/python -m tests.processing.dataset.input_page

checkov: .venv/checkov/.ready ## sets up checkov, which one test of the templates needs

ministack: .venv/ministack/.ready ## sets up ministack, which one test of the templates and handlers needs

lint: .venv/.dev ## linters, types and import contracts: what CI checks first
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint

.venv/bin/uv: requirements/build.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@

# What Labelmill runs with is enough for a demo; what it is tested with is as large again.
.venv/.ready: requirements/main.lock pyproject.toml | .venv/bin/uv
	$(call sync,requirements/main.lock)
	touch $@

.venv/.dev: requirements/dev.lock .venv/.ready
	$(call sync,requirements/dev.lock)
	touch $@

.venv/sdk/.ready: requirements/sdk.lock | .venv/bin/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv/sdk
	$(BIN)/uv pip sync --quiet --require-hashes $(HASHED) --python .venv/sdk/bin/python requirements/sdk.lock
	touch $@

.venv/checkov/.ready: requirements/checkov.lock | .venv/bin/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv/checkov
	$(BIN)/uv pip sync --quiet --require-hashes $(HASHED) --python .venv/checkov/bin/python requirements/checkov.lock
	touch $@

.venv/ministack/.ready: requirements/ministack.lock | .venv/bin/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv/ministack
	$(BIN)/uv pip sync --quiet --require-hashes $(HASHED) --python .venv/ministack/bin/python requirements/ministack.lock
	touch $@

lock: .venv/bin/uv ## pins again what requirements/*.in asks for
	for name in build main dev sdk checkov ministack; do $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --no-header --no-annotate --no-emit-index-url --generate-hashes requirements/$$name.in -o requirements/$$name.lock; done

clean: ## removes .venv, runs and builds
	rm -rf .venv .labelmill build
