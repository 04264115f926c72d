"""Addresses to listen on, and sockets bound before anything else starts."""

import ipaddress
import socket
from dataclasses import dataclass

from svckit.service import StartError

__all__ = ["Address", "BindError", "bind"]


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
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not host or not port.isascii() or not port.isdigit():
            raise ValueError(f"{text!r} is not host:port")
        if int(port) > 65535:
            raise ValueError(f"port {port} is above 65535")
        return cls(host, int(port))

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
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(1024)
    except OSError as exc:
        listener.close()
        raise BindError(f"{variable}: cannot listen on {address}: {exc.strerror or exc}") from exc
    listener.setblocking(False)
    return listener
