"""`authctl`: what an operator does to Auth's database, from a terminal."""

from authsvc.cli.commands import main

__all__ = ["main"]
