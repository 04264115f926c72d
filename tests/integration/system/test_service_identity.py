"""Who may ask Auth, over real sockets: services with a key or a certificate, and nobody else."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from catalogsvc.authz import (
    AuthClientSettings,
    AuthUnavailable,
    CredentialRefused,
    UnknownUser,
)
from svckit.callers import KEY_HEADER
from svckit.grpc_health import Health, check_health
from svckit.tls import own_port_tls
from tests.certificates import Authority, Pem
from tests.integration.svckit.serving import wait_until
from tests.integration.system.closed_auth import (
    KEY,
    OTHER_KEY,
    SAN,
    Closed,
    Papers,
    allowed,
    asking,
    grpc_alone,
    rest_alone,
)
from tests.unit.svckit.seen import Seen

KEYS = {"AUTH_SERVICE_KEYS": f"catalog:{KEY}, billing:{OTHER_KEY}"}
HOUR = datetime.timedelta(hours=1)
UNTIL = datetime.timedelta(seconds=-1)
OPEN = ("/livez", "/readyz", "/metrics", "/openapi.json", "/health/grpc")
WIRES = pytest.mark.parametrize("by", [grpc_alone, rest_alone])

By = Callable[[AuthClientSettings], AuthClientSettings]


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path / "papers")


async def refusal(settings: AuthClientSettings) -> AuthUnavailable:
    async with asking(settings) as client:
        with pytest.raises(AuthUnavailable) as caught:
            await allowed(client)
        return caught.value


@WIRES
async def test_a_service_with_a_key_is_answered(tmp_path: Path, by: By) -> None:
    async with (
        Closed.serve(tmp_path, KEYS) as auth,
        asking(by(auth.settings(service_key=KEY))) as client,
    ):
        assert await allowed(client)
        with pytest.raises(UnknownUser):
            await client.get_user_permissions(user_id="stranger")


async def test_the_feed_is_followed_with_a_key(tmp_path: Path) -> None:
    async with (
        Closed.serve(tmp_path, KEYS) as auth,
        asking(auth.settings(service_key=KEY)) as client,
    ):
        await wait_until(lambda: client.snapshot().is_leased)


@WIRES
@pytest.mark.parametrize("key", ["", OTHER_KEY.swapcase(), KEY[:-1] + "8"])
async def test_a_service_with_no_key_or_a_wrong_one_is_refused(
    tmp_path: Path, by: By, key: str
) -> None:
    async with Closed.serve(tmp_path, KEYS) as auth:
        refused = await refusal(by(auth.settings(service_key=key)))

    assert isinstance(refused, CredentialRefused)


@WIRES
async def test_a_service_may_call_no_more_than_it_was_given(tmp_path: Path, by: By) -> None:
    given = {**KEYS, "AUTH_SERVICE_RPCS": "billing:GetUserPermissions"}
    async with Closed.serve(tmp_path, given) as auth:
        async with asking(by(auth.settings(service_key=OTHER_KEY))) as client:
            assert await client.get_user_permissions(user_id="ana")
            with pytest.raises(CredentialRefused):
                await allowed(client)
        async with asking(by(auth.settings(service_key=KEY))) as client:
            assert await allowed(client)


async def test_a_refusal_opens_no_breaker_and_is_said_once(tmp_path: Path) -> None:
    seen = Seen()
    async with (
        Closed.serve(tmp_path, KEYS) as auth,
        asking(auth.settings(service_key=OTHER_KEY[::-1]), seen) as client,
    ):
        for _ in range(20):
            with pytest.raises(CredentialRefused):
                await allowed(client)
        await wait_until(lambda: seen.lines("auth_feed_lost") != [])
        states = set(client.snapshot().breakers.values())

    assert states == {"CLOSED"}
    (line,) = seen.lines("auth_refuses_us")
    assert line["target"] == f"grpc://{auth.grpc}"
    assert [line["error"] for line in seen.lines("auth_feed_lost")] == ["REFUSED"]
    assert OTHER_KEY[::-1] not in repr(seen.capture.entries)


async def test_health_and_what_operators_ask_stay_open(tmp_path: Path, papers: Papers) -> None:
    async with (
        Closed.serve(tmp_path, {**KEYS, **papers.mtls}) as auth,
        aiohttp.ClientSession() as http,
    ):
        statuses = {}
        for path in OPEN:
            async with http.get(auth.url + path, ssl=False) as answer:
                statuses[path] = answer.status
        health = await check_health(auth.grpc, timeout_s=5, tls=own_port_tls())

    assert statuses == dict.fromkeys(OPEN, 200)
    assert health is Health.SERVING


async def test_every_internal_endpoint_asks_for_a_credential(tmp_path: Path) -> None:
    internal = (
        ("GET", "/api/v1/locals/l1/validate"),
        ("POST", "/api/v1/locals/validate"),
        ("POST", "/api/v1/tokens/verify"),
        ("GET", "/api/v1/users/u1/permissions"),
        ("GET", "/api/v1/users/u1/locals"),
        ("GET", "/api/v1/locals/l1/users"),
        ("GET", "/api/v1/explain"),
    )
    async with Closed.serve(tmp_path, KEYS) as auth, aiohttp.ClientSession() as http:
        for method, path in internal:
            async with http.request(method, auth.url + path) as answer:
                assert (path, answer.status) == (path, 401)
                assert answer.headers["www-authenticate"] == "ServiceKey"
                assert KEY_HEADER in (await answer.json())["detail"]


@WIRES
async def test_a_service_with_a_certificate_is_answered(
    tmp_path: Path, papers: Papers, by: By
) -> None:
    pem = papers.authority.issue(uris=[SAN])
    async with (
        Closed.serve(tmp_path, papers.mtls) as auth,
        asking(by(auth.settings(**papers.client(pem)))) as client,
    ):
        assert await allowed(client)


@WIRES
async def test_a_key_goes_over_tls(tmp_path: Path, papers: Papers, by: By) -> None:
    async with (
        Closed.serve(tmp_path, {**KEYS, **papers.tls}) as auth,
        asking(by(auth.settings(service_key=KEY, **papers.client()))) as client,
    ):
        assert await allowed(client)


def wrong_certificates(papers: Papers, folder: Path) -> dict[str, Pem | None]:
    stranger = Authority(folder / "strangers", "another authority")
    return {
        "none": None,
        "of another authority": stranger.issue(uris=[SAN]),
        "expired": papers.authority.issue(uris=[SAN], ends=UNTIL),
        "not yet valid": papers.authority.issue(uris=[SAN], starts=HOUR),
        "self-signed": papers.authority.issue(uris=[SAN], is_self_signed=True),
        "of another service": papers.authority.issue(uris=["spiffe://portero/other"]),
        "of another kind of name": papers.authority.issue(dns=["portero.catalog"]),
        "without a name": papers.authority.issue(),
    }


@WIRES
async def test_no_other_certificate_is_answered(tmp_path: Path, papers: Papers, by: By) -> None:
    async with Closed.serve(tmp_path, papers.mtls) as auth:
        for why, pem in wrong_certificates(papers, tmp_path).items():
            refused = await refusal(by(auth.settings(**papers.client(pem))))
            assert isinstance(refused, AuthUnavailable), why


@WIRES
async def test_an_auth_with_a_wrong_certificate_is_not_believed_nor_told_the_key(
    tmp_path: Path, papers: Papers, by: By
) -> None:
    stranger = Authority(tmp_path / "strangers", "another authority")
    for pem in (
        stranger.issue(ips=["127.0.0.1"]),
        papers.authority.issue(ips=["127.0.0.2"]),
        papers.authority.issue(ips=["127.0.0.1"], ends=UNTIL),
    ):
        files = {"AUTH_TLS_CERT": str(pem.cert), "AUTH_TLS_KEY": str(pem.key)}
        async with Closed.serve(tmp_path, {**KEYS, **files}) as auth:
            settings = auth.settings(service_key=KEY, **papers.client())
            refused = await refusal(by(replace(settings, timeout_s=2.0)))
            assert type(refused) is AuthUnavailable
