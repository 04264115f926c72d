"""Which service is calling, by what it shows of itself, and which RPCs it may call. Pure.

A certificate has been verified by TLS before its names come here.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from svckit.errors import Forbidden, Unauthenticated

__all__ = [
    "Callers",
    "Credential",
    "ServiceKey",
    "UnknownCaller",
    "LimitedCaller",
    "certificate_names",
    "KEY_HEADER",
]

KEY_HEADER = "x-service-key"  # over gRPC as metadata; a bearer token is a user's


class UnknownCaller(Unauthenticated):
    """No known service shows such a credential. `reason` is for our log alone."""

    challenge = "ServiceKey"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"this needs a service's credential: a key in {KEY_HEADER}, or a client certificate"
        )
        self.reason = reason


class LimitedCaller(Forbidden):
    """The service `name` is known, and may not call this. `reason` is for our log alone."""

    def __init__(self, name: str, rpc: str) -> None:
        super().__init__(f"this service may not call {rpc}")
        self.name = name
        self.reason = f"{name} may not call {rpc}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKey:
    """One key of the service `name`, of which only the SHA-256 is kept."""

    name: str
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, name: str, key: str) -> "ServiceKey":
        return cls(name=name, digest=_digest(key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a caller shows: the key it sent, if any, and its verified certificate's names.

    Keys that were sent several times are joined by commas, as HTTP has it, and so are no key.
    """

    key: str | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()


class Callers:
    """`certificates` tells whose a certificate's name is, as `certificate_names` spells it.

    A service without an entry in `rpcs` may call all of them.
    """

    __slots__ = ("_certificates", "_keys", "_rpcs")

    def __init__(
        self,
        *,
        keys: Sequence[ServiceKey] = (),
        certificates: Mapping[str, str],
        rpcs: Mapping[str, frozenset[str]],
    ) -> None:
        self._keys = tuple(keys)
        self._certificates = dict(certificates)
        self._rpcs = dict(rpcs)

    def __bool__(self) -> bool:
        """Whether anyone is known: if not, there is no telling callers apart."""
        return bool(self._keys or self._certificates)

    def name_of(self, shown: Credential) -> str:
        """The calling service. Raises UnknownCaller.

        A key counts before a certificate: a wrong one is refused whatever else is shown.
        """
        if shown.key is not None:
            return self._owner_of(shown.key)
        if not shown.names:
            raise UnknownCaller("no credential")
        named = {self._certificates[name] for name in shown.names if name in self._certificates}
        if len(named) != 1:
            raise UnknownCaller(
                "a certificate of several services" if named else "unknown certificate"
            )
        return named.pop()

    def check_may_call(self, name: str, rpc: str) -> None:
        """Raises LimitedCaller."""
        allowed = self._rpcs.get(name)
        if allowed is not None and rpc not in allowed:
            raise LimitedCaller(name, rpc)

    def _owner_of(self, key: str) -> str:
        digest, owner = _digest(key), ""
        for known in self._keys:
            # To the end of the list: when it ends must not tell how far a guess came.
            if hmac.compare_digest(digest, known.digest):
                owner = known.name
        if not owner:
            raise UnknownCaller("unknown key")
        return owner


def certificate_names(certificate: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Of what `SSLObject.getpeercert` gives: "DNS:catalog.internal", "URI:spiffe://portero/a"."""
    alternatives = (certificate or {}).get("subjectAltName", ())
    return tuple(
        # Host names are the same in any case (RFC 4343); URIs are not.
        f"DNS:{name.lower()}" if kind == "DNS" else f"URI:{name}"
        for kind, name in alternatives
        if kind in ("DNS", "URI")
    )


def _digest(key: str) -> bytes:
    # What arrived is not always UTF-8; whatever it is, it is no key.
    return sha256(key.encode("utf-8", "surrogatepass")).digest()
