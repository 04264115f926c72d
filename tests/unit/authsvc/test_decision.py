"""The decision against its reviewed table, over every combination of facts."""

from itertools import product
from pathlib import Path

import pytest

from authsvc.access import LocalRecord, OrganizationRecord, UserRecord
from authsvc.decision import (
    AccessFacts,
    Reason,
    Verdict,
    current_permissions,
    decide,
    decide_row,
    explain,
)
from authsvc.model import Status

TABLE_FILE = Path(__file__).with_name("truth_table.txt")
COLUMNS = ["user", "organization", "member", "local", "assigned", "reason"]
STATUSES = ("none", "inactive", "active")
ANSWERS = ("no", "yes")
COMBINATIONS = tuple(product(STATUSES, STATUSES, ANSWERS, STATUSES, ANSWERS))


def read_table() -> list[tuple[tuple[str, ...], Reason]]:
    lines = TABLE_FILE.read_text(encoding="utf-8").splitlines()
    header, *rows = [line.split() for line in lines if line and not line.startswith("#")]
    assert header == COLUMNS
    return [(tuple(cells), Reason(reason)) for *cells, reason in rows]


def facts_of(combination: tuple[str, ...]) -> AccessFacts:
    user, organization, member, local, assigned = combination
    status = {"none": None, "inactive": Status.INACTIVE, "active": Status.ACTIVE}
    return AccessFacts(
        user_status=status[user],
        organization_status=status[organization],
        is_member=member == "yes",
        local_status=status[local],
        local_name="Centro",
        is_assigned=assigned == "yes",
    )


def reasons_in_table(combination: tuple[str, ...]) -> list[Reason]:
    return [
        reason
        for cells, reason in read_table()
        if all(cell in ("-", fact) for cell, fact in zip(cells, combination, strict=True))
    ]


def test_the_table_answers_every_combination_exactly_once() -> None:
    answers = {combination: reasons_in_table(combination) for combination in COMBINATIONS}

    assert len(answers) == 3 * 3 * 2 * 3 * 2
    assert all(len(reasons) == 1 for reasons in answers.values()), answers


def test_the_table_gives_every_reason_in_the_order_of_its_definition() -> None:
    assert [reason for _, reason in read_table()] == list(Reason)


@pytest.mark.parametrize("combination", COMBINATIONS, ids="-".join)
def test_the_decision_is_what_the_table_says(combination: tuple[str, ...]) -> None:
    verdict = decide(facts_of(combination))

    assert [verdict.reason] == reasons_in_table(combination)
    assert verdict.is_valid == (verdict.reason is Reason.ALLOWED)
    assert verdict.local_name == ("Centro" if verdict.is_valid else "")


def test_exactly_one_combination_of_facts_is_allowed() -> None:
    allowed = [c for c in COMBINATIONS if decide(facts_of(c)).is_valid]

    assert allowed == [("active", "active", "yes", "active", "yes")]


@pytest.mark.parametrize("combination", COMBINATIONS, ids="-".join)
def test_an_explanation_names_the_same_first_failure_as_the_decision(
    combination: tuple[str, ...],
) -> None:
    facts = facts_of(combination)

    findings = explain(facts)

    failed = [finding.reason for finding in findings if not finding.holds]
    assert (failed or [Reason.ALLOWED])[0] is decide(facts).reason
    assert [finding.reason for finding in findings] == list(Reason)[:-1]


def test_a_verdict_made_without_a_name_has_none() -> None:
    assert Verdict(reason=Reason.NOT_ASSIGNED).local_name == ""


@pytest.mark.parametrize("combination", COMBINATIONS, ids="-".join)
def test_the_decision_about_a_row_is_what_the_table_says(combination: tuple[str, ...]) -> None:
    user, organization, member, local, assigned = combination
    held = {"l"} if assigned == "yes" else set()

    reason = decide_row(
        user_record(user, "o" if member == "yes" else "p", held),
        organization_record(organization),
        local_record(local),
        "o",
        "l",
    )

    assert [reason] == reasons_in_table(combination)


def user_record(status: str, organization_id: str, held: set[str]) -> UserRecord | None:
    if status == "none":
        return None
    return UserRecord(
        organization_id=organization_id,
        is_active=status == "active",
        locals=frozenset(held),
        permissions=("a:read", "b:read"),
    )


def organization_record(status: str) -> OrganizationRecord | None:
    return None if status == "none" else OrganizationRecord(is_active=status == "active")


def local_record(status: str) -> LocalRecord | None:
    if status == "none":
        return None
    return LocalRecord(organization_id="o", name="Centro", is_active=status == "active")


@pytest.mark.parametrize(
    ("user", "organization", "expected"),
    [
        ("active", "active", ("a:read", "b:read")),
        ("inactive", "active", ()),
        ("active", "inactive", ()),
        ("active", "none", ()),
        ("inactive", "inactive", ()),
    ],
)
def test_permissions_are_none_unless_user_and_organization_are_active(
    user: str, organization: str, expected: tuple[str, ...]
) -> None:
    record = user_record(user, "o", set())
    assert record is not None

    assert current_permissions(record, organization_record(organization)) == expected
