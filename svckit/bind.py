"""Sockets to listen on, bound before anything else starts."""

import socket

from svckit.address import Address
from svckit.service import StartError

__all__ = ["BindError", "bind", "bound_address"]

UNREAD_TIMEOUT_MS = 20_000


class BindError(StartError):
    """An address cannot be listened on; the message says which and why."""


def bind(address: Address, *, variable: str) -> socket.socket:
    """A listening TCP socket. Raises BindError with the name of the setting that asked for it.

    Bound here because the servers would report a taken port late, or after half a start.
    """
    try:
        return _listen(address)
    except OSError as exc:
        raise BindError(f"{variable}: cannot listen on {address}: {exc.strerror or exc}") from exc


def _bound_unread(listener: socket.socket) -> None:
    """The system ends a connection whose client does not read what it asked for."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; connections inherit it from the listener
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_TIMEOUT_MS)


def bound_address(listener: socket.socket) -> Address:
    """Where it really listens: the port that the system chose when port 0 was asked for."""
    host, port = listener.getsockname()[:2]
    return Address(host, port)


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bound_unread(listener)
        listener.bind((address.host, address.port))
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
