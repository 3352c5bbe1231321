# The commands of this checkout. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Through this link, which ansible.cfg names, Ansible finds the checkout as the collection slipway.aws.
LINK := .ansible/collections/ansible_collections/slipway/aws

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

# Python's venv module and OpenSSH's client are packages of their own on Debian and Ubuntu.
.PHONY: packages
packages:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null && command -v ssh-keygen ssh >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "==> Packages: python3-venv, openssh-client"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq python3-venv openssh-client >/dev/null; \
	else \
	  echo "Python's venv module (python3-venv) and OpenSSH's client are required. Install them, then rerun."; exit 1; \
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
venv: $(VENV)/installed ## Create the Python environment

.PHONY: workshop cloud plan preflight site status history logs exec forward prune renew drift report convert import adopt init promote destroy clean
workshop: cloud site ## Run the whole workshop on this machine: local cloud, site, web page
	@echo
	@echo "Page:         http://ecs-workshop.alb.localhost:4566/"
	@echo "Docker host:  ssh -F .slipway/ecs/ssh_config docker-EC2"
	@echo "Rerun:        source .venv/bin/activate && ansible-playbook site.yml    (changes nothing)"
	@echo "Release:      edit apps/workshop/django/workshop/templates/home.html, then"
	@echo "              ansible-playbook site.yml --tags image,service,verify"
	@echo "Delete:       make destroy, then make clean"

cloud: $(VENV)/installed ## Start the local cloud
	@echo "==> Local cloud (on a new machine about two minutes: Docker Engine, images)"
	@ansible-playbook playbooks/local_cloud.yml

# ARGS name another inventory: then the local cloud is not needed.
plan: $(VENV)/installed $(if $(ARGS),,cloud) ## Predict what site.yml would create, change and cost; ARGS="-i inventory/aws" for a real account
	@ANSIBLE_CALLBACKS_ENABLED=slipway.aws.plan ansible-playbook site.yml --check --diff $(ARGS)

preflight: $(VENV)/installed $(if $(ARGS),,cloud) ## Check what the site refers to before it is created; ARGS="-i inventory/aws" for a real account
	@ansible-playbook playbooks/preflight.yml $(ARGS)

site: $(VENV)/installed ## Run site.yml on the local cloud
	@echo "==> Site: network, registry, Docker host, images, cluster, load balancer, services"
	@ansible-playbook site.yml

status: $(VENV)/installed ## Show what runs where; ARGS="-i inventory/aws" for a real account, ARGS="-e status_format=json" for programs
	@ansible-playbook playbooks/status.yml $(ARGS)

history: $(VENV)/installed ## Show who released what and when; ARGS="-i inventory/aws" for a real account, ARGS="-e history_format=json"
	@ansible-playbook playbooks/history.yml $(ARGS)

logs: $(VENV)/installed ## Follow the logs of all services until Ctrl-C; ARGS="-e logs_since=3600 -e logs_follow=false"
	@ansible-playbook playbooks/logs.yml $(ARGS)

exec: $(VENV)/installed ## Run a command in a container; ARGS="-e service=workshop -e container=django -e command=id"
	@ansible-playbook playbooks/exec.yml $(ARGS)

forward: $(VENV)/installed ## Forward a local port to a container until Ctrl-C; ARGS="-e service=workshop -e container=nginx -e forward_port=8080"
	@ansible-playbook playbooks/forward.yml $(ARGS)

prune: $(VENV)/installed ## Delete revisions and images that no release of the history needs; ARGS="--check" predicts
	@ansible-playbook playbooks/prune.yml $(ARGS)

renew: $(VENV)/installed ## Pin base images to the digests of their tags; ARGS="-i inventory/aws --check" only shows the lines
	@ansible-playbook playbooks/renew.yml $(ARGS)

# Make itself exits with 2 whenever a command fails: for exit codes, call the playbook.
drift: $(VENV)/installed ## List what differs from the last run; ARGS="-i inventory/aws" for a real account
	@ansible-playbook playbooks/drift.yml $(ARGS)

report: $(VENV)/installed ## Write a report of the project as one HTML file; ARGS="-i inventory/aws" for a real account
	@ansible-playbook playbooks/report.yml $(ARGS)

init: $(VENV)/installed ## Write inventories for the stages of an application; ARGS="-e directory=../shop -e project=shop -e stages=staging,production -e regions=eu-central-1"
	@ansible-playbook playbooks/init.yml $(ARGS)

promote: $(VENV)/installed ## Release what another stage runs; ARGS="-i inventory/production -e promote_from=inventory/staging"
	@ansible-playbook playbooks/promote.yml $(ARGS)

convert: $(VENV)/installed ## Write an inventory for a project of another tool; ARGS="-e origin=compose -e source=compose.yml -e inventory=inventory/shop"
	@ansible-playbook playbooks/convert.yml $(ARGS)

import: $(VENV)/installed ## Write an inventory for what runs in a cluster; ARGS="-e slipway_region=eu-central-1 -e cluster=shop -e inventory=inventory/shop"
	@ansible-playbook playbooks/import.yml $(ARGS)

adopt: $(VENV)/installed ## Tag existing resources as the project's, after a list and a question; ARGS="-i inventory/shop"
	@ansible-playbook playbooks/adopt.yml $(ARGS)

destroy: $(VENV)/installed ## Delete the site, keep the local cloud
	@ansible-playbook playbooks/destroy.yml -e destroy_confirm=ecs

clean: $(VENV)/installed ## Delete the local cloud and everything in it
	@ansible-playbook playbooks/local_cloud.yml -e local_cloud_state=absent
	@rm -rf .slipway

