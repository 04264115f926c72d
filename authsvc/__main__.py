"""`python -m authsvc` runs Auth alone."""

from svckit.run import run

__all__: list[str] = []

run(["authsvc"])
