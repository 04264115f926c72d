"""Addresses to listen on, and sockets bound before anything else starts."""

import ipaddress
import re
import socket
from dataclasses import dataclass

from svckit.service import StartError

__all__ = ["Address", "BindError", "bind", "bound_address"]

# Brackets tell an IPv6 host from its port: "::1:80" alone could be read in two ways.
_HOST_PORT = re.compile(
    r"(?:\[(?P<ipv6>[\w.%-]*:[\w.:%-]*)\]|(?P<name>[\w.-]+)):(?P<port>[0-9]{1,5})", re.ASCII
)


class BindError(StartError):
    """An address cannot be listened on; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Address:
    """`host:port`, an IPv6 host in brackets; port 0 asks the system for a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Raises ValueError when `text` is not host:port."""
        match = _HOST_PORT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not host:port")
        host, port = match["ipv6"] or match["name"], int(match["port"])
        if port > 65535:
            raise ValueError(f"port {port} is above 65535")
        return cls(host, port)

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def bind(address: Address, *, variable: str) -> socket.socket:
    """A listening TCP socket. Raises BindError with the name of the setting that asked for it.

    Bound here because the servers would report a taken port late, or after half a start.
    """
    try:
        return _listen(address)
    except OSError as exc:
        raise BindError(f"{variable}: cannot listen on {address}: {exc.strerror or exc}") from exc


def bound_address(listener: socket.socket) -> Address:
    """Where it really listens: the port that the system chose when port 0 was asked for."""
    host, port = listener.getsockname()[:2]
    return Address(host, port)


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
