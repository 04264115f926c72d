"""The key set over REST: public members only, cachable no longer than a new key waits."""

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.types import ASGIApp

from authsvc.rest_keys import KeysRest
from svckit.openapi import openapi_document
from svckit.rest import rest_app
from tests.asgi import HttpAnswer, ask
from tests.unit.authsvc.service_at_hand import ServiceAtHand

PATH = "/.well-known/jwks.json"


class Setting(ServiceAtHand):
    def __init__(self) -> None:
        super().__init__()
        self.rest = KeysRest(self.keys, max_age_s=self.rotation.rules.max_age_s)
        self.app: ASGIApp = rest_app(self.rest.endpoints(), report_bug=str, timeout_s=5)

    async def fetch(self, if_none_match: str = "", method: str = "GET") -> HttpAnswer:
        headers = {"if-none-match": if_none_match} if if_none_match else {}
        return await ask(self.app, method, PATH, headers=headers)


async def test_every_key_that_verifies_is_told_published_and_retired_ones_too() -> None:
    a = Setting()
    await a.rotation.start()
    await a.rotation.rotate(wait_s=600)
    await a.rotation.rotate(wait_s=0)

    answer = await a.fetch()

    told = answer.json()["keys"]
    assert answer.status == 200
    assert [key["kid"] for key in told] == sorted(key.kid for key in a.store.keys)
    assert all(
        set(key) == {"kty", "use", "alg", "kid", "crv", "x", "y"} and key["use"] == "sig"
        for key in told
    )


async def test_no_private_part_of_a_key_is_ever_told() -> None:
    a = Setting()
    await a.rotation.start()

    answer = await a.fetch()

    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(answer.json()["keys"][0])
    assert "PRIVATE" not in json.dumps(answer.json())


async def test_a_verifier_may_keep_it_for_less_time_than_a_new_key_waits() -> None:
    a = Setting()
    await a.rotation.start()

    answer = await a.fetch()

    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["content-type"] == "application/json"
    rules = a.rotation.rules
    assert rules.kept_s + rules.max_age_s + 2 * rules.leeway_s <= rules.publish_s


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', '{}, W/"y"', " {} "])
async def test_who_has_it_already_is_told_so_without_it(form: str) -> None:
    a = Setting()
    await a.rotation.start()
    first = await a.fetch()

    again = await a.fetch(form.format(first.headers["etag"]))

    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"]


@pytest.mark.parametrize("tag", ['"x"', "x", "W/", '"', ",,,", "\xff"])
async def test_any_other_tag_gets_the_whole_of_it(tag: str) -> None:
    a = Setting()
    await a.rotation.start()

    assert (await a.fetch(tag)).status == 200


async def test_its_tag_changes_with_the_keys() -> None:
    a = Setting()
    await a.rotation.start()
    before = (await a.fetch()).headers["etag"]

    await a.rotation.withdraw(a.store.keys[0].kid)

    after = await a.fetch(before)
    assert after.status == 200
    assert after.headers["etag"] != before


async def test_a_store_that_is_down_is_a_failure_and_never_an_empty_key_set() -> None:
    a = Setting()
    await a.rotation.start()
    a.store.is_down = True

    assert (await a.fetch()).status == 503


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_it_can_only_be_read(method: str) -> None:
    assert (await Setting().fetch(method=method)).status == 405


def test_its_contract_is_valid() -> None:
    document = openapi_document(Setting().rest.endpoints(), title="Auth", version="1")

    OpenAPIV31SpecValidator(document).validate()
    assert list(document["paths"]) == [PATH]
