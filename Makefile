# make app          start the page                    make test    check everything
# make fast         the tests of a minute             make lint    format, lint and types
# make bench        compare with peers                make docs    API pages, into build/docs
# make lock         requirements.lock anew            make clean   remove what was made here
# make slow         measure which tests are slow, into tests/slow.txt
# make screenshots  every screen, light and dark, wide and narrow, into build/screenshots
# make first-visit  what a newcomer sees, computed beforehand, into static/first and static/gallery
# Each target makes what it needs: a virtual environment in .venv and static/js/node_modules, filled
# once and again when the pins change. ARGS="..." is passed on.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
DEBIAN := apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
CAN_INSTALL := command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]
HAS_NODE := command -v npm >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null

.PHONY: app test fast slow lint python-lint page-lint page-test page-tools bench docs lock first-visit screenshots chromium node clean

app: .venv/app.stamp
	$(BIN)/python -m app $(ARGS)

# Two processes, one thread each. See tests/conftest.py for how they share the work.
test: chromium
	$(MAKE) --no-print-directory -j 3 lint page-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

fast: .venv/test.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m "not slow and not browser" $(ARGS)

# Which of the tests of a minute are not quick enough for it: they are left to `make test`.
slow: .venv/test.stamp
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m pytest -p slow -n 2 --dist loadgroup --no-loadscope-reorder -m "not slow and not browser" $(ARGS)

lint: python-lint page-lint

python-lint: .venv/test.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# The page's scripts need Node 20 and npm, for their tools alone. Without them the gates are left out,
# and say so.
page-lint: page-tools
	@if $(HAS_NODE); then \
		cd static/js && npm run --silent format:check && npm run --silent lint && npm run --silent types; \
	else echo "Not run: format, lint and types of static/js and static/css."; fi

page-test: page-tools
	@if $(HAS_NODE); then cd static/js && npm test --silent; \
	else echo "Not run: the unit tests of static/js."; fi

page-tools: node
	@if $(HAS_NODE); then $(MAKE) --no-print-directory static/js/node_modules/.package-lock.json; fi

static/js/node_modules/.package-lock.json: static/js/package-lock.json
	cd static/js && npm ci --no-audit --no-fund --silent
	@touch $@

bench: .venv/test.stamp
	$(BIN)/python -m benchmarks $(ARGS)

docs: .venv/test.stamp
	$(BIN)/python docs/tree.py
	$(BIN)/python -m docs.reference build/docs

lock: .venv/test.stamp
	$(BIN)/uv pip compile requirements-dev.txt --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --quiet --output-file requirements.lock $(ARGS)

first-visit: .venv/app.stamp
	$(BIN)/python -m app.first_visit.build

screenshots: .venv/test.stamp chromium
	$(BIN)/python -m benchmarks.screenshots build/screenshots $(ARGS)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/app.stamp: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -r requirements.txt
	@touch $@

.venv/test.stamp: requirements.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -r requirements-dev.txt
	@touch $@ .venv/app.stamp

# The browser tests drive Debian's Chromium. Without it they are skipped, and say so.
chromium:
	@if command -v chromium-headless-shell >/dev/null 2>&1; then :; \
	elif $(CAN_INSTALL) && $(DEBIAN) chromium-headless-shell >/dev/null; then echo "Chromium's headless shell installed."; \
	elif command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1; then :; \
	elif $(CAN_INSTALL) && $(DEBIAN) chromium >/dev/null; then echo "Chromium installed."; \
	else \
		echo "Chromium is missing and could not be installed here: the browser tests (tests/app) will be skipped."; \
		echo "To run them: apt-get install chromium (Debian), then make test again."; \
	fi

node:
	@if $(HAS_NODE); then :; \
	elif $(CAN_INSTALL) && $(DEBIAN) nodejs npm >/dev/null && $(HAS_NODE); then echo "Node installed."; \
	else \
		echo "Node 20 or newer with npm is missing and could not be installed here:"; \
		echo "the gates of static/js will be left out. To run them: install Node, then make test again."; \
	fi

clean:
	rm -rf .venv build dist *.egg-info static/js/node_modules .mypy_cache .ruff_cache .pytest_cache
