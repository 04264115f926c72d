"""Which services may ask Auth, and what. Pure."""

from collections.abc import Sequence

from svckit.caller_lists import read_client_names, read_service_keys, read_service_rpcs
from svckit.callers import Callers

__all__ = ["RPCS", "read_callers"]

# Where both contracts ask the same, they ask it by one name, and a service may ask both or neither.
RPCS = (
    *("ValidateLocal", "CheckLocals", "BatchCheckLocals", "VerifyToken", "GetUserPermissions"),
    *("Watch", "ListUserLocals", "ListLocalUsers", "ExplainAccess"),
)


def read_callers(
    *,
    service_keys: Sequence[str],
    tls_client_names: Sequence[str],
    service_rpcs: Sequence[str],
) -> Callers:
    """From the settings of these names. Raises ValueError("setting: why"), without any key."""
    setting = "service_keys"
    try:
        keys = read_service_keys(service_keys)
        setting = "tls_client_names"
        certificates = read_client_names(tls_client_names)
        setting = "service_rpcs"
        services = {*(key.name for key in keys), *certificates.values()}
        rpcs = read_service_rpcs(service_rpcs, services=services, rpcs=RPCS)
    except ValueError as exc:
        raise ValueError(f"{setting}: {exc}") from None
    return Callers(keys=keys, certificates=certificates, rpcs=rpcs)
