# Every command sets itself up: it makes .venv, and installs a lock file again when that file has changed.
# Nothing is needed but python3 (3.11 or newer) and make.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON3 ?= python3
HOST ?= localhost
PORT ?= 8000
APP_PORT ?= 8001
DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/postgres
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
ARGS ?=

PYTHON := .venv/bin/python
# As many processes as cores; each makes a database of its own, and begins with tests that stand side by side, so that
# what a file makes once is made once.
PYTEST := PORTAL_MODE=test $(PYTHON) -m pytest --numprocesses auto --dist worksteal

# A python that was upgraded or moved away leaves a broken .venv: make it anew.
$(shell $(PYTHON) -c '' 2>/dev/null || rm -f .venv/*.installed)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: .venv/demo.installed ## Run the portal and two sample applications (HOST, PORT, APP_PORT, TLS_CERT, TLS_KEY)
	@HOST="$(HOST)" PORT="$(PORT)" APP_PORT="$(APP_PORT)" $(PYTHON) -m identity_portal.demo

.PHONY: demo-reset
demo-reset: .venv/demo.installed ## Forget everything that the demo has stored
	@$(PYTHON) -m identity_portal.demo --reset

.PHONY: test
test: .venv/dev.installed ## Run the tests on SQLite (ARGS='-k journey' goes to pytest)
	env -u DATABASE_URL $(PYTEST) -m "not browser" $(ARGS)

.PHONY: test-postgresql
test-postgresql: .venv/dev.installed ## Run the tests that ask a database on PostgreSQL (DATABASE_URL), where none may be skipped
	DATABASE_URL="$(DATABASE_URL)" REQUIRE=postgresql $(PYTEST) -m "not browser and not any_database" $(ARGS)

.PHONY: test-browser
test-browser: .venv/browser.installed ## Run the tests that drive Chromium (CHROMIUM)
	@test -x "$(CHROMIUM)" || { echo >&2 "Chromium was not found. On Debian, apt-get install chromium; elsewhere, say CHROMIUM=<its path>."; exit 1; }
	env -u DATABASE_URL CHROMIUM="$(CHROMIUM)" REQUIRE=browser $(PYTEST) -m browser $(ARGS)

.PHONY: check
check: .venv/dev.installed ## Look for mistakes: lint, types, templates, migrations, production settings
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	find templates -name '*.html' -exec .venv/bin/djade --check --target-version 5.2 {} +
	PORTAL_MODE=test $(PYTHON) -m mypy
	env -u DATABASE_URL PORTAL_MODE=test $(PYTHON) manage.py makemigrations --check --dry-run
	PORTAL_MODE=production BASE_URL=https://id.example.org DATABASE_URL=postgres://portal@127.0.0.1/portal \
	SECRET_KEY="$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))')" \
	ENCRYPTION_KEYS="k1:$$($(PYTHON) -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())')" \
	$(PYTHON) manage.py check --deploy --fail-level WARNING

.PHONY: format
format: .venv/dev.installed ## Put the code and the templates into the one format
	$(PYTHON) -m ruff check --fix --exit-zero --quiet .
	$(PYTHON) -m ruff format .
	find templates -name '*.html' -exec .venv/bin/djade --target-version 5.2 {} +

# The largest first: the others are held to its versions, so that one .venv can hold them all.
.PHONY: lock
COMPILE = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" $(ARGS)
lock: $(PYTHON) ## Resolve the lock files again (ARGS=--upgrade takes newer versions)
	$(COMPILE) pyproject.toml --group browser -o requirements/browser.lock
	$(COMPILE) pyproject.toml --group dev -c requirements/browser.lock -o requirements/dev.lock
	$(COMPILE) pyproject.toml --group demo -c requirements/browser.lock -o requirements/demo.lock
	$(COMPILE) pyproject.toml -c requirements/browser.lock -o requirements/portal.lock
	$(COMPILE) --group installer -o requirements/installer.lock

.PHONY: clean
clean: ## Remove what make has installed and cached (the demo's data stays)
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/%.installed: requirements/%.lock | $(PYTHON)
	@echo "Installing $< ..."
	@if test -x .venv/bin/uv; then \
		.venv/bin/uv pip install --quiet --python $(PYTHON) --require-hashes -r $<; \
	else \
		$(PYTHON) -m pip install --quiet --require-hashes -r $<; \
	fi
	@touch $@

# uv makes the environment and fills it in a third of pip's time, and needs no ensurepip, which Debian leaves out of
# python3. Where uv can't be had, venv and pip do the same more slowly.
$(PYTHON): | requirements/installer.lock
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo >&2 "Identity Portal needs Python 3.11 or newer. Name one, like this: make PYTHON3=python3.12"; exit 1; }
	@echo "Creating .venv ..."
	@rm -rf .venv
	@{ $(PYTHON3) -m pip install --quiet --target .venv/installer --require-hashes -r requirements/installer.lock \
		&& .venv/installer/bin/uv venv --quiet --allow-existing --no-python-downloads \
			--python "$$($(PYTHON3) -c 'import sys; print(sys.executable)')" .venv \
		&& mv .venv/installer/bin/uv .venv/bin/uv && rm -rf .venv/installer; \
	} >/dev/null 2>&1 || { \
		$(PYTHON3) -m venv --clear .venv >/dev/null \
		&& { $(PYTHON) -m pip install --quiet --require-hashes -r requirements/installer.lock || true; }; \
	} || { rm -rf .venv; echo >&2 "No virtual environment could be made. On Debian: apt-get install python3-venv"; exit 1; }
