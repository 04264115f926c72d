"""`python -m catalogsvc` runs Catalog alone."""

import sys

from svckit.__main__ import main

__all__: list[str] = []

sys.exit(main(["catalogsvc"]))
