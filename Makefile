# Two commands do all: `make run` sets up and runs the main job; `make test` sets up and runs every check.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

# Tests start hundreds of processes: without compiled files on disk each compiles the package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run show test lint fast runs slow docs mutants figures evidence clean help

run: $(VENV)/.run  ## set up, then follow one infusion of ketamine over 14 days (results/one_infusion)
	$(BIN)/plastogen run one_infusion

PAGE := $(CURDIR)/src/plastogen/publish/explore/web/explore.html
show:  ## open the live network in the browser; nothing is installed
	@echo "page $(PAGE) (if no browser opens: double-click it, or copy it to the computer at the projector)"
	@[ -n "$$SSH_CONNECTION" ] || $(PYTHON) -m webbrowser "file://$(PAGE)" >/dev/null 2>&1 || true

test: lint fast runs slow docs  ## set up, then run all checks, quick ones first

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fast: $(VENV)/.test
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not slow"

runs: $(VENV)/.test  ## make the runs that slow tests and docs share (.runs; kept until the code of a course changes)
	$(BIN)/python tests/shared_runs.py

slow: $(VENV)/.test
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m slow

docs: $(VENV)/.test  ## build the documentation site (docs/_build/index.html); the tutorial's runs are kept
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build

mutants: $(VENV)/.test  ## break the mechanisms line by line and see whether the tests notice
	$(BIN)/python tests/mutants.py

figures: $(VENV)/.run  ## run every experiment that ships and draw its figures
	for name in $$($(BIN)/plastogen list experiments --names); do $(BIN)/plastogen run $$name || [ $$? -eq 4 ] || exit 1; done

evidence: $(VENV)/.run  ## what was found beside what is predicted, of experiments that have been run (all of them: make figures)
	$(BIN)/plastogen evidence > docs/evidence.md.partial
	mv docs/evidence.md.partial docs/evidence.md

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "plastogen needs Python 3.11 or newer; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "no virtual environment could be made; on Debian or Ubuntu: apt install python3-venv"; exit 2; }
	@touch $@

$(VENV)/.run: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) --editable '.[test,docs,teach]'
	@touch $@ $(VENV)/.run

clean:  ## remove the virtual environment (results, .runs and the cache stay)
	rm -rf $(VENV)

help:
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/'
