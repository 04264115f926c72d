"""How organizations, locals, roles and users look to those who administer them."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from authsvc.edits import fields_of
from authsvc.model import Entity, Local, Organization, Role, Status, User
from authsvc.paging import PAGE_SIZE_MAX
from authsvc.transfer import format_line

__all__ = ["Noun", "NOUNS", "PutHeaders", "PageSize", "entity_of", "shown", "tag_of"]


class PutHeaders(msgspec.Struct, frozen=True, kw_only=True):
    """Against lost updates: an entity tag as ETag gave it, or `*`."""

    if_match: Annotated[str, Meta(pattern='^([*]|"[a-f0-9]*")$')] = msgspec.field(
        default="", name="If-Match"
    )
    if_none_match: Literal["*"] | None = msgspec.field(default=None, name="If-None-Match")


# A body that leaves its status out must not make active again what was shut out.
class OrganizationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    status: Status


class LocalBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organization_id: str
    name: str
    code: str = ""
    status: Status


class RoleBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organization_id: str
    name: str
    permissions: tuple[str, ...] = ()


class UserBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`roles` and `locals` are ids; the user holds exactly these from then on."""

    organization_id: str
    email: str
    status: Status
    roles: tuple[str, ...] = ()
    locals: tuple[str, ...] = ()


class OrganizationShown(OrganizationBody, frozen=True, kw_only=True):
    id: str


class LocalShown(LocalBody, frozen=True, kw_only=True):
    id: str


class RoleShown(RoleBody, frozen=True, kw_only=True):
    id: str


class UserShown(UserBody, frozen=True, kw_only=True):
    id: str


class OrganizationsPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next_page_token` is empty on the last page."""

    items: tuple[OrganizationShown, ...]
    next_page_token: str


class LocalsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[LocalShown, ...]
    next_page_token: str


class RolesPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[RoleShown, ...]
    next_page_token: str


class UsersPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[UserShown, ...]
    next_page_token: str


# 0 leaves it to us.
PageSize = Annotated[int, Meta(ge=0, le=PAGE_SIZE_MAX)]


class RolesQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`prefix` is how the name begins, of users the email in whatever case. Empty: any."""

    organization_id: str = ""
    prefix: str = ""
    page_size: PageSize = 0
    page_token: str = ""


class PageQuestion(RolesQuestion, frozen=True, kw_only=True):
    """Roles have no status."""

    status: Status | None = None


Body = OrganizationBody | LocalBody | RoleBody | UserBody
Shown = OrganizationShown | LocalShown | RoleShown | UserShown


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """One kind of entity, by the names and the shapes it has on the wire."""

    name: str
    kind: type[Entity]
    body: type[Body]
    shown: type[Shown]
    page: type[OrganizationsPage | LocalsPage | RolesPage | UsersPage]
    question: type[RolesQuestion] = PageQuestion

    @property
    def plural(self) -> str:
        return f"{self.name}s"


NOUNS = (
    Noun(
        name="organization",
        kind=Organization,
        body=OrganizationBody,
        shown=OrganizationShown,
        page=OrganizationsPage,
    ),
    Noun(name="local", kind=Local, body=LocalBody, shown=LocalShown, page=LocalsPage),
    Noun(
        name="role",
        kind=Role,
        body=RoleBody,
        shown=RoleShown,
        page=RolesPage,
        question=RolesQuestion,
    ),
    Noun(name="user", kind=User, body=UserBody, shown=UserShown, page=UsersPage),
)


def entity_of(noun: Noun, id_: str, body: Body) -> Entity:
    return msgspec.convert({"id": id_, **msgspec.structs.asdict(body)}, noun.kind)


def shown(noun: Noun, entity: Entity) -> Shown:
    held = {
        name: tuple(sorted(value)) if isinstance(value, frozenset) else value
        for name, value in fields_of(entity).items()
    }
    return msgspec.convert({"id": entity.id, **held}, noun.shown)


def tag_of(entity: Entity | None) -> str | None:
    """A strong entity tag: equal entities have equal ones, and nothing else has them."""
    if entity is None:
        return None
    return f'"{hashlib.sha256(format_line(entity)).hexdigest()[:32]}"'
