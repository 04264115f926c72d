"""One line of a transfer file: the format as it is written down, and what is refused."""

import pytest

from authsvc.model import Entity, Local, Organization, Role, Status, User
from authsvc.transfer import LINE_BYTES_MAX, format_line, parse_line
from authsvc.transfer.lines import Kind, line_kind
from svckit.errors import InvalidRequest

DOCUMENTED: list[tuple[bytes, Entity]] = [
    (
        b'{"kind":"organization","id":"o1","name":"Acme","status":"active"}',
        Organization(id="o1", name="Acme"),
    ),
    (
        b'{"kind":"local","id":"l1","organization_id":"o1","name":"Centro","code":"C1",'
        b'"status":"inactive"}',
        Local(id="l1", organization_id="o1", name="Centro", code="C1", status=Status.INACTIVE),
    ),
    (
        b'{"kind":"role","id":"r1","organization_id":"o1","name":"cashier",'
        b'"permissions":["catalog:edit","catalog:read"]}',
        Role(
            id="r1",
            organization_id="o1",
            name="cashier",
            permissions=frozenset({"catalog:read", "catalog:edit"}),
        ),
    ),
    (
        b'{"kind":"user","id":"u1","organization_id":"o1","email":"ana@acme.test",'
        b'"status":"active","roles":["r1"],"locals":["l1","l2"]}',
        User(
            id="u1",
            organization_id="o1",
            email="ana@acme.test",
            roles=frozenset({"r1"}),
            locals=frozenset({"l2", "l1"}),
        ),
    ),
]


@pytest.mark.parametrize(("line", "entity"), DOCUMENTED)
def test_the_documented_line_is_read_and_written_byte_for_byte(line: bytes, entity: Entity) -> None:
    assert parse_line(line).entity == entity
    assert format_line(entity) == line


@pytest.mark.parametrize(
    ("line", "entity"),
    [
        (b'{"id":"o","name":"O","kind":"organization"}', Organization(id="o", name="O")),
        (
            b' {"kind":"user","id":"u","organization_id":"o","email":"e"}\r\n',
            User(id="u", organization_id="o", email="e"),
        ),
        (
            b'{"kind":"local","id":"l","organization_id":"o","name":"L"}',
            Local(id="l", organization_id="o", name="L"),
        ),
        (
            b'{"kind":"role","id":"r","organization_id":"o","name":"R"}',
            Role(id="r", organization_id="o", name="R"),
        ),
    ],
)
def test_what_a_line_leaves_out_has_the_models_default(line: bytes, entity: Entity) -> None:
    parsed = parse_line(line)

    assert parsed.entity == entity
    assert parsed.has_status is isinstance(entity, Role)  # which has none to leave out


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "truncated"),
        (b"[]", "object"),
        (b"null", "object"),
        (b'{"id":"o","name":"O"}', "kind"),
        (b'{"kind":"robot","id":"o"}', "robot"),
        (b'{"kind":"organization","id":"o"}', "name"),
        (b'{"kind":"organization","id":1,"name":"O"}', "id"),
        (b'{"kind":"organization","id":"o","name":"O","x":1}', "unknown field `x`"),
        (b'{"kind":"organization","id":"o","name":"O","status":"ACTIVE"}', "ACTIVE"),
        (b'{"kind":"organization","id":"o","name":"O"} {}', "trailing"),
        (b'{"kind":"organization","id":"o\\u0000","name":"O"}', "control character"),
        (b'{"kind":"organization","id":"o","name":"\\ud800"}', "JSON|truncated"),
        (b'{"kind":"organization","id":"o","name":"\xff"}', "UTF-8"),
        (b'{"kind":"local","id":"l","organization_id":"","name":"L"}', "organization_id"),
        (b'{"kind":"role","id":"r","organization_id":"o","name":"R","permissions":["x"]}', "perm"),
        (b'{"kind":"user","id":"u","organization_id":"o","email":"e","roles":null}', "roles"),
        (b'{"kind":"user","id":"u","organization_id":"o","email":"e","locals":[""]}', "local"),
        (b'{"x":' + b"[" * 60_000, "nested"),
        (b'{"kind":"organization","id":"o","name":"O"}'.ljust(LINE_BYTES_MAX + 1), "longer"),
    ],
)
def test_a_bad_line_is_refused_with_its_reason(line: bytes, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        parse_line(line)


def test_a_reason_can_be_shown_on_a_terminal() -> None:
    with pytest.raises(InvalidRequest) as failure:
        parse_line(b'{"kind":"\\u001b[31m' + b"x" * 1_000 + b'"}')

    assert failure.value.detail.isprintable()
    assert len(failure.value.detail) <= 160


def test_a_kind_is_told_without_understanding_the_rest() -> None:
    assert line_kind(b'{"x":[1,{}],"kind":"role"}') is Kind.ROLE


@pytest.mark.parametrize("line", [b"{}", b'{"kind":"robot"}', b'{"kind":1}', b"x", b"\xff"])
def test_a_line_of_no_kind_is_refused(line: bytes) -> None:
    with pytest.raises(InvalidRequest):
        line_kind(line)
