# What one does with a checkout. `make` alone lists it.
# PORT=, HOST= and the other settings may follow any target, as in `make run PORT=9000`.

bin := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run demo migrate test check format schema bench bench-assessor bench-context chaos barrage web lock clean

help: ## List what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## Make or renew .venv (PYTHON=python3.12 chooses the interpreter); the others do this first
	@sh scripts/bootstrap.sh

run: setup ## Serve the API, with a database of its own unless DATABASE_URL is set
	@exec $(bin)/scriptorium serve

demo: setup ## Watch a chapter being written, without an API key
	@exec $(bin)/scriptorium demo

migrate: setup ## Bring the database up to date
	@$(bin)/scriptorium migrate

test: setup ## Run the tests (ARGS="-k budget -x" goes to pytest)
	@$(bin)/python -m pytest -n auto $(ARGS)

check: setup ## Lint, types, import rules, and whether schema.graphql is what the code says
	@$(bin)/ruff check .
	@$(bin)/ruff format --check --quiet . || { echo "Some files are not formatted: run 'make format'."; exit 1; }
	@$(bin)/mypy
	@$(bin)/lint-imports
	@$(bin)/scriptorium schema | diff -u schema.graphql - || \
		{ echo "schema.graphql is not what the code says: run 'make schema', and tell the change in CHANGELOG.md."; exit 1; }

format: setup ## Format the code, and mend what can be mended
	@$(bin)/ruff check --fix --quiet . ; $(bin)/ruff format .

schema: setup ## Write schema.graphql
	@mkdir -p build && $(bin)/scriptorium schema > build/schema.graphql && mv build/schema.graphql schema.graphql

bench: setup ## Measure (ARGS= goes to the benchmark)
	@$(bin)/python -m bench $(ARGS)

bench-assessor: setup ## Measure what the metrics find in chapters that were damaged on purpose, and what they cost
	@$(bin)/python -m bench.assessor $(ARGS)
	@$(bin)/python -m bench.assessor.speed

bench-context: BENCHMARK = $(DATA)/../../bench.py
bench-context: BUDGETS = 2000,4000,8000
bench-context: setup ## Measure the prompt optimizer on a context benchmark's data (DATA=folder; BENCHMARK=its scorer, BUDGETS=8000)
	@test -n "$(DATA)" || { echo "Say where the data is: make bench-context DATA=folder"; exit 1; }
	@mkdir -p build/context
	@python3 "$(BENCHMARK)" materialize --data "$(DATA)" --out build/context --budgets $(BUDGETS)
	@python3 "$(BENCHMARK)" run --work build/context --answers build/context/answers.jsonl --repeat 2 -- $(bin)/python -m bench.context
	@python3 "$(BENCHMARK)" score --data "$(DATA)" --work build/context --answers build/context/answers.jsonl --json build/context/result.json

chaos: SEED = 1
chaos: RUNS = 100
chaos: setup ## Kill, freeze and restart everything under load, then audit what is left (SEED=7 RUNS=500)
	@$(bin)/python -m tests.reliability.chaos --seed $(SEED) --runs $(RUNS)

barrage: SEED = 1
barrage: OPERATIONS = 10000
barrage: setup ## Send operations that are meant badly, and see that each is answered well (SEED=7 OPERATIONS=1000)
	@$(bin)/python -m tests.security --seed $(SEED) --operations $(OPERATIONS)

web: ## Build the pages in web/ (needs Node)
	@cd web && npm ci --no-fund --no-audit && npm run build

# No addresses in what this writes: they would shut out whoever has a mirror. What is locked stays, unless it has to change.
compile := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links $(ARGS)
lock: export UV_PYTHON_DOWNLOADS = never
lock: export UV_SYSTEM_CERTS = 1
lock: ## Renew requirements.lock and scripts/uv.lock.txt (needs uv; ARGS=--upgrade takes what is new)
	@command -v uv >/dev/null || { echo "Install uv first, for example by: python3 -m pip install uv"; exit 1; }
	@$(compile) pyproject.toml --group dev --output-file requirements.lock >/dev/null
	@echo uv | $(compile) - --output-file scripts/uv.lock.txt >/dev/null

clean: ## Remove what make made, except what you wrote: the database stays in .data
	@rm -rf .venv .tools build scriptorium.egg-info web/node_modules
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
