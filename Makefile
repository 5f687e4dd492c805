# Every target sets up what it needs from nothing: a Python 3.11, and for real Kafka a JDK 17 and Maven (apt packages below).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
WORKERS ?= 2
STAMP  := $(VENV)/.installed

.PHONY: help install demo up test lint format bench mutation sbom audit lock clean
help:  ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is %s" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

install: $(STAMP)  ## install into .venv, locked versions with hashes

demo: install  ## the main job end to end on real engines, then a summary (under 90 s)
	$(BIN)/opposable demo $(ARGS)

up: install  ## start everything and leave it running (Ctrl-C stops it)
	$(BIN)/opposable up $(ARGS)

test: install  ## every test, in two processes; engines are resolved and named in the first lines
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(ARGS)

nightly: install  ## what a night is long enough for: the soak for ten minutes, a new plan each time (its seed is printed)
	OPPOSABLE_SOAK_S=$${OPPOSABLE_SOAK_S:-600} $(BIN)/python -m pytest tests/faults/soak $(ARGS)

lint: install  ## style, types, import contracts, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: install  ## apply the formatter
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install  ## the figures of docs/benchmarks.md, as ratios in one run
	$(BIN)/python -m tests.bench.throughput $(ARGS)

mutation: install  ## changes the law in every way it can, and says which changes no test notices (long)
	$(BIN)/python -m tests.mutation.run $(ARGS)

sbom: install  ## CycloneDX list of what the image holds, made from its lock: build/sbom.cdx.json
	mkdir -p build
	$(BIN)/cyclonedx-py requirements deploy/docker/requirements.lock --pyproject pyproject.toml --mc-type application \
	  --output-reproducible --spec-version 1.6 --output-format JSON --output-file build/sbom.cdx.json

audit: install  ## known vulnerabilities of what is locked (asks pypi.org or, with ARGS='-s osv', osv.dev)
	$(BIN)/pip-audit --strict --disable-pip --no-deps -r requirements.lock $(ARGS)

lock: ## refresh requirements.lock (needs the network)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --all-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --constraint requirements.lock --extra tracing pyproject.toml -o deploy/docker/requirements.lock

clean:  ## remove what was built here
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .opposable
