# Every target sets up what it needs in .venv: Python 3.11 to 3.13 and make are enough.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
SERVICES := $(BIN)/python -m tests.kit.services

.DEFAULT_GOAL := help
.PHONY: help demo test test-sqlite test-services run check docs bench prod-local lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(READY): requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and "Python 3.11 to 3.13 is needed")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	touch $@

demo: $(READY) ## Three nodes do the main job end to end (LOCATIONS=FILE for a real register)
	$(BIN)/python manage.py demo

# More processes than cores, for many tests wait for sockets; who is done takes over from others.
PYTEST = $(BIN)/pytest -q -n 3 --dist worksteal --durations=20

test: test-sqlite test-services ## All tests, on SQLite and on PostgreSQL with Redis

# What PostgreSQL tries harder than SQLite is tested there, if it is installed.
THERE = tests/ocpi/test_hostile_input.py tests/ocpi/express tests/roaming/hub tests/roaming/authorization \
	tests/roaming/settling tests/cpo_backend/owning tests/cpo_backend/simulating \
	tests/flows/test_a_hub_among_bad_partners.py tests/roaming/delivery/test_acknowledged.py \
	tests/roaming/auditing tests/roaming/commands/test_sending.py \
	$(addprefix tests/cpo_backend/,ocpp/test_commands.py ocpp/test_connection.py operations/test_operations.py \
	power/test_flow.py power/test_site.py registry/test_boots.py remote/test_start_and_stop.py \
	reserving/test_reservations.py status/test_live_status.py \
	$(addprefix transactions/test_,storm.py v16.py v201.py))

test-sqlite: $(READY)
	env -u DATABASE_URL -u REDIS_URL $(PYTEST) $$($(SERVICES) check && echo $(addprefix --ignore=,$(THERE)))

# Pages of staff, but of what is tested on PostgreSQL alone.
ADMIN = $(filter-out $(addsuffix /%,$(THERE)),$(wildcard tests/*/test_*admin*.py tests/*/*/test_*admin*.py))

# What needs no database, brings its own or takes long with any is tested once.
ONCE = tests/flows/test_faults.py $(addprefix tests/config/test_,doctor.py embedded.py) tests/kit tests/ocpi/api \
	tests/ocpi/test_token_files.py tests/roaming/conformance \
	$(ADMIN) tests/ocpi/accounts tests/ocpi/client tests/ocpi/pricing tests/ocpi/transport tests/ocpi/types \
	tests/ocpi/v221 tests/cpo_backend/register $(addprefix tests/cpo_backend/ocpp/test_,frames.py handshake.py wire.py) \
	$(addprefix tests/cpo_backend/power/test_,merging.py never_above.py sharing.py) \
	tests/cpo_backend/status/test_judging.py tests/cpo_backend/transactions/test_energy.py \
	tests/cpo_backend/transactions/test_readings.py

# A cluster for each process: the transactions of a second one in the same cluster would hold back the change feed.
test-services: $(READY)
	@if $(SERVICES) check; then env -u DATABASE_URL -u REDIS_URL $(SERVICES) run --clusters 3 -- \
		$(PYTEST) $(addprefix --ignore=,$(ONCE)); \
	else echo "!! PostgreSQL and Redis are not installed: tested on SQLite only" >&2; fi

run: $(READY) ## The embedded node on 127.0.0.1:8000
	$(BIN)/python manage.py runnode

check: $(READY) ## Lint, types, import contracts, Django's checks, missing migrations, OpenAPI drift, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DEBUG=0 NODE_URL=https://node.example.org SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_hex(40))') \
	FIELD_KEYS=$$($(BIN)/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())') \
	ALLOWED_HOSTS=node.example.org SECURE_SSL_REDIRECT=1 METRICS_TOKEN=any $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py spectacular --validate --fail-on-warn | diff -u docs/openapi.yaml - \
	|| { echo "the OpenAPI document has drifted: make docs" >&2; exit 1; }
	$(MAKE) test

docs: $(READY) ## Write what is generated: docs/openapi.yaml, docs/conformance.md
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
	$(BIN)/python -m tests.conformance

bench: $(READY) ## Benchmarks against references started in the same run; ratios, also as JSON in bench-results/
	env -u DATABASE_URL -u REDIS_URL $(SERVICES) run --durable -- $(BIN)/python -m tests.bench

prod-local: $(READY) ## The Procfile under honcho on PostgreSQL and Redis (private ones unless configured)
	$(SERVICES) run --durable -- sh -c '$(BIN)/python manage.py migrate -v 0 && exec $(BIN)/honcho start --port $${PORT:-8000}'

lock: ## Resolve requirements*.in again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		requirements.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		-c requirements.txt requirements-dev.in -o requirements-dev.txt

clean: ## Forget the virtual environment and all local state
	rm -rf .venv var bench-results
