"""`python -m authsvc` runs Auth alone."""

import sys

from svckit.run import main

__all__: list[str] = []

sys.exit(main(["authsvc"]))
