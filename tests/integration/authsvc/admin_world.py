"""Auth as its root wires it, on a real port, with someone of every kind who may call it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from authsvc.app import create_service
from authsvc.audit import SYSTEM
from authsvc.backend import open_backend
from authsvc.model import Entity, Local, Organization, Role, User
from authsvc.settings import PREFIX, AuthSettings
from svckit.settings import read_settings

__all__ = ["Answer", "World", "CALLERS", "open_world"]

# Whose token each kind of caller shows.
CALLERS = {"user": "luis", "admin": "ana", "other": "eva", "platform": "root"}


def role(id_: str, organization_id: str, *permissions: str) -> Role:
    return Role(
        id=id_, organization_id=organization_id, name=id_, permissions=frozenset(permissions)
    )


def user(id_: str, organization_id: str, *roles: str, local: str | None = None) -> User:
    return User(
        id=id_,
        organization_id=organization_id,
        email=f"{id_}@{organization_id}.test",
        roles=frozenset(roles),
        locals=frozenset({local} if local else ()),
    )


ENTITIES: tuple[Entity, ...] = (
    Organization(id="acme", name="Acme"),
    Organization(id="bazar", name="Bazar"),
    Organization(id="portero", name="Portero"),
    Local(id="centro", organization_id="acme", name="Centro", code="C1"),
    Local(id="norte", organization_id="acme", name="Norte"),
    Local(id="puerto", organization_id="bazar", name="Puerto"),
    role("cashier", "acme", "catalog:read"),
    role("acme-admin", "acme", "auth:admin"),
    # A platform's helper who works within an organization: not the organization's to touch.
    role("acme-platform", "acme", "platform:support"),
    role("bazar-admin", "bazar", "auth:admin"),
    role("platform", "portero", "platform:admin"),
    user("ana", "acme", "acme-admin"),
    user("luis", "acme", "cashier", local="centro"),
    user("sam", "acme", "acme-platform"),
    user("eva", "bazar", "bazar-admin", local="puerto"),
    user("root", "portero", "platform"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any


class World:
    """`ask` sends the target as it is, so it must be percent-encoded."""

    def __init__(self, url: str, http: aiohttp.ClientSession, tokens: Mapping[str, str]) -> None:
        self.url = url
        self.tokens = tokens
        self._http = http

    async def ask(
        self,
        method: str,
        target: str,
        *,
        by: str | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """`by` is one of CALLERS, another user's id, or nobody; bytes are a body as they are."""
        sent = dict(headers or {})
        if by is not None:
            sent["authorization"] = f"Bearer {self.tokens[by]}"
        data = None
        if body is not None:
            sent.setdefault("content-type", "application/json")
            data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        url = URL(self.url + target, encoded=True)
        async with self._http.request(method, url, headers=sent, data=data) as answer:
            raw = await answer.read()
            is_json = answer.content_type.endswith("json") and raw
            return Answer(
                status=answer.status,
                headers=answer.headers,
                body=raw,
                json=await answer.json(content_type=None) if is_json else None,
            )


@asynccontextmanager
async def open_world(
    database_url: str, *, settings: Mapping[str, str] | None = None
) -> AsyncIterator[World]:
    environ = {
        **(settings or {}),
        "AUTH_DATABASE_URL": database_url,
        "AUTH_GRPC_BIND": "127.0.0.1:0",
        "AUTH_HTTP_BIND": "127.0.0.1:0",
        "LOG_LEVEL": "WARNING",
    }
    async with open_backend(read_settings(AuthSettings, PREFIX, environ)) as backend:
        assert await backend.store.put_each(ENTITIES, by=SYSTEM) == ()
        users = [entity.id for entity in ENTITIES if isinstance(entity, User)]
        tokens = {id_: await backend.service.issue_token(id_) for id_ in users}
    tokens |= {caller: tokens[id_] for caller, id_ in CALLERS.items()}
    async with (
        create_service(environ).serve() as serving,
        aiohttp.ClientSession() as http,
    ):
        yield World(serving.endpoints["REST"], http, tokens)
