# Recipes of Portero. `./dev RECIPE` runs them without an installed `just`.

export PATH := justfile_directory() / ".venv/bin:" + env("PATH")
export PYTHONPATH := ""

[private]
default:
    @just --list --unsorted

[private]
set-up:
    @./dev --set-up-only

# start Auth and Catalog on one event loop, with demo data
run:
    @exec ./dev run

# tell the whole story with real processes, and check each line of it
demo: set-up
    python -m tests.demo

# run every test, measuring coverage
test *args: set-up
    pytest --numprocesses=auto --cov --cov-report= {{ args }}

# all that must be green before a change lands
ci: checks test cover

[private]
checks: fmt-check lint types check-generated

# write the generated code and the descriptor set from proto/
generate out="generated": set-up
    python -m grpc_tools.protoc -I proto --python_betterproto_out={{ out }} \
        --include_imports --descriptor_set_out={{ out }}/portero.binpb $(find proto -name "*.proto" | sort)

# fail when the contract or the generated code changed
check-generated: set-up
    buf lint
    buf breaking proto --against tests/contract/wire/first.binpb
    rm -rf .generated && mkdir .generated
    just generate .generated
    diff -r -x __pycache__ .generated generated
    rm -r .generated

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

# require the coverage of the last test run (of cores, which say "Pure.", all)
cover: set-up
    coverage report --fail-under=98
    coverage report --fail-under=100 --include="$(grep -rl --include='*.py' 'Pure\.' svckit authsvc catalogsvc | paste -sd, -)"

# measure Portero against grpc.aio, both in one run; `just bench quick` takes under two minutes
bench *args: set-up
    python -m bench {{ args }}

# search a thousand seeds of simulated faults for a stale yes
simulate *args="--seeds 1000": set-up
    python -m tests.simulation {{ args }}

# pin all dependencies, with hashes
lock: set-up
    uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --all-extras --group dev \
        --upgrade --output-file requirements.lock pyproject.toml
