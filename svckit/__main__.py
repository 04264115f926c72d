"""`python -m svckit authsvc catalogsvc`: any number of services on one uvloop event loop."""

import signal
import sys
from typing import NoReturn

__all__: list[str] = []


def leave(_number: int, _frame: object) -> NoReturn:
    sys.exit(0)


# Before the imports, which take a second: who thinks better of it meanwhile leaves cleanly too.
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, leave)

from svckit.run import main  # noqa: E402 # see above

sys.exit(main(sys.argv[1:]))
