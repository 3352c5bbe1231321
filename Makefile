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

# Python's venv module and OpenSSH's client are packages of their own on Debian and Ubuntu.
.PHONY: packages
packages:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null && command -v ssh-keygen ssh >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "==> Packages: python3-venv, openssh-client"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq python3-venv openssh-client >/dev/null; \
	else \
	  echo "Python's venv module (python3-venv) and OpenSSH's client are needed: install them, then run this again."; exit 1; \
	fi

$(LINK):
	@mkdir -p $(@D)
	@ln -sfn ../../../.. $@

$(VENV)/installed: requirements.txt | $(LINK) packages
	@echo "==> Python environment in $(VENV) (about a minute, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Slipway needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Set PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.PHONY: venv
venv: $(VENV)/installed ## Make the Python environment

.PHONY: workshop cloud plan site destroy clean
workshop: cloud site ## The whole workshop on this machine: from nothing to a page that answers
	@echo
	@echo "The page:         http://ecs-workshop.alb.localhost:4566/"
	@echo "The Docker host:  ssh -F .slipway/ecs/ssh_config docker-EC2"
	@echo "Once more:        source .venv/bin/activate && ansible-playbook site.yml    (changes nothing)"
	@echo "A change:         edit apps/workshop/django/workshop/templates/home.html, then"
	@echo "                  ansible-playbook site.yml --tags image,service,verify"
	@echo "The end:          make destroy, then make clean"

cloud: $(VENV)/installed ## Start the local cloud
	@echo "==> Local cloud (on a new machine about two minutes: Docker Engine, images)"
	@ansible-playbook playbooks/local_cloud.yml

# With ARGS, the cloud is the one that they name.
plan: $(VENV)/installed $(if $(ARGS),,cloud) ## Show what site.yml would make, change and cost; ARGS="-i inventory/aws" for a real account
	@ANSIBLE_CALLBACKS_ENABLED=slipway.aws.plan ansible-playbook site.yml --check --diff $(ARGS)

site: $(VENV)/installed ## Run site.yml on the local cloud
	@echo "==> Site: network, registry, Docker host, images, cluster, load balancer, services"
	@ansible-playbook site.yml

destroy: $(VENV)/installed ## Take the site down, leave the local cloud
	@ansible-playbook playbooks/destroy.yml -e destroy_confirm=ecs

clean: $(VENV)/installed ## Stop the local cloud and remove everything it made
	@ansible-playbook playbooks/local_cloud.yml -e local_cloud_state=absent
	@rm -rf .slipway

# Tests. `make test` runs all of them and goes on after a failure; tests/run.py knows how.
$(VENV)/installed-test: requirements-test.txt $(VENV)/installed
	@echo "==> What the tests need, into $(VENV) (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

# What the README's figures come from.
$(VENV)/installed-benchmark: benchmarks/requirements.txt $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

.PHONY: benchmark
benchmark: $(VENV)/installed-benchmark ## Measure slipway.aws beside others and write the README's figures (a quarter of an hour)
	@$(BIN)/python -m benchmarks.run

.PHONY: test test-all lint unit sanity targets molecule long variants units races artifact mutations interruptions docs
test: $(VENV)/installed-test ## Run the tests for every day: the kinds below down to `molecule`
	@$(BIN)/python tests/run.py
test-all: $(VENV)/installed-test ## Run them with the oldest Ansible and the newest, each if its Python is there; ARGS="unit sanity" for some
	@$(BIN)/nox $(if $(ARGS),-- $(ARGS))
lint: ## Style and types
unit: ## Unit tests, on emulators of AWS and without Docker, and which branches of plugins/ they take
sanity: ## ansible-test sanity
targets: ## ansible-test integration: each module in a playbook, on emulators
molecule: ## Roles, modules and the whole site on the local cloud (needs Docker)
long: ## What is too long for `make test`: each role by itself, another site, distributions, killed runs, and the next three
variants: ## What roles can make besides the workshop's, on emulators
units: ## ansible-test units: the unit tests that need no account
races: ## Releases that are killed, interrupted, or meet others: 200 cases drawn by seeds (half an hour); SLIPWAY_RACES=20 for fewer
artifact: ## The archive that users install, and the workshop from it without this checkout (needs Docker)
lint unit sanity targets molecule long variants units races artifact: $(VENV)/installed-test
	@$(BIN)/python tests/run.py $@
mutations: $(VENV)/installed-test ## Small mistakes in the pure logic, each of which a unit test must notice; ARGS="--number 60 --seed 2"
	@$(BIN)/python tests/mutations.py $(ARGS)
interruptions: $(VENV)/installed-test cloud ## Kill set-up and teardown after each single change (an hour or more)
	@SLIPWAY_ENDPOINT=http://127.0.0.1:4566 SLIPWAY_INTERRUPT_EVERYWHERE=1 $(BIN)/pytest -s --exitfirst tests/interruptions
docs: $(VENV)/installed ## Write what is generated: README.md of each role, tables of error codes and costs
	@$(BIN)/python docs/role_readmes.py
	@$(BIN)/python docs/error_codes.py
	@PYTHONPATH=.ansible/collections $(BIN)/python docs/costs.py

# antsibull-docs asks ansible-doc, which finds this checkout and, for doc fragments, the collections beside it.
SITE := .cache/docsite
$(VENV)/installed-docsite: docs/docsite/requirements.txt $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r docs/docsite/requirements.txt
	@touch $@

.PHONY: docsite
docsite: $(VENV)/installed-docsite ## Build the documentation's pages into .cache/docsite, and check what the changelog is made of
	@antsibull-changelog lint
	@rm -rf $(SITE) && mkdir -p $(SITE)/rst
	@ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/.ansible/collections:$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
	  antsibull-docs --config-file docs/docsite/antsibull-docs.cfg collection --use-current --squash-hierarchy --fail-on-error --cleanup everything \
	  --dest-dir $(SITE)/rst slipway.aws
	@sphinx-build --quiet --fail-on-warning --keep-going -c docs/docsite $(SITE)/rst $(SITE)/html
	@echo "The front page: $(SITE)/html/index.html"
