"""What the tokens rely on in PyJWT, so that an upgrade cannot surprise us."""

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

KEY = ec.generate_private_key(ec.SECP256R1())
OPTIONS: jwt.types.Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}


def token(**claims: object) -> str:
    return jwt.encode(dict(claims), KEY, algorithm="ES256")


def decode(text: str, options: jwt.types.Options = OPTIONS) -> dict[str, object]:
    return jwt.decode(text, KEY.public_key(), algorithms=["ES256"], options=options)


def test_expiry_is_optional_unless_required() -> None:
    assert decode(token(a=1)) == {"a": 1}
    with pytest.raises(jwt.MissingRequiredClaimError):
        decode(token(a=1), {**OPTIONS, "require": ["exp"]})


def test_a_required_claim_may_not_be_null() -> None:
    with pytest.raises(jwt.MissingRequiredClaimError):
        decode(token(exp=None), {**OPTIONS, "require": ["exp"]})


def test_times_are_left_to_us_when_their_checks_are_off() -> None:
    # Our own checks take the time as an argument, and bear with any type until they refuse it.
    assert decode(token(exp=0, nbf=2**40, iat=2**40))["exp"] == 0
    assert decode(token(exp="soon"))["exp"] == "soon"


def test_an_issuer_is_compared_whole() -> None:
    # CVE-2024-53861: 2.10.0 took any part of the issuer's name for it.
    with pytest.raises(jwt.InvalidIssuerError):
        jwt.decode(
            token(iss="port"),
            KEY.public_key(),
            algorithms=["ES256"],
            issuer="portero",
            options=OPTIONS,
        )


def test_base64_is_read_strictly_padding_bits_included() -> None:
    text = token(a=1)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    accepted = [last for last in alphabet if is_accepted(text[:-1] + last)]

    assert accepted == [text[-1]]
    assert not any(is_accepted(text + char) for char in "\n !=A")


def is_accepted(text: str) -> bool:
    try:
        decode(text)
    except jwt.InvalidTokenError:
        return False
    return True


def test_only_the_algorithms_that_are_named_are_tried() -> None:
    unsigned = jwt.encode({"a": 1}, "", algorithm="none")

    with pytest.raises(jwt.InvalidAlgorithmError):
        decode(unsigned)


def test_nesting_without_end_is_a_decode_error() -> None:
    bomb = jwt.utils.base64url_encode(b"[" * 100_000).decode()

    with pytest.raises(jwt.DecodeError):
        jwt.get_unverified_header(f"{bomb}.e30.AA")


def test_the_reading_of_a_payload_can_be_replaced_and_comes_after_the_signature() -> None:
    read: list[bytes] = []

    class Reading(jwt.PyJWT):
        def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
            read.append(decoded["payload"])
            return {"b": 2}

    text, other = token(a=1), ec.generate_private_key(ec.SECP256R1()).public_key()
    good = Reading().decode(text, KEY.public_key(), algorithms=["ES256"], options=OPTIONS)
    with pytest.raises(jwt.InvalidSignatureError):
        Reading().decode(text, other, algorithms=["ES256"], options=OPTIONS)

    assert good == {"b": 2}
    assert read == [b'{"a":1}']


def test_of_a_name_given_twice_the_last_is_believed_unless_we_read_it_ourselves() -> None:
    signed = jwt.PyJWS().encode(b'{"a":1,"a":2}', KEY, algorithm="ES256")

    assert decode(signed) == {"a": 2}
