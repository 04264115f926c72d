"""The public keys over REST, for verifiers elsewhere (RFC 7517). Open to everyone."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from authsvc.keys import Keys
from svckit.errors import DeadlineExceeded, Unavailable
from svckit.rest import Endpoint

__all__ = ["KeysRest"]


class KeySet(msgspec.Struct, frozen=True, kw_only=True):
    keys: Sequence[Mapping[str, str]]


class KeysRest:
    """`max_age_s`: how long a verifier may keep the answer, and not meet a key it does not know."""

    def __init__(self, keys: Keys, *, max_age_s: int) -> None:
        self._keys = keys
        self._max_age_s = max_age_s

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint(
                method="GET",
                path="/.well-known/jwks.json",
                summary="Which public keys verify tokens?",
                answer=self.key_set,
                result=KeySet,
                failures=(Unavailable, DeadlineExceeded),
            ),
        )

    async def key_set(self, request: Request) -> Response:
        published = sorted(await self._keys.published(), key=lambda key: key.kid)
        body = msgspec.json.encode(KeySet(keys=[key.jwk() for key in published]))
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        headers = {"cache-control": f"public, max-age={self._max_age_s}", "etag": etag}
        if etag in _tags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")


def _tags(if_none_match: str) -> set[str]:
    """RFC 9110, section 13.1.2: a weak tag does as well here."""
    return {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