# Tests: tests/run.py runs them. `make test` continues after a failure.
$(VENV)/installed-test: requirements-test.txt $(VENV)/installed
	@echo "==> Test tools, into $(VENV) (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@

# The figures of the guide.
$(VENV)/installed-benchmark: benchmarks/requirements.txt $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

.PHONY: benchmark benchmark-site benchmark-exec
benchmark: $(VENV)/installed-benchmark ## Benchmark slipway.aws and its alternatives, and write the guide's figures (15 minutes)
	@$(BIN)/python -m benchmarks.run
benchmark-site: $(VENV)/installed-benchmark ## Benchmark runs of the whole site and the previous release, on local clouds (25 minutes)
	@$(BIN)/python -m benchmarks.site
benchmark-exec: $(VENV)/installed-benchmark ## Benchmark files copied by ecs_exec and by docker cp, on a local cloud (5 minutes)
	@$(BIN)/python -m benchmarks.exec

# The kinds of tests/run.py, each with a target test-<kind>; those that `make test` runs come first.
KINDS := unit sanity integration molecule slow lint-slow variants hard ansible-units races artifact upgrade
# requirements*.in name what is needed and why; requirements*.txt, which are installed, add all that these need, with hashes.
# One file serves every supported Python: markers choose between the oldest and the newest Ansible.
UV := uv==0.13.9
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"
.PHONY: lock
lock: $(VENV)/installed ## Renew the locked requirements; ARGS="--upgrade" for newer versions of what they need
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	@$(LOCK) $(ARGS) requirements.in --output-file requirements.txt
	@for folder in requirements-test benchmarks/requirements docs/docsite/requirements; do \
	  $(LOCK) $(ARGS) $$folder.in --constraints requirements.txt --output-file $$folder.txt; done

.PHONY: test test-all lint $(KINDS:%=test-%) test-mutations test-interruptions docs
test: $(VENV)/installed-test ## Run the daily tests: lint, unit, sanity, integration, molecule
	@$(BIN)/python tests/run.py
test-all: $(VENV)/installed-test ## Run the daily tests with the oldest and the newest Ansible; ARGS="unit sanity" for some kinds
	@$(BIN)/nox $(if $(ARGS),-- $(ARGS))
lint: $(VENV)/installed-test ## Check style and types
	@$(BIN)/python tests/run.py lint
test-unit: ## Run the unit tests, on emulators, with branch coverage
test-sanity: ## Run ansible-test sanity, without its slow rules
test-integration: ## Run ansible-test integration: each module in a playbook, on emulators
test-molecule: ## Test roles, modules and the whole site on the local cloud (requires Docker)
test-slow: ## Run the slow tests: single roles, PostgreSQL, distributions, interrupted runs, and the seven kinds below (3 hours)
test-lint-slow: ## Run ansible-lint on the tests, too, and the slow rules of ansible-test sanity
test-variants: ## Test non-default role configurations, on emulators
test-hard: ## Test modules, roles and playbooks on an emulator that rewrites, lags and throttles as AWS does
test-ansible-units: ## Run ansible-test units: the unit tests that need no emulator
test-races: ## Test 347 releases with a fault at each stage, or at a random call (40 minutes); SLIPWAY_RACES=20 SLIPWAY_MATRIX=20 for fewer
test-artifact: ## Test the archive that users install: its content, and the workshop from it (requires Docker)
test-upgrade: ## Test the upgrade of a site of the previous release (requires Docker and the history of git)
$(KINDS:%=test-%): $(VENV)/installed-test
	@$(BIN)/python tests/run.py $(@:test-%=%)
test-mutations: $(VENV)/installed-test ## Run mutation tests of the pure functions; ARGS="--number 60 --seed 2"
	@$(BIN)/python tests/mutations.py $(ARGS)
test-interruptions: $(VENV)/installed-test cloud ## Kill setup and teardown after each single change (1 hour or more)
	@SLIPWAY_ENDPOINT=http://127.0.0.1:4566 SLIPWAY_INTERRUPT_EVERYWHERE=1 $(BIN)/pytest -s --exitfirst tests/interruptions
docs: $(VENV)/installed ## Generate the roles' READMEs and the tables of error codes, witnesses and costs
	@$(BIN)/python docs/role_readmes.py
	@$(BIN)/python docs/error_codes.py
	@$(BIN)/python docs/controls.py
	@$(BIN)/python docs/refused_requests.py
	@$(BIN)/python docs/witnesses.py
	@PYTHONPATH=.ansible/collections $(BIN)/python docs/costs.py

# antsibull-docs runs ansible-doc, which finds this checkout and, for doc fragments, the installed collections.
SITE := .cache/docsite
$(VENV)/installed-docsite: docs/docsite/requirements.txt $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r docs/docsite/requirements.txt
	@touch $@

.PHONY: docsite
docsite: $(VENV)/installed-docsite ## Build the documentation site into .cache/docsite, and check the changelog fragments
	@antsibull-changelog lint
	@antsibull-docs lint-collection-docs --skip-rstcheck .
	@rm -rf $(SITE) && mkdir -p $(SITE)/rst
	@ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/.ansible/collections:$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
	  antsibull-docs --config-file docs/docsite/antsibull-docs.cfg collection --use-current --squash-hierarchy --fail-on-error --cleanup everything \
	  --dest-dir $(SITE)/rst slipway.aws
	@cp -R docs/images $(SITE)/rst/images
	@sphinx-build --quiet --fail-on-warning --keep-going -c docs/docsite $(SITE)/rst $(SITE)/html
	@echo "Front page: $(SITE)/html/index.html"
