"""An address to listen on or to connect to. Pure."""

import ipaddress
import re
from dataclasses import dataclass

__all__ = ["Address"]

# Brackets tell an IPv6 host from its port: "::1:80" alone could be read in two ways.
HOST_PORT = re.compile(
    r"(?:\[(?P<ipv6>[\w.%-]*:[\w.:%-]*)\]|(?P<name>[\w.-]+)):(?P<port>[0-9]{1,5})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Address:
    """`host:port`, an IPv6 host in brackets; port 0 asks the system for a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Raises ValueError when `text` is not host:port."""
        match = HOST_PORT.fullmatch(text)
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
