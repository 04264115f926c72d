"""What each call to Auth carries, and what of it can be seen."""

from catalogsvc.authz.credential import open_tls, show_key
from catalogsvc.authz.settings import AuthClientSettings
from svckit.callers import KEY_HEADER
from svckit.interceptors import client_interceptors
from svckit.rpc import RpcCall, run_intercepted
from tests.unit.svckit.seen import Seen

KEY = "canary-" + "k" * 32


async def test_each_call_carries_the_key_and_neither_log_nor_trace_has_it() -> None:
    seen = Seen()
    call = RpcCall(method="auth.AuthService/ValidateLocal", side="client")

    async def leave() -> None:
        assert call.metadata[KEY_HEADER] == KEY

    await run_intercepted((*client_interceptors(seen.telemetry), show_key(KEY)), call, leave)

    said = repr((seen.capture.entries, [span.to_json() for span in seen.spans], call))
    assert "canary" not in said


def test_without_an_authority_there_is_no_tls() -> None:
    settings = AuthClientSettings(grpc_targets=("127.0.0.1:50051",))

    log = Seen().telemetry.log
    assert open_tls(settings, protocol="h2", log=log, clock=lambda: 0.0) is None
