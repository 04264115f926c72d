"""Laws of the transfer format: nothing is lost, nothing but InvalidRequest is raised."""

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from authsvc.entity_rules import TEXT_BYTES_MAX, check_entity
from authsvc.model import Entity, Local, Organization, Role, Status, User
from authsvc.transfer import format_line, parse_line
from svckit.errors import InvalidRequest
from svckit.ids import ID_BYTES_MAX

printable = st.characters(exclude_categories=("Cs", "Cc"))
ids = st.text(printable, min_size=1, max_size=ID_BYTES_MAX // 4)
texts = st.text(printable, min_size=1, max_size=TEXT_BYTES_MAX // 4).filter(str.strip)
codes = st.just("") | texts
permissions = st.from_regex(
    re.compile(r"[a-z][a-z0-9_.-]{0,20}(:[a-z][a-z0-9_.-]{0,20}){1,3}"), fullmatch=True
)
statuses = st.sampled_from(Status)

entities: st.SearchStrategy[Entity] = st.one_of(
    st.builds(Organization, id=ids, name=texts, status=statuses),
    st.builds(Local, id=ids, organization_id=ids, name=texts, code=codes, status=statuses),
    st.builds(
        Role,
        id=ids,
        organization_id=ids,
        name=texts,
        permissions=st.frozensets(permissions, max_size=8),
    ),
    st.builds(
        User,
        id=ids,
        organization_id=ids,
        email=texts,
        status=statuses,
        roles=st.frozensets(ids, max_size=8),
        locals=st.frozensets(ids, max_size=8),
    ),
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(
    ["id", "organization_id", "name", "code", "status", "email", "roles", "locals", "permissions"]
)
kinds = st.sampled_from(["organization", "local", "role", "user", "robot"])


@given(entities)
def test_what_is_written_is_read_back_as_it_was(entity: Entity) -> None:
    line = format_line(entity)

    assert b"\n" not in line
    assert parse_line(line).entity == entity


@given(entities)
def test_one_entity_has_one_spelling(entity: Entity) -> None:
    line = format_line(entity)

    assert format_line(parse_line(line).entity) == line
    held = [value for value in json.loads(line).values() if isinstance(value, list)]
    assert all(value == sorted(value) for value in held)


def read_or_refuse(line: bytes) -> None:
    try:
        entity = parse_line(line).entity
    except InvalidRequest:
        return
    check_entity(entity)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_entity_or_refused(line: bytes) -> None:
    read_or_refuse(line)


@given(kinds, st.dictionaries(fields | st.text(), values, max_size=8))
def test_any_json_is_an_entity_or_refused(kind: str, found: dict[str, Any]) -> None:
    read_or_refuse(json.dumps({"kind": kind} | found).encode())


@given(entities, st.data())
def test_a_damaged_line_is_an_entity_or_refused(entity: Entity, data: st.DataObject) -> None:
    line = bytearray(format_line(entity))
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] = data.draw(st.integers(0, 255))

    read_or_refuse(bytes(line[: data.draw(st.integers(at, len(line)))]))
