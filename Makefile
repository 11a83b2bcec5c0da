# Everything that is done to this project. `make help` lists it.

PYTHON ?= python3
VENV := .venv
DEMO_VENV := .venv-demo
SECURITY_VENV := .venv-security
# The full environment serves the demo too, where it is there.
DEMO_OPS = $(if $(wildcard $(VENV)/complete),$(VENV),$(DEMO_VENV))/bin/ops
# The lock files are complete, so pip has nothing to resolve.
PIP_INSTALL := -m pip --disable-pip-version-check install --quiet --require-hashes --no-deps

LOCK := $(VENV)/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	--no-emit-index-url
PACKAGED := functions/packaging/requirements
# What every lock file pins is in one of these.
AUDITED := $(PACKAGED)/merge_partials.txt $(PACKAGED)/scan_segment.txt requirements/dev.txt requirements/security.txt
# `make security ADVISORIES=required` fails where the database of advisories cannot be reached.
ADVISORIES ?= wanted
TRANSFORMED := .aws-sam/transformed.json
CHECKOV_REPORT := .aws-sam/checkov.json
# What the tests and the embedded AWS give for credentials; made-up request ids; lock files are full of hashes.
NO_SECRETS := ^(test|secret|no-(secret|session)-.*|AKIAEMBEDDEDCLOUD.*)$$
NO_SECRET_LINES := "x-amz-(request-id|id-2)":
NO_SECRET_FILES := (^|/)requirements/.*\.txt$$

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow check format lint types sam-check security faults faults-fast faults-slow bench docs report-picture build lock clean python-is-recent

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(DEMO_OPS) ## make up a month of trips, run the whole job over it, show the KPIs
	@$(DEMO_OPS) demo

setup: $(VENV)/bin/ops ## make .venv with everything in it, and the command .venv/bin/ops

# A test that ended its process by hanging would do so again in each process that is started in its place.
PYTEST := $(VENV)/bin/python -m pytest -n 2 --dist loadfile --max-worker-restart=0
test: setup ## the tests, except those that take long and find little besides
	@$(PYTEST) -m "not slow"

test-slow: setup ## the other tests
	@$(PYTEST) -m slow

check: setup format lint types sam-check security test test-slow ## format, lint, strict types, the template, secrets, every test

format: setup ## is every file formatted?
	@$(VENV)/bin/ruff format --check .

lint: setup
	@$(VENV)/bin/ruff check .

types: setup
	@$(VENV)/bin/mypy

sam-check: setup ## are template and state machine valid, for SAM, CloudFormation and Step Functions?
	@SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam validate --lint --region us-east-1
	@mkdir -p $(dir $(TRANSFORMED)) && $(VENV)/bin/python -m checks.transformed $(TRANSFORMED)
	@$(VENV)/bin/cfn-lint template.yaml $(TRANSFORMED)
	@$(VENV)/bin/python -m checks.state_machine statemachine/*.asl.json

security: setup $(SECURITY_VENV)/complete ## checkov on the template, every finding explained; no secret in any file; known vulnerabilities
	@mkdir -p $(dir $(TRANSFORMED)) && $(VENV)/bin/python -m checks.transformed $(TRANSFORMED)
	@$(SECURITY_VENV)/bin/checkov --framework cloudformation --file template.yaml $(TRANSFORMED) \
		--skip-download --quiet --compact --soft-fail --output json > $(CHECKOV_REPORT)
	@$(VENV)/bin/python -m checks.unexplained $(CHECKOV_REPORT)
	@git ls-files -z | xargs -0 $(SECURITY_VENV)/bin/detect-secrets-hook --no-verify \
		--exclude-secrets '$(NO_SECRETS)' --exclude-lines '$(NO_SECRET_LINES)' --exclude-files '$(NO_SECRET_FILES)'
	@echo "No secret is in any file."
	@$(VENV)/bin/python -m checks.vulnerable --auditor $(SECURITY_VENV)/bin/pip-audit \
		$(if $(filter required,$(ADVISORIES)),--required) $(AUDITED)

PLAY := PYTHONPATH=functions $(VENV)/bin/python -m tests.faults
faults: faults-fast faults-slow ## seeded faults: 10,000 schedules against the handlers, 50 through the state machine

faults-fast: setup ## the handlers alone; SEED=7 replays one schedule
	@$(if $(SEED),$(PLAY).replay $(SEED),$(PLAY) 10000)

faults-slow: setup ## the real state machine and worker processes; SEED=7 plays one schedule, REPLAY=FILE its faults again
	@$(PLAY).slow $(if $(REPLAY),--replay $(REPLAY),$(if $(SEED),1 --first $(SEED),50))

bench: setup ## every figure of docs/performance.md, measured on this machine; takes a while
	@$(VENV)/bin/python -m bench page

report-picture: setup ## take docs/report.png, the README's picture, from the demo's report; needs Chromium
	@$(VENV)/bin/python -m tests.report.picture docs/report.png

docs: setup ## write the tables of docs/ that follow from the template
	@$(VENV)/bin/python -m checks.reference

build: setup ## package the functions for Lambda, as `sam build` does anywhere
	@SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam build

lock: setup ## choose versions anew and pin them
	@$(LOCK) --upgrade --python-version 3.11 --group dev --output-file requirements/dev.txt
	@$(LOCK) --upgrade --python-version 3.11 --group security --output-file requirements/security.txt
	@$(LOCK) --upgrade --python-version 3.11 --group demo --constraints requirements/dev.txt \
		--output-file requirements/demo.txt
	@for function in plan_run scan_segment merge_partials; do \
		$(LOCK) --upgrade --no-emit-find-links --python-version 3.12 --constraints requirements/dev.txt \
			$(PACKAGED)/$$function.in \
			--output-file $(PACKAGED)/$$function.txt || exit 1; done

clean: ## remove what was made here
	rm -rf $(VENV) $(DEMO_VENV) $(SECURITY_VENV) .aws-sam out .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The command finds the project by its path: nothing has to be built or installed.
%/bin/ops: %/complete
	@$*/bin/python -m ops.cli.console_script

python-is-recent:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$$($(PYTHON) --version 2>&1) is too old: Python 3.11 or later is needed; name one: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }

# `complete` is written last, so that an installation that broke off is begun again.
$(VENV)/complete: requirements/dev.txt | python-is-recent
	@echo "Setting up $(VENV) with everything for development ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/python $(PIP_INSTALL) --requirement requirements/dev.txt
	@touch $@

$(DEMO_VENV)/complete: requirements/demo.txt | python-is-recent
	@echo "Setting up $(DEMO_VENV) with what the demo needs ..."
	@$(PYTHON) -m venv --clear $(DEMO_VENV)
	@$(DEMO_VENV)/bin/python $(PIP_INSTALL) --requirement requirements/demo.txt
	@touch $@

$(SECURITY_VENV)/complete: requirements/security.txt | python-is-recent
	@echo "Setting up $(SECURITY_VENV) with checkov, detect-secrets and pip-audit ..."
	@$(PYTHON) -m venv --clear $(SECURITY_VENV)
	@$(SECURITY_VENV)/bin/python $(PIP_INSTALL) --requirement requirements/security.txt
	@touch $@
