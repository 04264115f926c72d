"""Between the words of the service and the messages of `auth.proto`."""

from importlib.resources import files

from google.protobuf import descriptor_pool

from authsvc.decision import Verdict
from authsvc.model import LocalQuery
from authsvc.service import Identity
from authsvc.tokens import BadToken
from generated.auth import ValidateLocalRequest, ValidateLocalResponse, VerifyTokenResponse
from svckit.codec import ProtobufCodec

__all__ = ["open_codec", "query_of", "verdict_message", "identity_message", "bad_token_message"]


def open_codec() -> ProtobufCodec:
    """Its descriptors go into protobuf's default pool, where reflection looks for them."""
    descriptor_set = files("generated").joinpath("portero.binpb").read_bytes()
    return ProtobufCodec(descriptor_set, root="generated", pool=descriptor_pool.Default())


def query_of(request: ValidateLocalRequest) -> LocalQuery:
    """Raises InvalidRequest."""
    return LocalQuery(
        user_id=request.user_id,
        organization_id=request.organization_id,
        local_id=request.local_id,
    )


def verdict_message(verdict: Verdict) -> ValidateLocalResponse:
    return ValidateLocalResponse(
        is_valid=verdict.is_valid,
        local_name=verdict.local_name,
        error_message="" if verdict.is_valid else verdict.reason,
    )


def identity_message(identity: Identity) -> VerifyTokenResponse:
    return VerifyTokenResponse(
        is_valid=True,
        user_id=identity.user_id,
        organization_id=identity.organization_id,
        permissions=list(identity.permissions),
    )


def bad_token_message(bad: BadToken) -> VerifyTokenResponse:
    return VerifyTokenResponse(is_valid=False, error_message=bad.reason)
