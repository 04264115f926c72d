# Recipes of Portero. `./dev RECIPE` runs them without an installed `just`.

export PATH := justfile_directory() / ".venv/bin:" + env("PATH")
export PYTHONPATH := ""

# list the recipes
default:
    @just --list --unsorted

[private]
set-up:
    @./dev --set-up-only

# start Auth and Catalog on one event loop, with demo data
run: set-up
    @AUTH_DEMO=yes CATALOG_DEMO=yes exec python -m svckit authsvc catalogsvc

# tell the whole story with real processes, and check each line of it
demo: set-up
    python -m tests.demo

# run every test
test *args: set-up
    pytest {{args}}

# all that must be green before a change lands
ci: fmt-check lint types check-generated cover

# write the generated code and the descriptor set from proto/
generate: set-up
    python -m grpc_tools.protoc -I proto \
        --python_betterproto_out=generated \
        --include_imports --descriptor_set_out=generated/portero.binpb \
        proto/*.proto

# fail when `just generate` would change anything
check-generated: set-up
    buf lint
    python scripts/check_generated.py

# format the code
fmt: set-up
    ruff format .
    ruff check --fix-only --quiet .

[private]
fmt-check: set-up
    ruff format --check .

# look for mistakes in style and imports
lint: set-up
    ruff check .

# check the types, strictly
types: set-up
    mypy

# run every test and require the coverage
cover: set-up
    pytest --cov --cov-report=term {{ if env("CI", "") == "" { "" } else { "" } }}

# pin all dependencies, with hashes
lock: set-up
    uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --all-extras --group dev \
        --upgrade --output-file requirements.lock pyproject.toml
