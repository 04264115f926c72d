"""Reading answers: rows, revisions, pages of changes, and whom a token speaks for."""

from dataclasses import dataclass

import pytest

from catalogsvc.authz.answers import (
    REASONS,
    read_as_of,
    read_checked,
    read_identity,
    read_page,
    reason_named,
)
from catalogsvc.authz.errors import InvalidToken
from catalogsvc.authz.feed import Change, Page
from catalogsvc.authz.model import Reason, Source
from catalogsvc.authz.transport import AsOf, Failure, PathFailed


def identify(said: str) -> None:
    read_identity(
        token="a.b.c",
        is_valid=False,
        user_id="",
        organization_id="",
        permissions=(),
        said=said,
        source=Source.GRPC,
        path="x",
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("token expired", "token expired"),
        ("", "invalid token"),
        ("no: a.b.c", "invalid token"),
        ("two\nlines", "invalid token"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_reason_is_short_and_never_quotes_the_token(said: str, reason: str) -> None:
    with pytest.raises(InvalidToken) as caught:
        identify(said)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("user_id", "organization_id", "said"), [("", "o", ""), ("u", "", ""), ("u", "o", "expired")]
)
def test_a_valid_token_must_speak_for_someone(
    user_id: str, organization_id: str, said: str
) -> None:
    with pytest.raises(PathFailed):
        read_identity(
            token="a.b.c",
            is_valid=True,
            user_id=user_id,
            organization_id=organization_id,
            permissions=(),
            said=said,
            source=Source.GRPC,
            path="x",
        )


AS_OF = AsOf(database_id="db", revision=7, age_s=0.25)
YES, NO = Reason.ALLOWED, Reason.NOT_ASSIGNED


def test_rows_are_taken_as_they_are() -> None:
    checked = read_checked([YES, NO], ["Centro", ""], AS_OF, rows=2, path="x")

    assert (checked.reasons, checked.local_names, checked.as_of) == (
        [YES, NO],
        ["Centro", ""],
        AS_OF,
    )


@pytest.mark.parametrize(
    ("reasons", "names", "rows"),
    [
        ([YES], ["Centro"], 2),
        ([YES, YES], ["Centro"], 1),
        ([YES], ["Centro", ""], 1),
        ([NO], ["Centro"], 1),
        ([Reason.DENIED], ["Centro"], 1),
        ([], [], 1),
    ],
)
def test_rows_that_do_not_fit_the_question_are_not_taken(
    reasons: list[Reason], names: list[str], rows: int
) -> None:
    with pytest.raises(PathFailed) as caught:
        read_checked(reasons, names, AS_OF, rows=rows, path="x")

    assert caught.value.failure is Failure.UNINTELLIGIBLE


@dataclass(slots=True, kw_only=True)
class Said:
    revision: int
    age_ms: int
    database_id: str


def test_an_answer_says_as_of_when_it_is() -> None:
    assert read_as_of(Said(revision=7, age_ms=250, database_id="db"), path="x") == AS_OF


@pytest.mark.parametrize(
    ("revision", "age_ms", "database_id"), [(0, 0, "db"), (-1, 0, "db"), (1, -1, "db"), (1, 0, "")]
)
def test_an_answer_that_does_not_say_so_is_not_taken(
    revision: int, age_ms: int, database_id: str
) -> None:
    with pytest.raises(PathFailed):
        read_as_of(Said(revision=revision, age_ms=age_ms, database_id=database_id), path="x")


def test_every_reason_has_its_number_but_the_one_for_words_of_its_own() -> None:
    assert set(REASONS.values()) == set(Reason) - {Reason.DENIED}
    assert 0 not in REASONS


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_known_by_its_name(reason: Reason) -> None:
    assert reason_named(reason.value, path="x") is reason


@pytest.mark.parametrize("name", ["allowed", "ALLOWED ", "NOT_YET", "1"])
def test_a_name_that_is_not_known_is_a_denial(name: str) -> None:
    assert reason_named(name, path="x") is Reason.DENIED


def test_no_name_is_no_answer() -> None:
    with pytest.raises(PathFailed):
        reason_named("", path="x")


Columns = tuple[list[int], list[str], list[str], list[str]]


def page_of(
    columns: Columns, *, after: int = 1, revision: int = 5, database_id: str = "db"
) -> Page:
    return read_page(
        tick=9,
        database_id=database_id,
        after=after,
        revision=revision,
        is_reset=False,
        columns=columns,
        path="x",
    )


def test_an_empty_user_or_local_means_all() -> None:
    columns = ([2, 2, 5], ["o", "o", "p"], ["u", "", ""], ["l", "l", ""])

    assert page_of(columns).changes == (
        Change(2, "o", "u", "l"),
        Change(2, "o", None, "l"),
        Change(5, "p", None, None),
    )


@pytest.mark.parametrize(
    "columns",
    [
        ([2], [], [], []),
        ([], ["o"], ["u"], ["l"]),
        ([2], ["o"], ["u"], []),
        ([2], [""], ["u"], ["l"]),
        ([1], ["o"], ["u"], ["l"]),
        ([6], ["o"], ["u"], ["l"]),
        ([3, 2], ["o", "o"], ["u", "u"], ["l", "l"]),
    ],
)
def test_changes_that_do_not_fit_their_page_are_not_taken(columns: Columns) -> None:
    with pytest.raises(PathFailed):
        page_of(columns)


@pytest.mark.parametrize(("after", "database_id"), [(6, "db"), (-1, "db"), (1, "")])
def test_a_page_that_stands_nowhere_is_not_taken(after: int, database_id: str) -> None:
    with pytest.raises(PathFailed):
        page_of(([], [], [], []), after=after, database_id=database_id)
