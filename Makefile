# Everything a developer types. Each target first builds .venv from requirements.lock if it is missing or out of date.

BIN := .venv/bin
READY := .venv/ready
TOOLS := .venv-tools/ready
WORKERS ?= 3 # of tests: one more than the least cores, as tests wait for servers a seventh of their time
export PYTHONDONTWRITEBYTECODE := # a process of a test compiles no module that another has compiled, whatever is set
PYTEST := $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=loadscope --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo quick test test-all bench bench-dashboard bench-hostile bench-monitor bench-serving bench-truth bench-training bench-words bench-years lint fuzz sbom audit picture pictures schemas interface coverage docs docs-serve paper gallery notebooks release lock sql clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(READY) ## the whole road on real flights, into demo/; again to resume
	$(BIN)/pitfalls demo --out demo

test: lint ## lint, then every test that is not slow
	$(PYTEST) -m "not slow"

quick: $(READY) ## one room in seconds: make quick ROOM=monitoring/store; its rules, types, imports and tests
	@test -e "$(ROOM)" || { echo "No such room. Got ROOM=$(ROOM); expected a folder or file, such as monitoring/store."; exit 2; }
	$(BIN)/ruff check $(ROOM) $(wildcard tests/$(ROOM))
	$(BIN)/ruff format --check --quiet $(ROOM) $(wildcard tests/$(ROOM))
	$(BIN)/mypy $(ROOM) $(wildcard tests/$(ROOM))
	$(BIN)/lint-imports | tail -2
	$(BIN)/python -m pytest -q -m "not slow" $(ROOM) $(wildcard tests/$(ROOM) tests/$(dir $(ROOM))test_$(basename $(notdir $(ROOM)))*.py)

test-all: lint $(TOOLS) ## lint, then every test, those with Airflow, Dagster and Helm too, with three times the examples
	HYPOTHESIS_PROFILE=$(or $(HYPOTHESIS_PROFILE),thorough) $(PYTEST)

fuzz: $(READY) ## damaged requests, labels and files, a minute of each kind; FUZZ_SECONDS=N for another time
	FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) $(BIN)/python -m pytest tests/fuzzing tests/serving/fuzzing -k "not million"

sbom: $(READY) ## software bills of materials (CycloneDX) of a server and a monitor, into build/sbom
	mkdir -p build/sbom
	for part in serve monitor; do $(BIN)/cyclonedx-py requirements --output-reproducible --short-PURLs --spec-version 1.6 \
		--output-file build/sbom/$$part.cdx.json requirements-$$part.lock || exit 1; done

audit: $(READY) ## known weaknesses of the libraries in the lock; needs a network
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

bench-training: $(READY) ## what 8 and 32 seeds cost, in fits
	$(BIN)/python -m benchmarks training_speed

bench: $(READY) ## truth and speed, as ratios
	$(BIN)/python -m benchmarks

bench-serving: $(READY) ## this server beside other Python servers, into docs/speed.md; 20 minutes, and a download; again to resume
	$(BIN)/python -m benchmarks serving_peers
	cp build/bench/speed.md docs/speed.md

bench-hostile: $(READY) ## what hostile requests to server and dashboard cost, into docs/hostile.md; three minutes and a demo
	$(BIN)/python -m benchmarks hostile_costs
	cp build/bench/hostile.md docs/hostile.md

bench-dashboard: $(READY) ## every page of the dashboard over 100 deployments with 1,000 windows each, beside Evidently's UI; a gigabyte of disk
	$(BIN)/python -m benchmarks dashboard_speed dashboard_peers

bench-monitor: $(READY) ## the monitor's job on one large window and on a demo's, beside pyarrow, TFDV and Evidently
	$(BIN)/python -m benchmarks window_speed monitor_speed

