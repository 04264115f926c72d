"""Auth's REST app: every endpoint it has, behind its door, with what operators look at."""

from starlette.types import ASGIApp

from authsvc.backend import Backend
from authsvc.door import Door
from authsvc.refusals import Refusals
from authsvc.rest_admin import admin_endpoints
from authsvc.rest_admin_door import by_token
from authsvc.rest_api import AuthRest
from authsvc.rest_auth import SessionsRest
from authsvc.rest_keys import KeysRest
from svckit.address import Address
from svckit.http_observe import ObserveHttp
from svckit.readiness import Readiness
from svckit.telemetry import Telemetry
from svckit.web import operated_app

__all__ = ["make_rest_app"]


def make_rest_app(
    backend: Backend,
    *,
    door: Door,
    refusals: Refusals,
    grpc_address: Address,
    telemetry: Telemetry,
    readiness: Readiness,
    timeout_s: float,
) -> ASGIApp:
    asked = AuthRest(backend.service, grpc_address=grpc_address, grpc_tls=door.own_tls)
    keys = KeysRest(backend.keys, max_age_s=backend.rotation.rules.max_age_s)
    sessions = SessionsRest(backend.service, backend.sessions, refusals)
    administered = admin_endpoints(
        backend.administration, identify=by_token(backend.service), refusals=refusals
    )
    own = (*asked.endpoints(), *keys.endpoints(), *sessions.endpoints(), *administered)
    app = operated_app(
        door.guarded(own),
        title="Portero Auth",
        telemetry=telemetry,
        readiness=readiness,
        timeout_s=timeout_s,
    )
    return ObserveHttp(app, telemetry)
