"""Tokens no honest signer would make: any header and any payload, signed or not."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

__all__ = ["encode_part", "forge"]


def encode_part(value: Any) -> str:
    """base64url without padding; bytes as they are, anything else as JSON."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(header: Any, payload: Any, *, pem: str | None = None, signature: bytes = b"") -> str:
    """Signed as ES256 by `pem`, whatever the header says; else with these signature bytes."""
    signed = f"{encode_part(header)}.{encode_part(payload)}"
    if pem is not None:
        key = load_pem_private_key(pem.encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{signed}.{encode_part(signature)}"
