"""`python -m catalogsvc` runs Catalog alone."""

from svckit.run import run

__all__: list[str] = []

run(["catalogsvc"])
