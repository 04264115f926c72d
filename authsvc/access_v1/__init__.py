"""The second contract, `access.v1`: questions by the set on one stream, and the change feed."""

from authsvc.access_v1.grpc_api import AccessGrpc

__all__ = ["AccessGrpc"]
