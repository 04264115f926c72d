"""Telemetry names in one place: OpenTelemetry's own where it has one, ours where it has none.

Written out, because OpenTelemetry keeps half of them in modules it declares unstable; a test
compares the two. Pure.
"""

__all__ = [
    "SERVICE_NAME",
    "SERVICE_NAMESPACE",
    "RPC_SYSTEM_NAME",
    "RPC_METHOD",
    "RPC_RESPONSE_STATUS_CODE",
    "ERROR_TYPE",
    "NETWORK_PROTOCOL_NAME",
    "SERVER_ADDRESS",
    "HTTP_REQUEST_METHOD",
    "HTTP_RESPONSE_STATUS_CODE",
    "HTTP_ROUTE",
    "URL_SCHEME",
    "DB_SYSTEM_NAME",
    "DB_OPERATION_NAME",
    "DB_QUERY_TEXT",
    "GRPC_REQUEST_DURATION",
    "GRPC_REQUESTS",
    "GRPC_ERRORS",
    "HTTP_REQUEST_DURATION",
    "HTTP_REQUESTS",
    "DURATION_BUCKETS_S",
]

# Spans and their resource.
SERVICE_NAME = "service.name"
SERVICE_NAMESPACE = "service.namespace"
RPC_SYSTEM_NAME = "rpc.system.name"
RPC_METHOD = "rpc.method"
RPC_RESPONSE_STATUS_CODE = "rpc.response.status_code"
ERROR_TYPE = "error.type"
NETWORK_PROTOCOL_NAME = "network.protocol.name"
SERVER_ADDRESS = "server.address"
HTTP_REQUEST_METHOD = "http.request.method"
HTTP_RESPONSE_STATUS_CODE = "http.response.status_code"
HTTP_ROUTE = "http.route"
URL_SCHEME = "url.scheme"
DB_SYSTEM_NAME = "db.system.name"
DB_OPERATION_NAME = "db.operation.name"
DB_QUERY_TEXT = "db.query.text"

# Prometheus metrics.
GRPC_REQUEST_DURATION = "grpc_request_duration_seconds"
GRPC_REQUESTS = "grpc_requests_total"
GRPC_ERRORS = "grpc_errors_total"
HTTP_REQUEST_DURATION = "http_request_duration_seconds"
HTTP_REQUESTS = "http_requests_total"
DURATION_BUCKETS_S = (
    *(0.0005, 0.001, 0.002, 0.005),
    *(0.01, 0.02, 0.05),
    *(0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0),
)
