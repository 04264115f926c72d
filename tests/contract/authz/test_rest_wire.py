"""REST: batches, an older Auth that has none, and answers against the contract."""

import json
from typing import Any

import pytest

from catalogsvc.authz.errors import AuthProtocolError
from catalogsvc.authz.model import Reason
from catalogsvc.authz.rest_transport import OLD_AUTH_S, RestTransport
from catalogsvc.authz.transport import AsOf, Failure, PathFailed
from tests.contract.authz.broken_servers import http_saying
from tests.contract.authz.clients import SkewedClock
from tests.contract.authz.fake_auth import FakeAuth, Said, serve_rest
from tests.contract.authz.wires import QUERY, ROW, open_rest, row, soon

WHOLE = {
    "reasons": ["ALLOWED"],
    "local_names": ["Centro"],
    "revision": 3,
    "age_ms": 0,
    "database_id": "db-1",
}
JSON = "content-type: application/json"


async def test_a_batch_is_one_request() -> None:
    fake = FakeAuth(decisions={QUERY: Said(True, "Centro")})
    async with serve_rest(fake) as url:
        transport = open_rest(url)
        checked = await transport.check_locals([ROW, row(2), row(3)], deadline=soon())
        await transport.close()

    assert list(checked.reasons) == [Reason.ALLOWED, Reason.NOT_ASSIGNED, Reason.NOT_ASSIGNED]
    assert fake.batches == 1


async def test_an_older_auth_is_asked_row_by_row_and_for_a_batch_again_after_a_while() -> None:
    fake, clock = FakeAuth(decisions={QUERY: Said(True, "Centro")}), SkewedClock()
    async with serve_rest(fake, is_old=True) as url:
        port = int(url.rpartition(":")[2])
        transport = RestTransport(url, interceptors=(), clock=clock)
        old = await transport.check_locals([ROW, row(2)], deadline=soon())
    async with serve_rest(fake, port=port):
        still_old = await transport.check_locals([ROW], deadline=soon())
        clock.skew_s += OLD_AUTH_S
        deadline = soon(5.0 + OLD_AUTH_S)
        new = await transport.check_locals([ROW], deadline=deadline)
        await transport.close()

    assert (list(old.reasons), old.as_of) == ([Reason.ALLOWED, Reason.NOT_ASSIGNED], AsOf())
    assert still_old.as_of == AsOf()
    assert new.as_of.revision == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"reasons": []},
        {"reasons": ["ALLOWED", "ALLOWED"]},
        {"reasons": [""]},
        {"reasons": [1]},
        {"reasons": [True]},
        {"reasons": None},
        {"reasons": ["NOT_ASSIGNED"]},
        {"reasons": ["allowed"]},
        {"local_names": [None]},
        {"local_names": []},
        {"revision": 0},
        {"revision": -1},
        {"revision": "3"},
        {"age_ms": -1},
        {"database_id": ""},
    ],
)
async def test_a_batch_against_the_contract_is_not_taken(changed: dict[str, Any]) -> None:
    body = json.dumps({**WHOLE, **changed}).encode()
    async with http_saying("200 OK", body, JSON) as url:
        transport = open_rest(url)
        with pytest.raises(PathFailed) as caught:
            await transport.check_locals([ROW], deadline=soon())
        await transport.close()

    assert caught.value.failure is Failure.UNINTELLIGIBLE


async def test_a_reason_of_the_future_is_a_denial() -> None:
    body = json.dumps({**WHOLE, "reasons": ["TOO_LATE_IN_THE_DAY"], "local_names": [""]}).encode()
    async with http_saying("200 OK", body, JSON) as url:
        transport = open_rest(url)
        checked = await transport.check_locals([ROW], deadline=soon())
        await transport.close()

    assert list(checked.reasons) == [Reason.DENIED]


@pytest.mark.parametrize(
    ("answer", "as_of"),
    [
        (
            {"revision": 3, "database_id": "db-1", "expires_at": 9},
            AsOf(database_id="db-1", revision=3),
        ),
        ({"revision": 3, "database_id": "db-1"}, AsOf()),
        ({"expires_at": 9}, AsOf()),
    ],
)
async def test_an_identity_may_be_kept_only_when_auth_says_until_when(
    answer: dict[str, Any], as_of: AsOf
) -> None:
    body = {"is_valid": True, "user_id": "u1", "organization_id": "o1", "permissions": []}
    async with http_saying("200 OK", json.dumps({**body, **answer}).encode(), JSON) as url:
        transport = open_rest(url)
        verified = await transport.verify_token("good", deadline=soon())
        await transport.close()

    assert verified.as_of == as_of


async def test_a_place_that_neither_way_of_asking_knows_is_against_the_contract() -> None:
    problem = "content-type: application/problem+json"
    async with http_saying("404 Not Found", b"{}", problem) as url:
        transport = open_rest(url)
        with pytest.raises(AuthProtocolError):
            await transport.check_locals([ROW], deadline=soon())
        await transport.close()
