"""Several Auths on one database whose keys are replaced under load, withdrawn, and sealed."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from authsvc.audit import OPERATOR
from authsvc.backend import open_backend
from authsvc.checks import Checks
from authsvc.follower import follow
from authsvc.key_pairs import Algorithm
from authsvc.key_rotation import KeyRotation, keep_rotating
from authsvc.key_schedule import KeyRules
from authsvc.key_sealing import is_sealed
from authsvc.keys import Keys
from authsvc.knowledge import Knowledge
from authsvc.migrations import MIGRATIONS
from authsvc.model import Organization, User
from authsvc.service import AuthService
from authsvc.settings import AuthSettings
from authsvc.store import Store
from authsvc.tokens import BadToken, TokenRules, key_id
from svckit.database import open_database
from svckit.lease_clock import lease_clock
from svckit.migrations import migrate
from svckit.settings import SettingsError

# A month of it in two seconds.
TTL_S = 3
RULES = KeyRules(token_ttl_s=TTL_S, rotation_s=2, publish_s=1, max_age_s=0, kept_s=0.4, leeway_s=0)
BOUND_S = 60.0
# What a token has left when it is verified: not so little that a busy machine takes longer.
LEFT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    store: Store
    service: AuthService
    rotation: KeyRotation


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/auth.db"
    else:
        url = request.getfixturevalue("postgres_url")
    await asyncio.to_thread(asyncio.run, migrate(url, MIGRATIONS))
    engine = open_database(url)
    user = User(id="u1", organization_id="o1", email="u@1")
    await Store(engine).put_each([Organization(id="o1", name="Acme"), user], by=OPERATOR)
    await engine.dispose()
    return url


@asynccontextmanager
async def one_auth(
    url: str, *, algorithm: Algorithm = Algorithm.ES256, rules: KeyRules = RULES
) -> AsyncIterator[Auth]:
    """As the root wires it, but for the times."""
    engine = open_database(url)
    store = Store(engine)
    knowledge = Knowledge(records_weight_max=1_000)
    rotation = KeyRotation(store, rules=rules, algorithm=algorithm, wall_clock=time.time)
    keys = Keys(
        store,
        freshness=knowledge.freshness,
        clock=lease_clock,
        wall_clock=time.time,
        kept_s=rules.kept_s,
    )
    service = AuthService(
        store=store,
        checks=Checks(store=store, knowledge=knowledge, clock=lease_clock),
        keys=keys,
        rules=TokenRules(
            issuer="portero", audience="portero", ttl_s=rules.token_ttl_s, leeway_s=rules.leeway_s
        ),
        wall_clock=time.time,
    )
    bugs: list[BaseException] = []
    try:
        await rotation.start()
        async with (
            follow(
                store,
                knowledge,
                clock=lease_clock,
                report_bug=bugs.append,
            ),
            keep_rotating(rotation, report_bug=bugs.append, every_s=0.1),
        ):
            yield Auth(store=store, service=service, rotation=rotation)
    finally:
        await engine.dispose()
    assert bugs == []


async def test_rotation_under_load_fails_no_verification(url: str) -> None:
    signed_by: set[str] = set()
    living: list[tuple[str, float]] = []
    verified = 0
    async with one_auth(url) as first, one_auth(url) as second, asyncio.timeout(BOUND_S):
        auths = (first, second)
        # Three keys have signed, and the first of them is no more.
        while len(signed_by) < 4 or signed_by <= await kids(first.store):
            for auth in auths:
                token = await auth.service.issue_token("u1")
                signed_by.add(key_id(token))
                living.append((token, time.time() // 1 + TTL_S))
            living = [(t, until) for t, until in living if time.time() + LEFT_S < until][-40:]
            for token, until in living:
                for auth in auths:
                    if time.time() + LEFT_S < until:
                        assert (await auth.service.verify_token(token)).user_id == "u1"
                        verified += 1
            await asyncio.sleep(0.02)

    assert verified > 50


async def kids(store: Store) -> set[str]:
    return {key.kid for key in await store.signing_keys()}


async def test_a_withdrawn_key_is_refused_by_every_process_and_the_next_one_known(
    url: str,
) -> None:
    rules = KeyRules(token_ttl_s=600)
    async with one_auth(url, rules=rules) as first, one_auth(url, rules=rules) as second:
        token = await first.service.issue_token("u1")
        for auth in (first, second):
            assert (await auth.service.verify_token(token)).user_id == "u1"

        await first.rotation.withdraw(key_id(token))

        async with asyncio.timeout(BOUND_S):
            for auth in (first, second):
                while await is_good(auth, token):  # noqa: ASYNC110 # another process
                    await asyncio.sleep(0.005)
        # At once: it is not a key that they have yet to hear of.
        fresh = await second.service.issue_token("u1")
        for auth in (first, second):
            assert (await auth.service.verify_token(fresh)).user_id == "u1"


async def is_good(auth: Auth, token: str) -> bool:
    try:
        await auth.service.verify_token(token)
    except BadToken:
        return False
    return True


async def test_tokens_of_the_last_algorithm_stay_good_while_the_next_one_signs(url: str) -> None:
    tokens = []
    rules = KeyRules(token_ttl_s=600)
    for algorithm in Algorithm:
        async with one_auth(url, algorithm=algorithm, rules=rules) as auth:
            await auth.rotation.rotate(wait_s=0)
            tokens.append(await auth.service.issue_token("u1"))

    async with one_auth(url, rules=rules) as auth:
        for token in tokens:
            assert (await auth.service.verify_token(token)).user_id == "u1"
        algorithms = {key.algorithm for key in await auth.store.signing_keys()}
    assert algorithms == {"ES256", "EdDSA", "RS256"}


async def test_keys_are_sealed_by_the_next_start_and_opened_by_none_without_the_secret(
    url: str,
) -> None:
    secret = "s" * 32
    async with open_backend(AuthSettings(database_url=url)) as plain:
        token = await plain.service.issue_token("u1")

    async with open_backend(AuthSettings(database_url=url, key_secret=secret)) as sealed:
        assert all(is_sealed(k.private_key) for k in await sealed.store.signing_keys())
        assert (await sealed.service.verify_token(token)).user_id == "u1"
        assert (await sealed.service.verify_token(await sealed.service.issue_token("u1"))).user_id

    for wrong in (None, "t" * 32):
        with pytest.raises(SettingsError, match=r"^AUTH_KEY_SECRET: "):
            async with open_backend(AuthSettings(database_url=url, key_secret=wrong)):
                raise AssertionError("it started")
