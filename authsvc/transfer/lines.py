"""One line of a transfer file, to and from an entity. Pure.

Strict on the way in: a line is understood to its last field or refused. One spelling on the way
out: equal data makes equal bytes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar, assert_never

import msgspec

from authsvc.entity_rules import check_entity
from authsvc.model import Entity, Local, Organization, Role, Status, User
from svckit.errors import InvalidRequest

__all__ = ["LINE_BYTES_MAX", "Kind", "Parsed", "line_kind", "parse_line", "format_line"]

LINE_BYTES_MAX = 64 * 1024
REASON_CHARS_MAX = 160

T = TypeVar("T")


class Kind(StrEnum):
    """In the order in which they build on each other."""

    ORGANIZATION = "organization"
    LOCAL = "local"
    ROLE = "role"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """Without a `has_status` the entity is active, if it is new: the line does not say."""

    entity: Entity
    has_status: bool


class _Line(msgspec.Struct, tag_field="kind", forbid_unknown_fields=True):
    """Fields are written in the order they stand in here."""


class _Organization(_Line, tag="organization"):
    id: str
    name: str
    status: Status | msgspec.UnsetType = msgspec.UNSET


class _Local(_Line, tag="local"):
    id: str
    organization_id: str
    name: str
    code: str = ""
    status: Status | msgspec.UnsetType = msgspec.UNSET


class _Role(_Line, tag="role"):
    id: str
    organization_id: str
    name: str
    permissions: list[str] = []


class _User(_Line, tag="user"):
    id: str
    organization_id: str
    email: str
    status: Status | msgspec.UnsetType = msgspec.UNSET
    roles: list[str] = []
    locals: list[str] = []


class _Tagged(msgspec.Struct):
    kind: Kind


TAGGED = msgspec.json.Decoder(_Tagged)
LINE = msgspec.json.Decoder(_Organization | _Local | _Role | _User)


def line_kind(line: bytes) -> Kind:
    """What the line claims to be, at a tenth of the price of parsing it. Raises InvalidRequest."""
    return _decode(TAGGED, line).kind


def parse_line(line: bytes) -> Parsed:
    """Raises InvalidRequest, whatever the bytes are."""
    decoded = _decode(LINE, line)
    entity = _entity(decoded)
    check_entity(entity)
    has_status = isinstance(decoded, _Role) or decoded.status is not msgspec.UNSET
    return Parsed(entity=entity, has_status=has_status)


def format_line(entity: Entity) -> bytes:
    """Without a newline; what an entity holds is sorted."""
    return msgspec.json.encode(_line(entity))


def _decode(decoder: msgspec.json.Decoder[T], line: bytes) -> T:
    if len(line) > LINE_BYTES_MAX:
        raise InvalidRequest(f"the line is longer than {LINE_BYTES_MAX} bytes")
    try:
        return decoder.decode(line)
    except msgspec.MsgspecError as exc:
        raise InvalidRequest(_printable(str(exc))) from exc
    except UnicodeDecodeError as exc:
        raise InvalidRequest("the line is not valid UTF-8") from exc
    except RecursionError as exc:
        raise InvalidRequest("the line is nested too deeply") from exc


def _printable(reason: str) -> str:
    # It may quote the line, and ends up on somebody's terminal.
    return "".join(char if char.isprintable() else "?" for char in reason[:REASON_CHARS_MAX])


def _entity(line: _Organization | _Local | _Role | _User) -> Entity:
    match line:
        case _Organization():
            return Organization(id=line.id, name=line.name, status=_status(line.status))
        case _Local():
            return Local(
                id=line.id,
                organization_id=line.organization_id,
                name=line.name,
                code=line.code,
                status=_status(line.status),
            )
        case _Role():
            return Role(
                id=line.id,
                organization_id=line.organization_id,
                name=line.name,
                permissions=frozenset(line.permissions),
            )
        case _User():
            return User(
                id=line.id,
                organization_id=line.organization_id,
                email=line.email,
                status=_status(line.status),
                roles=frozenset(line.roles),
                locals=frozenset(line.locals),
            )
        case _:
            assert_never(line)


def _status(said: Status | msgspec.UnsetType) -> Status:
    return Status.ACTIVE if said is msgspec.UNSET else said


def _line(entity: Entity) -> _Line:
    match entity:
        case Organization():
            return _Organization(entity.id, entity.name, entity.status)
        case Local():
            return _Local(
                entity.id, entity.organization_id, entity.name, entity.code, entity.status
            )
        case Role():
            permissions = sorted(entity.permissions)
            return _Role(entity.id, entity.organization_id, entity.name, permissions)
        case User():
            return _User(
                entity.id,
                entity.organization_id,
                entity.email,
                entity.status,
                sorted(entity.roles),
                sorted(entity.locals),
            )
        case _:
            assert_never(entity)
