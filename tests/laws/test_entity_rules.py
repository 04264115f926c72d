"""Law of entities: any text in any field is accepted and storable, or refused and not quoted."""

import unicodedata
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from authsvc.entity_rules import TEXT_BYTES_MAX, check_entity
from authsvc.model import Entity, Local, Organization, Role, Status, User
from svckit.errors import InvalidRequest
from svckit.ids import ID_BYTES_MAX

odd = st.text(st.characters(categories=["Cc", "Cs", "Zs", "L"]), max_size=4)
good = st.sampled_from(["a", "Añil & Söhne", "catalog:read", "a-b:c.d:0"])
texts = good | odd | st.text() | st.text("xé", min_size=100, max_size=300)
sets = st.frozensets(texts, max_size=3)
statuses = st.sampled_from(Status)
entities: st.SearchStrategy[Entity] = st.one_of(
    st.builds(Organization, id=texts, name=texts, status=statuses),
    st.builds(Local, id=texts, organization_id=texts, name=texts, code=texts, status=statuses),
    st.builds(Role, id=texts, organization_id=texts, name=texts, permissions=sets),
    st.builds(
        User,
        id=texts,
        organization_id=texts,
        email=texts,
        status=statuses,
        roles=sets,
        locals=sets,
    ),
)


def ids_of(entity: Entity) -> Iterator[str]:
    yield entity.id
    if not isinstance(entity, Organization):
        yield entity.organization_id
    if isinstance(entity, User):
        yield from entity.roles | entity.locals


def texts_of(entity: Entity) -> Iterator[str]:
    yield entity.email if isinstance(entity, User) else entity.name
    if isinstance(entity, Local) and entity.code:
        yield entity.code
    if isinstance(entity, Role):
        yield from entity.permissions


def is_storable(text: str, *, bytes_max: int) -> bool:
    has_control = any(unicodedata.category(char) in ("Cc", "Cs") for char in text)
    return not has_control and 1 <= len(text.encode()) <= bytes_max


@given(entities)
def test_any_entity_is_storable_or_refused(entity: Entity) -> None:
    try:
        check_entity(entity)
    except InvalidRequest:
        return

    assert all(is_storable(text, bytes_max=ID_BYTES_MAX) for text in ids_of(entity))
    assert all(is_storable(text, bytes_max=TEXT_BYTES_MAX) for text in texts_of(entity))
    assert all(text.strip() for text in texts_of(entity))


@given(entities)
def test_a_refusal_never_quotes_what_it_refuses(entity: Entity) -> None:
    said = ""
    try:
        check_entity(entity)
    except InvalidRequest as refusal:
        said = refusal.detail

    assert said.isascii()
    assert len(said) < 80
