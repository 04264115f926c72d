"""Private keys at rest: encrypted under the operator's secret, each bound to its key id.

AES-256-GCM, with a key that scrypt (RFC 7914) makes of the secret. Not the encrypted PKCS #8 that
PEM files use: it tells nothing of a wrong secret but by chance, binds the key to nothing, and the
library gives it 2,048 rounds of PBKDF2, which a phrase of 32 characters may not withstand.
Opening takes some 40 ms, on purpose: once a key, not once a token, and not on the event loop.
"""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

__all__ = ["WrongSecret", "seal", "unseal", "is_sealed", "reseal"]

PREFIX = "scrypt-a256gcm:"
SALT_BYTES = 16
NONCE_BYTES = 12


class WrongSecret(Exception):
    """There is no secret, it is another one, or the text was tampered with."""


def is_sealed(stored: str) -> bool:
    return stored.startswith(PREFIX)


def seal(pem: str, *, kid: str, secret: str) -> str:
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    sealed = _cipher(secret, salt).encrypt(nonce, pem.encode(), kid.encode())
    return PREFIX + base64.b64encode(salt + nonce + sealed).decode()


def unseal(stored: str, *, kid: str, secret: str | None) -> str:
    """The PEM text; what was never sealed is one. Raises WrongSecret."""
    if not is_sealed(stored):
        return stored
    if secret is None:
        raise WrongSecret
    try:
        raw = base64.b64decode(stored.removeprefix(PREFIX), validate=True)
        salt, nonce = raw[:SALT_BYTES], raw[SALT_BYTES : SALT_BYTES + NONCE_BYTES]
        sealed = raw[SALT_BYTES + NONCE_BYTES :]
        return _cipher(secret, salt).decrypt(nonce, sealed, kid.encode()).decode()
    except (InvalidTag, binascii.Error, ValueError) as exc:
        raise WrongSecret from exc


def reseal(stored: str, *, kid: str, secret: str | None, old_secret: str | None) -> str:
    """What should be stored instead: the same text if `secret` opens it. Raises WrongSecret."""
    if secret is not None and not is_sealed(stored):
        return seal(stored, kid=kid, secret=secret)
    try:
        unseal(stored, kid=kid, secret=secret)
    except WrongSecret:
        if secret is None or old_secret is None:
            raise
        return seal(unseal(stored, kid=kid, secret=old_secret), kid=kid, secret=secret)
    return stored


def _cipher(secret: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=2**14, r=8, p=1).derive(secret.encode()))
