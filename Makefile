# The first target that needs it makes .venv from requirements-dev.lock; all that is asked for is Python 3.11+.
.DEFAULT_GOAL := help

# The name of the stamp holds the lock file's checksum: another lock file, another environment.
LOCK := requirements-dev.lock
STAMP := .venv/made-from-$(shell cksum $(LOCK) | cut -d' ' -f1)
BIN := .venv/bin

# The first Python on the PATH that is new enough; or say which: make setup PYTHON=/path/to/python3
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$p" && break; done)

.PHONY: help load bench setup serve test test-cql test-browser test-image test-ehr check format openapi knowledge examples lock test-api audit cluster test-faults test-deployment sbom test-population

# An environment is made in an empty folder: through a link that would be another project's folder.
no_link = for folder in $(1); do test ! -L $$folder || { \
	echo "$$folder is a symbolic link, and making it anew would empty what it points to: remove the link first." >&2; \
	exit 1; }; done

help:  ## What can be made
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile | expand -t 22

setup: $(STAMP)  ## The environment, from the lock file with hashes

$(STAMP): $(LOCK)
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer on the PATH. Install one, or: make setup PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' || { echo "$(PYTHON) is older than Python 3.11." >&2; exit 1; }
	@$(call no_link,.venv)
	@echo "Making .venv from $(LOCK)"
	@"$(PYTHON)" -m venv --clear .venv \
		|| { echo "Python cannot make an environment. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	@touch $@

serve: $(STAMP)  ## The service; HOST=127.0.0.1 PORT=8000 are the defaults, HELP=1 lists all settings
	@exec $(BIN)/python -m service $(if $(HELP),--help)

test: $(STAMP)  ## Every test that needs no outside server; ARGS="-k name" goes to pytest
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

test-image: $(STAMP)  ## Build the image with docker, podman or buildah, and the wheel; ask both for a card (minutes)
	TEST_IMAGE=1 $(BIN)/python -m pytest -rs tests/docs/test_image.py tests/docs/test_wheel.py $(ARGS)

# An EHR's FHIR server, in an environment of its own: its dependencies are none of the service's.
EHR_LOCK := tests/ehr/requirements.lock
EHR_STAMP := .ehr/made-from-$(shell cksum $(EHR_LOCK) | cut -d' ' -f1)

$(EHR_STAMP): $(EHR_LOCK)
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer on the PATH. Install one, or: make test-ehr PYTHON=..." >&2; exit 1; }
	@$(call no_link,.ehr)
	@echo "Making .ehr from $(EHR_LOCK)"
	@"$(PYTHON)" -m venv --clear .ehr
	@.ehr/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(EHR_LOCK)
	@touch $@

test-ehr: $(STAMP) $(EHR_STAMP)  ## The patients on a real FHIR server with OAuth2, fetched without any prefetch
	$(BIN)/python -m pytest -rs tests/ehr $(ARGS)

# A driver for the browser, in a folder of its own: 170 MB that only these tests need.
BROWSER_LOCK := tests/browser/requirements.lock
BROWSER_STAMP := .browser/made-from-$(shell cksum $(BROWSER_LOCK) | cut -d' ' -f1)

$(BROWSER_STAMP): $(STAMP) $(BROWSER_LOCK)
	@echo "Making .browser from $(BROWSER_LOCK)"
	@$(call no_link,.browser)
	@rm -rf .browser
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --target .browser --require-hashes -r $(BROWSER_LOCK)
	@touch $@

test-browser: $(STAMP) $(BROWSER_STAMP)  ## The pages in Debian's Chromium, by Playwright and axe-core; pictures go to .pictures
	$(BIN)/python -m pytest -rs tests/browser $(ARGS)

# Those who are compared with the service, each in an environment of its own; one that cannot be had is left out.
.bench/%/made: tools/bench/%.lock
	@$(call no_link,.bench .bench/$*)
	@"$(PYTHON)" -m venv --clear .bench/$*
	@.bench/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $< \
		|| { echo "make bench: $* cannot be installed, and is left out." >&2; rm -rf .bench/$*; mkdir -p .bench/$*; }
	@touch $@

load: $(STAMP)  ## What is answered and what refused below and past saturation (ARGS="--worker sync"; a minute)
	$(BIN)/python -m tools.bench.load $(ARGS)

bench: $(STAMP) .bench/floor/made .bench/healthchain/made  ## What the service costs beside others (ARGS=--quick: without them, in two minutes)
	$(BIN)/python -m tools.bench $(ARGS)

check: $(STAMP)  ## Format, lint, types, import contracts, generated files current, the table proved in its fast part
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest tests/docs/test_files.py tests/docs/test_literal_ids.py tests/docs/test_locks.py \
		tests/docs/test_walk.py
	$(BIN)/python -m tools.proof

format: $(STAMP)  ## Lay the code out
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: $(STAMP)  ## Write openapi.yaml anew from the marshmallow schemas and tools/openapi/
	$(BIN)/python -m tools.openapi

# A translator of CQL, and engines that are not ours; without npm a changed CQL cannot be translated.
.cql/made: tools/cql/package.json tools/cql/package-lock.json
	@$(call no_link,.cql)
	@rm -rf .cql && mkdir -p .cql && cp $^ .cql/
	@if command -v npm >/dev/null; then cd .cql && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; \
		else echo "make: no npm, the CQL is not translated and not run." >&2; fi
	@touch $@

test-cql: $(STAMP) .cql/made  ## The knowledge in engines of CQL and of $$apply: patients that they decide as the service does
	$(BIN)/python -m pytest -rs tests/cql $(ARGS)

knowledge: $(STAMP) .cql/made  ## Write service/knowledge/data/README.md and artifacts/ anew from the knowledge
	$(BIN)/python -m tools.knowledge.readme
	$(BIN)/python -m tools.artifacts

examples: $(STAMP)  ## Write examples/ anew from the test patients: read the difference before it is committed
	$(BIN)/python -m tests.vignettes.examples

# Tools that look at the service from outside, each in an environment of its own.
.api/%/made: tests/api/%.lock
	@$(call no_link,.api .api/$*)
	@"$(PYTHON)" -m venv --clear .api/$*
	@.api/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The linters of openapi.yaml come from npm; without npm they are left out, and their tests are skipped.
.api/node/made: tests/api/package.json tests/api/package-lock.json
	@$(call no_link,.api .api/node)
	@rm -rf .api/node && mkdir -p .api/node && cp $^ .api/node/
	@if command -v npm >/dev/null; then cd .api/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; \
		else echo "make test-api: no npm, spectral and redocly are left out." >&2; fi
	@touch $@

# Validators of FHIR that are not ours; without npm their tests are skipped.
.api/fhir/made: tests/artifacts_validation/package.json tests/artifacts_validation/package-lock.json
	@$(call no_link,.api .api/fhir)
	@rm -rf .api/fhir && mkdir -p .api/fhir && cp $^ .api/fhir/
	@if command -v npm >/dev/null; then cd .api/fhir && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; \
		else echo "make test-api: no npm, the validators of FHIR are left out." >&2; fi
	@touch $@

test-api: $(STAMP) .api/schemathesis/made .api/openapi-python-client/made .api/node/made .api/fhir/made  ## openapi.yaml by linters, a generated client, and against the running service; artifacts by validators of FHIR (minutes)
	$(BIN)/python -m pytest -rs tests/api tests/artifacts_validation $(ARGS)

audit: .api/audit/made  ## Known weaknesses of the locked dependencies; fails where no advisory service answers
	@.api/audit/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off \
		--requirement requirements.lock --timeout 20 \
		|| { echo "make audit: weaknesses were found, or no advisory service answers (pypi.org, osv.dev)." >&2; exit 1; }

sbom: .api/sbom/made  ## Write sbom.cdx.json anew: what requirements.lock installs, as CycloneDX
	@.api/sbom/bin/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible \
		--spec-version 1.6 --validate --output-file sbom.cdx.json requirements.lock

cluster: $(STAMP)  ## Three replicas behind HAProxy with TLS, PostgreSQL and Redis, on this machine
	@exec $(BIN)/python -m deploy.cluster $(ARGS)

test-deployment: $(STAMP) .api/deployment/made  ## Manifests, Compose files and Dockerfile by the tools of their makers
	$(BIN)/python -m pytest -rs tests/deployment $(ARGS)

# Spark, in a folder of its own: 500 MB that only these tests need. It runs in a JVM.
SPARK_LOCK := tests/population/requirements.lock
SPARK_STAMP := .spark/made-from-$(shell cksum $(SPARK_LOCK) | cut -d' ' -f1)

$(SPARK_STAMP): $(STAMP) $(SPARK_LOCK)
	@echo "Making .spark from $(SPARK_LOCK)"
	@$(call no_link,.spark)
	@rm -rf .spark
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --target .spark --require-hashes -r $(SPARK_LOCK)
	@touch $@

test-population: $(STAMP) $(SPARK_STAMP)  ## Runs over bulk exports, also on Spark: faults, splits, and a recount of every figure
	PYTHONPATH=.spark $(BIN)/python -m pytest -rs tests/population $(ARGS)

FAULTS ?= whole
test-faults: $(STAMP)  ## Faults under load, each with its counts; FAULTS=short takes minutes less
	FAULTS=$(FAULTS) $(BIN)/python -m pytest -rs tests/faults $(ARGS)

# No prerequisite: without a lock file that fits there may be no environment.
LOCKED := uv pip compile --quiet --universal --generate-hashes --no-header --extra redis --extra postgresql pyproject.toml
BENCH_LOCKED := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
lock:  ## Write both lock files anew from pyproject.toml; ARGS=--upgrade takes newer versions
	@test -x $(BIN)/uv || $(MAKE) setup
	$(BIN)/$(LOCKED) $(ARGS) --output-file requirements.lock
	$(BIN)/$(LOCKED) $(ARGS) --extra dev --output-file requirements-dev.lock
	$(BIN)/$(BENCH_LOCKED) $(ARGS) tests/api/sbom.in --output-file tests/api/sbom.lock
	$(MAKE) sbom
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(ARGS) \
		tests/ehr/requirements.in --output-file $(EHR_LOCK)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(ARGS) \
		--constraint requirements-dev.lock tests/browser/requirements.in --output-file $(BROWSER_LOCK)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(ARGS) \
		--constraint requirements-dev.lock tests/population/requirements.in --output-file $(SPARK_LOCK)
	$(BIN)/$(BENCH_LOCKED) $(ARGS) --constraints requirements.lock tools/bench/floor.in --output-file tools/bench/floor.lock
	$(BIN)/$(BENCH_LOCKED) $(ARGS) tools/bench/healthchain.in --output-file tools/bench/healthchain.lock
