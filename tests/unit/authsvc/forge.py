"""Tokens no honest signer would make: any header and any payload, signed or not."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

__all__ = ["encode_part", "forge"]


def encode_part(value: Any) -> str:
    """base64url without padding; bytes as they are, anything else as JSON."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(header: Any, payload: Any, *, pem: str | None = None, signature: bytes = b"") -> str:
    """Signed by `pem` as its kind of key does it, whatever the header says.

    Without one, with these signature bytes.
    """
    signed = f"{encode_part(header)}.{encode_part(payload)}"
    if pem is not None:
        signature = _signature(pem, signed.encode())
    return f"{signed}.{encode_part(signature)}"


def _signature(pem: str, signed: bytes) -> bytes:
    match load_pem_private_key(pem.encode(), password=None):
        case ec.EllipticCurvePrivateKey() as key:
            r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        case ed25519.Ed25519PrivateKey() as key:
            return key.sign(signed)
        case rsa.RSAPrivateKey() as key:
            return key.sign(signed, padding.PKCS1v15(), SHA256())
        case other:
            raise AssertionError(other)