bench-truth: $(READY) ## false alarms and delays, beside peers and the limit
	$(BIN)/python -m benchmarks truth.budget truth.correlated truth.calibration truth.peers truth.flights_peers
	$(BIN)/python -m benchmarks truth.lender.harms truth.lender.calendars truth.lender.promises truth.lender.incidents truth.lender.causes truth.lender.sensitivity truth.worlds.measure truth.worlds.trade

bench-words: $(READY) ## first sentences of planted faults, into docs/measurements/words.md; four minutes
	$(BIN)/python -m benchmarks words.measure --pages docs/measurements

bench-years: $(READY) ## five public records over years, into docs/measurements/years.md; ten minutes, again to resume
	$(BIN)/python -m benchmarks years.measure --pages docs/measurements

lint: $(READY) ## rules, format, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

schemas: $(READY) ## docs/reference/schema from the documents of the monitor
	$(BIN)/python -m monitoring.documents.schemas docs/reference/schema

interface: $(READY) ## tests/contracts/public_interface.json, the names that are stable; for new ones
	$(BIN)/python -m tests.contracts.public_interface

sql: $(READY) ## monitoring/store/idle_sql.py from the statements that stand beside the store's tables
	$(BIN)/python -m monitoring.store.idle_statements monitoring/store/idle_sql.py

picture: $(READY) ## docs/images/architecture.svg from the import contracts
	$(BIN)/python -m tests.contracts.architecture_picture

pictures: $(READY) ## docs/images: the dashboard of made-up deployments, and the demo's page; needs Chromium
	$(BIN)/python -m tests.browser.dashboard_pictures
	$(BIN)/pitfalls demo --out demo --picture docs/images/demo.png

docs: $(READY) ## the site into build/site, with every warning an error, and the ten longest sentences
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --doctree-dir build/doctrees docs build/site
	@$(BIN)/python docs/sentences.py docs
	@echo "The site is build/site/index.html."

paper: docs ## the report on the paper as a PDF, build/paper.pdf; needs Chromium
	chromium --headless --no-sandbox --disable-gpu --no-pdf-header-footer --print-to-pdf=build/paper.pdf build/site/paper/README.html
	@echo "The report is build/paper.pdf."

gallery: $(READY) ## the pictures of the gallery, from monitors of real data sets; some minutes, needs Chromium
	$(BIN)/python -m docs.gallery.make

notebooks: $(READY) ## the notebooks of the site, run anew and kept with their output
	$(BIN)/python -m docs.notebooks

docs-serve: docs ## the site at http://127.0.0.1:8000; PORT=N for another port
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site $(or $(PORT),8000)

release: $(READY) ## both distributions into dist/: sdists, wheels, bills of materials, checksums; built twice, the same bytes
	$(BIN)/python .ci/release.py

coverage: $(READY) ## every test, and the lines that none of them reached
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Keeps every pin that still fits setup.cfg. To move one: make lock MOVE="--upgrade-package numpy"; all: MOVE=--upgrade
lock: $(READY) ## requirements.lock from setup.cfg, for every Python and platform, and what of it a server and a monitor need
	$(BIN)/uv pip compile $(MOVE) --quiet --universal --python-version 3.11 --generate-hashes --all-extras \
		--no-header --no-emit-index-url --output-file requirements.lock setup.cfg
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --constraint requirements.lock \
		--no-header --no-emit-index-url --no-annotate --output-file requirements-serve.lock requirements-serve.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --constraint requirements.lock \
		--extra postgresql --no-header --no-emit-index-url --no-annotate --output-file requirements-monitor.lock setup.cfg

clean: ## remove what the targets above made, .venv and demo/ too
	rm -rf .venv .venv-peers .venv-tools demo build dist *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find monitoring serving pitfalls_tf tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
	find monitoring -name '*.so' -delete

$(TOOLS): .ci/tools .ci/interpreter | $(READY)
	@sh .ci/tools .venv-tools
	@touch $@

$(READY): requirements.lock setup.cfg setup.py monitoring/baseline/_binning.c .ci/install .ci/interpreter
	@sh .ci/install .venv
	@touch $@
