# make app   start the page        make test   check everything        make bench   compare with peers
# Each target makes what it needs: a virtual environment in .venv, filled once and again when the pins change.

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: app test bench chromium clean

app: .venv/app.stamp
	$(BIN)/python -m app $(ARGS)

test: .venv/test.stamp chromium
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(ARGS)

bench: .venv/test.stamp
	$(BIN)/python -m benchmarks $(ARGS)

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
	@if command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; then :; \
	elif command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; then \
		echo "Chromium installed."; \
	else \
		echo "Chromium is missing and could not be installed here: the browser tests (tests/app) will be skipped."; \
		echo "To run them: apt-get install chromium (Debian), then make test again."; \
	fi

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
