# Slipway: the commands a person types. Each target says what it does while it does it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The checkout answers to the name slipway.aws through this link; ansible.cfg points here.
LINK := .ansible/collections/ansible_collections/slipway/aws

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(LINK):
	@mkdir -p $(@D)
	@ln -sfn ../../../.. $@

$(VENV)/installed: requirements.txt | $(LINK)
	@echo "==> Python environment in $(VENV) (about a minute, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Slipway needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Set PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3 cannot make a virtual environment: on Debian and Ubuntu, apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.PHONY: venv
venv: $(VENV)/installed ## Make the Python environment

# Tests. `make test` runs all of them and goes on after a failure; tests/run.py knows how.
$(VENV)/installed-test: requirements-test.txt $(VENV)/installed
	@echo "==> What the tests need, into $(VENV) (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

.PHONY: test lint unit sanity molecule
test: $(VENV)/installed-test ## Run every test: the next four
	@$(BIN)/python tests/run.py
lint: ## Style and types
unit: ## Unit tests, without any emulator or Docker
sanity: ## ansible-test sanity
molecule: ## Roles and the whole site on the local cloud (needs Docker)
lint unit sanity molecule: $(VENV)/installed-test
	@$(BIN)/python tests/run.py $@
