# Everything here needs Python 3.11 or newer, make, and a package index pip can reach. Nothing is installed outside
# this folder.
PYTHON ?= python3
VENV := .venv
OLD := .venv-2.11
LOWEST := .venv-lowest
FOREIGN := .venv-foreign
RELEASE := .venv-release
PIP := -m pip install --quiet --disable-pip-version-check
# Pins by the environment hold for what builds the package too: pip hands it on, its options not. Newer pips read the
# second name for that.
pinned = PIP_CONSTRAINT=$(1) PIP_BUILD_CONSTRAINT=$(1)

# Tests run on all cores, one more than there are, as some wait for a service most of their time; those that start whole
# services stay one after the other (tests/conftest.py).
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
PYTEST := -m pytest -n $(WORKERS)
# In the other environments: what needs no services and differs with what is installed, with fewer examples.
FAST := -m "not live and not slow" --hypothesis-profile short --ignore tests/cluster --ignore tests/simulation \
	--ignore tests/conformance --ignore tests/exports --ignore tests/browser
FLOORS := tests/unit tests/metrica tests/altcraft tests/market tests/connections tests/journal tests/sandbox

.PHONY: help demo test docs pictures simulate bench lint test-2.11 test-lowest test-foreign test-s3 cluster-test check-pins release constraints clean

help:
	@echo "make demo         good days and a bad one of a shop, run by a real Airflow (KEEP=1 leaves its pages up)"
	@echo "make test         the whole test suite on Airflow 3.3"
	@echo "make docs         the site of the docs, in English and Russian, into build/site"
	@echo "make pictures     the pictures of the docs, taken anew by the tests in the browser (needs Chromium)"
	@echo "make bench        the package beside what else one would take, in turn; writes benchmarks/RESULTS.md (ten minutes)"
	@echo "make simulate     worlds in which everything goes wrong (SEEDS=10000: how many)"
	@echo "make test-2.11    the tests that hold on Airflow 2.11 too"
	@echo "make test-lowest  what uses other packages, on exactly the lowest versions that pyproject.toml allows"
	@echo "make test-foreign other people's clients, and Market's official schema, against the sandbox"
	@echo "make test-s3      the tests that need an S3 server and the Amazon provider"
	@echo "make cluster-test Airflow on two Celery workers that share only servers; one of them dies, the store goes away"
	@echo "make check-pins   whether the pinned versions can be installed with what object storage needs"
	@echo "make lint         style, types, import rules; that every test can be set up"
	@echo "make release      dist/: wheel, source archive, and the list of what they bring in (CycloneDX)"
	@echo "make clean        remove what these commands made"

demo: $(VENV)/ready-demo
	$(VENV)/bin/python -m airflow_provider_yandex_orders.demo --folder .demo $(if $(KEEP),--keep)

test: $(VENV)/ready-test
	$(VENV)/bin/python $(PYTEST) --ignore tests/cluster $(ARGS)

docs: $(VENV)/ready-docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build $(ARGS)
	@echo "python3 -m http.server -d build/site    # shows it under http://127.0.0.1:8000/"

pictures: $(VENV)/ready-test
	PICTURES=1 $(VENV)/bin/python -m pytest tests/browser $(ARGS)

bench: $(VENV)/ready-bench
	$(VENV)/bin/python -m benchmarks $(ARGS)

SEEDS ?= 1000
simulate: $(VENV)/ready-test
	$(VENV)/bin/python -m tests.simulation 0 $(SEEDS)

# Last, tests are planned and not run: a fixture that is not there is found in seconds.
lint: $(VENV)/ready-lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	@plan=$$(mktemp) && $(VENV)/bin/python -m pytest --setup-plan -q -p no:cacheprovider > $$plan 2>&1 \
		|| { tail -n 40 $$plan; exit 1; }

test-2.11: $(OLD)/ready
	$(OLD)/bin/python $(PYTEST) $(FAST) $(ARGS)

test-lowest: $(LOWEST)/ready
	$(LOWEST)/bin/python $(PYTEST) $(FAST) $(FLOORS) $(ARGS)

# An environment without Airflow: the sandbox needs none, and the clients' own needs stay out of the others.
test-foreign: $(FOREIGN)/ready
	$(FOREIGN)/bin/python -m pytest tests/foreign $(ARGS)

