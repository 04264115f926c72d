"""What a database can fail with, said in our words: before the start, and while running."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from svckit.errors import Conflict, InvalidRequest, Unavailable
from svckit.service import StartError

__all__ = ["DatabaseError", "start_failures", "naming", "outages", "shown"]

# No one answered, whatever the reason; refused connections and our own timeouts are OSErrors.
OUTAGES = (DBAPIError, PoolTimeoutError, OSError)


class DatabaseError(StartError):
    """The database cannot be used as asked; names the problem and the URL without its password."""


@contextmanager
def start_failures(url: URL) -> Iterator[None]:
    """What a first contact can fail with becomes DatabaseError."""
    try:
        yield
    except Unavailable as exc:  # it has been through `outages`
        raise DatabaseError(f"cannot use {shown(url)}: {_reason(exc.__cause__ or exc)}") from exc
    except (*OUTAGES, ArgumentError, ValueError) as exc:
        raise DatabaseError(f"cannot open {shown(url)}: {_reason(exc)}") from exc


@contextmanager
def naming(variable: str) -> Iterator[None]:
    """DatabaseError says which setting holds the URL."""
    try:
        yield
    except DatabaseError as exc:
        raise DatabaseError(f"{variable}: {exc}") from exc


@contextmanager
def outages() -> Iterator[None]:
    """Whose fault a failed statement is: Conflict, InvalidRequest, else Unavailable.

    A cancellation passes.
    """
    try:
        yield
    except IntegrityError as exc:
        raise Conflict("the change contradicts what is stored") from exc
    except DataError as exc:
        raise InvalidRequest("a value cannot be stored") from exc
    except OUTAGES as exc:
        raise Unavailable("the database does not answer") from exc


def shown(url: URL) -> str:
    """The URL as an operator may see it."""
    return url.render_as_string(hide_password=True).replace("%2F", "/")


def _reason(exc: BaseException) -> str:
    if isinstance(exc, DBAPIError) and exc.orig is not None:
        # The driver's own words, without what SQLAlchemy wraps around them.
        exc = exc.orig.__cause__ or exc.orig
    if isinstance(exc, TimeoutError | PoolTimeoutError):
        return "no answer in time"
    if isinstance(exc, OSError) and exc.strerror:
        return exc.strerror
    return str(exc).partition("\n")[0] or type(exc).__name__
