# Every command a user or contributor needs. `make` alone prints them.
# Works with GNU make 3.81, which macOS ships.

BIN := .venv/bin
SHELL := /bin/sh
# Two processes share the tests; the one that is done takes tests from the other.
PARALLEL := --numprocesses 2 --dist worksteal
.DEFAULT_GOAL := help
.PHONY: help app demo window screenshots space test slow check audit fmt install training bench fuzz docs weights lock clean doctor

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

app: .venv/installed-app doctor ## Install what is needed and open the Streamlit app
	@$(BIN)/emotion app

demo: .venv/installed-app doctor ## Install what is needed and open the Gradio demo
	@$(BIN)/emotion demo

window: .venv/installed-app doctor ## Install what is needed and open the app in its own window
	@.ci/install requirements-app.txt requirements-window.txt
	@$(BIN)/emotion doctor --fix
	@$(BIN)/emotion app --window

screenshots: .venv/installed-dev doctor ## Take the screenshots in docs/images again (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots

space: ## Write the Gradio demo into dist/space, a folder to be hosted
	@.ci/space dist/space

test: .venv/installed-dev doctor check ## Run all checks: doctor, lint, format, types, import rules, tests
	@$(BIN)/python -m pytest $(PARALLEL) tests/core
	@$(BIN)/python -m pytest $(PARALLEL) tests/training
	@$(BIN)/python -m pytest $(PARALLEL) tests --ignore tests/core --ignore tests/training

slow: .venv/installed-dev doctor ## Run the tests that take minutes: killed runs, Ray, load, attacks, corpus
	@$(BIN)/python -m pytest tests/core -m slow
	@$(BIN)/python -m pytest tests/training -m slow
	@$(BIN)/python -m pytest tests --ignore tests/core --ignore tests/training -m slow

check: .venv/installed-dev ## Run the quick checks: lint, format, types, import rules, advisories
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python .ci/audit.py

audit: .venv/installed-app ## Compare the locked packages with known flaws, also those of the public database
	@$(BIN)/python .ci/audit.py --online

fmt: .venv/installed-dev ## Format the code and fix what can be fixed automatically
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: .venv/installed-dev doctor ## Measure how long each step of an answer takes
	@$(BIN)/python -m pytest tests/benchmarks -m bench \
		--benchmark-columns min,median,rounds --benchmark-sort min

fuzz: .venv/installed-dev ## Search for files that break the reader: MINUTES=5 (Linux on x86-64)
	@$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),5)

weights: .venv/installed doctor ## Train and measure all networks again: DATA='train.zip publictest.zip' VOTES=votes.csv PHOTOS=photos.zip
	@DATA='$(DATA)' VOTES='$(VOTES)' PHOTOS='$(PHOTOS)' .ci/weights

docs: .venv/installed-docs ## Build the documentation into site/, to be read without a network
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Open site/index.html"

install: ## Install or repair the environment in .venv
	@.ci/install $(if $(wildcard .venv/installed),requirements.txt,requirements-app.txt)
	@touch .venv/installed-app
	@$(BIN)/emotion doctor --fix

training: .venv/installed doctor ## Add what training, measuring and exporting need: PyTorch and more, a few gigabytes

lock: .venv/installed ## Update constraints.txt for every supported Python (needs uv)
	@.ci/lock

clean: ## Remove the environment, caches and built files
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf build dist site photo_emotion.egg-info

# Runs before anything imports OpenCV, because it may have to install libraries for OpenCV.
doctor: .venv/installed-app
	@$(BIN)/emotion doctor --fix

# Install again if the stamp file is missing or older than a file it depends on.
# HASHES=1 takes only files with the checksums that are listed.
.venv/installed-app: requirements-app.txt constraints.txt pyproject.toml
	@.ci/install $(if $(HASHES),requirements-app.hashes.txt,requirements-app.txt)
	@touch $@

.venv/installed: requirements.txt constraints.txt pyproject.toml
	@.ci/install requirements.txt
	@touch .venv/installed-app $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	@.ci/install requirements-dev.txt
	@touch $@

.venv/installed-docs: .venv/installed requirements-docs.txt
	@.ci/install requirements-docs.txt
	@touch $@
