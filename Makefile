# The README's two commands are `make start` and `make test`.
PORT ?=
VENV := .venv
BIN := $(VENV)/bin

.PHONY: start hub test verify notebooks bench lint constraints clean

start: $(VENV)/.ready-learner  ## set up, then open JupyterLab on the start page
	@$(BIN)/python scripts/start.py $(PORT)

hub: $(VENV)/.ready-hub  ## set up, then start JupyterHub with formgrader and the grader; see deploy/README.md
	@$(BIN)/jupyterhub --config=deploy/jupyterhub_config.py $(if $(PORT),--port=$(PORT))

test: $(VENV)/.ready-dev  ## set up what the tests need, then pass them
	@$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

verify: $(VENV)/.ready-dev  ## prove the whole course in full mode and write docs/results.md
	@$(BIN)/grader verify --results docs/results.md

notebooks: $(VENV)/.ready-dev  ## make the student notebooks from their sources
	@$(BIN)/grader build

bench: $(VENV)/.ready-dev  ## measure what docs/results.md quotes
	@$(BIN)/python -m benchmarks

lint: $(VENV)/.ready-dev
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

constraints: $(VENV)/.ready-dev  ## write down the versions that were tested
	@scripts/freeze.sh > constraints.txt

clean:
	rm -rf $(VENV) build gradebook.db

$(VENV)/.ready-learner: pyproject.toml constraints.txt scripts/setup.sh
	@scripts/setup.sh learner

$(VENV)/.ready-hub: pyproject.toml constraints.txt scripts/setup.sh
	@scripts/setup.sh hub

$(VENV)/.ready-dev: pyproject.toml constraints.txt scripts/setup.sh
	@scripts/setup.sh dev
