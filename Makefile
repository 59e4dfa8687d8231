# `make` alone explains every target.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Where a CPU build of torch comes from when the default index only has the CUDA one, e.g.
#   make demo TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu
TORCH_INDEX_URL ?=

.DEFAULT_GOAL := help
.PHONY: help demo test matrix fuzz mutate trace lint format serve bench openapi lock clean

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## set everything up, rank the demo data, print matches with reasons, serve on 127.0.0.1:8000 (ONCE=1: stop after the tables)
	@$(BIN)/duijie demo $(if $(ONCE),--once)

# A file's tests stay in one process. Each process has a PostgreSQL and a model of its own, up to 5 GB.
test: $(STAMP) ## run the whole test suite (WORKERS=2: processes at once)
	@$(BIN)/python -m pytest --numprocesses=$(or $(WORKERS),2) --dist=loadfile

matrix: $(STAMP) ## the whole access matrix, above 100,000 requests (minutes; `make test` takes a tenth of it)
	@FULL=1 $(BIN)/python -m pytest tests/access/test_matrix.py -s

fuzz: $(STAMP) ## generated requests against the whole API (REQUESTS=50000, SEED=1)
	@REQUESTS=$(or $(REQUESTS),50000) SEED=$(or $(SEED),1) $(BIN)/python -m pytest tests/access/test_fuzz.py -s

lint: $(STAMP) ## ruff, mypy --strict over service and matching, import linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP) ## let ruff format and fix what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

serve: $(STAMP) ## API and worker on this machine, with the embedded database unless DUIJIE_DATABASE_URL is set
	@$(BIN)/duijie serve

bench: $(STAMP) ## measure, as ratios within one run (BENCH=name: one of reads, adhoc, routing, encoder, memory, learning, assignment, audit, manners, policies, review)
	@$(BIN)/python -m bench

mutate: $(STAMP) ## remove each policy, guard, check, party, redaction and lock in turn, and see which test notices (ONLY='policy:*', WORKERS=1, REPORT=docs/mutation.md, ARGS=--list)
	@$(BIN)/python -m proof.mutation $(if $(ONLY),--only '$(ONLY)') $(if $(WORKERS),--workers $(WORKERS)) $(if $(REPORT),--report $(REPORT)) $(ARGS)

trace: $(STAMP) ## record which tests execute which lines, so that `make mutate` begins with those (WORKERS=2)
	@$(BIN)/python -m pytest -p proof.mutation.covering --numprocesses=$(or $(WORKERS),2) --dist=loadfile

openapi: $(STAMP) ## write openapi/duijie.json anew from the code
	@$(BIN)/duijie openapi openapi/duijie.json

lock: $(STAMP) ## write requirements/lock.txt anew from what is installed
	@$(BIN)/python requirements/freeze.py > requirements/lock.new && mv requirements/lock.new requirements/lock.txt

clean: ## remove the virtual environment and caches (never the database)
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# torch comes first and alone: everything after it then accepts the build that is there.
$(STAMP): requirements/torch.txt requirements/lock.txt pyproject.toml
	@$(PYTHON) requirements/check_python.py
	@test -x $(BIN)/pip || (rm -rf $(VENV) && $(PYTHON) -m venv $(VENV))
	@echo "installing dependencies into $(VENV) (first run: a few minutes)"
	@$(BIN)/pip install --disable-pip-version-check --progress-bar on $(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL)) -r requirements/torch.txt
	@$(BIN)/pip install --disable-pip-version-check --progress-bar on -r requirements/lock.txt
	@$(BIN)/pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@touch $@