# Nothing is installed: the resolver alone says whether the pins agree with each other and with the Amazon provider.
check-pins: $(VENV)/ready-test $(OLD)/ready
	$(VENV)/bin/python $(PIP) --dry-run --constraint constraints.txt "apache-airflow-providers-amazon[s3fs]"
	$(OLD)/bin/python $(PIP) --dry-run --constraint constraints-2.11.txt "apache-airflow-providers-amazon[s3fs]"

test-s3: $(VENV)/ready-s3
	$(VENV)/bin/python $(PYTEST) tests/unit/s3 $(ARGS)

# An environment that holds the wheel and what it needs, nothing else, is what the list of components is made from.
release: $(VENV)/ready-release
	rm -rf dist $(RELEASE)
	$(VENV)/bin/python -m hatchling build -d dist
	$(PYTHON) -m venv --without-pip $(RELEASE)
	$(VENV)/bin/python -m pip --python $(RELEASE) install --quiet --constraint constraints.txt dist/*.whl
	$(VENV)/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type library --output-reproducible \
		-o dist/sbom.cdx.json $(RELEASE)/bin/python

# One process: the tests share one Airflow.
cluster-test: $(VENV)/ready-cluster
	$(VENV)/bin/python -m pytest tests/cluster $(ARGS)

# What an environment holds is decided by pyproject.toml and pinned by the constraints.
$(VENV)/ready-%: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Airflow and what else make $* needs into $(VENV): some hundred MB, one to three minutes, once."
	$(call pinned,constraints.txt) $(VENV)/bin/python $(PIP) --editable ".[$(EXTRAS_$*)]"
	@touch $@

EXTRAS_demo := demo
EXTRAS_test := test,test-told
EXTRAS_bench := bench
EXTRAS_docs := docs
EXTRAS_lint := test,test-told,lint
EXTRAS_s3 := test-s3
EXTRAS_release := release
EXTRAS_cluster := cluster

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "This Python cannot make virtual environments; on Debian and Ubuntu install python3-venv."; exit 1; }

$(OLD)/ready: pyproject.toml constraints-2.11.txt
	@test -x $(OLD)/bin/python || $(PYTHON) -m venv $(OLD)
	$(call pinned,constraints-2.11.txt) $(OLD)/bin/python $(PIP) --editable ".[test,test-told]"
	@touch $@

$(LOWEST)/ready: pyproject.toml constraints-lowest.txt
	@test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(call pinned,constraints-lowest.txt) $(LOWEST)/bin/python $(PIP) --editable ".[test]"
	@touch $@

FOREIGN_NEEDS := aiotapioca-yandex-metrika marketplaces-mcp-ru tapi-yandex-metrika ya-market-api \
	fastapi hypothesis msgspec pytest python-multipart requests schemathesis uvicorn

$(FOREIGN)/ready: Makefile constraints-foreign.txt
	@test -x $(FOREIGN)/bin/python || $(PYTHON) -m venv $(FOREIGN)
	$(FOREIGN)/bin/python $(PIP) --constraint constraints-foreign.txt $(FOREIGN_NEEDS)
	$(call pinned,constraints.txt) $(FOREIGN)/bin/python $(PIP) --no-deps --editable .
	@touch $@

# Pins everything anew from what an index has today; the diff is to be read and tested. Of constraints-lowest.txt the
# lines that pyproject.toml names follow its floors by hand (a test compares); the others are what fits them.
constraints:
	rm -rf $(VENV) $(OLD) $(FOREIGN)
	$(PYTHON) -m venv $(FOREIGN) && $(FOREIGN)/bin/python $(PIP) $(FOREIGN_NEEDS)
	$(FOREIGN)/bin/python -m pip freeze > constraints-foreign.txt
	$(PYTHON) -m venv $(VENV) && $(VENV)/bin/python $(PIP) --editable ".[cluster,bench,docs,lint,release,test-told]" "apache-airflow==3.3.*"
	$(VENV)/bin/python -m pip freeze --exclude-editable > constraints.txt
	$(PYTHON) -m venv $(OLD) && $(OLD)/bin/python $(PIP) --editable ".[test-s3,test-told]" "apache-airflow==2.11.*"
	$(OLD)/bin/python -m pip freeze --exclude-editable > constraints-2.11.txt

clean:
	rm -rf $(VENV) $(OLD) $(LOWEST) $(FOREIGN) $(RELEASE) .demo build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
