"""`python -m svckit authsvc catalogsvc`: any number of services on one uvloop event loop."""

import sys

from svckit.run import run

__all__: list[str] = []

run(sys.argv[1:])
