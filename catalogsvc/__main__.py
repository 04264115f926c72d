"""`python -m catalogsvc` runs Catalog alone."""

import sys

from svckit.run import main

__all__: list[str] = []

sys.exit(main(["catalogsvc"]))
