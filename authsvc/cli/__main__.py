"""`python -m authsvc.cli` is `authctl`."""

from authsvc.cli import main

__all__: list[str] = []

main()
