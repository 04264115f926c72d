"""Laws of the decision: a yes needs everything, and a no tells nothing."""

from hypothesis import given
from hypothesis import strategies as st

from authsvc.access import LocalRecord, OrganizationRecord, UserRecord
from authsvc.decision import (
    AccessFacts,
    Reason,
    are_active,
    current_permissions,
    decide,
    decide_row,
    explain,
    facts_of,
)
from authsvc.model import Status

statuses = st.none() | st.sampled_from(Status)
facts = st.builds(
    AccessFacts,
    user_status=statuses,
    organization_status=statuses,
    is_member=st.booleans(),
    local_status=statuses,
    local_name=st.text(),
    is_assigned=st.booleans(),
)


@given(facts)
def test_allowed_if_and_only_if_every_condition_holds(found: AccessFacts) -> None:
    everything_holds = (
        found.user_status is Status.ACTIVE
        and found.organization_status is Status.ACTIVE
        and found.is_member
        and found.local_status is Status.ACTIVE
        and found.is_assigned
    )

    assert decide(found).is_valid == everything_holds
    assert all(finding.holds for finding in explain(found)) == everything_holds


@given(facts)
def test_a_denial_has_no_local_name(found: AccessFacts) -> None:
    verdict = decide(found)

    assert verdict.local_name == (found.local_name if verdict.is_valid else "")


@given(facts)
def test_the_reason_is_the_first_condition_that_fails(found: AccessFacts) -> None:
    failed = [finding.reason for finding in explain(found) if not finding.holds]

    assert decide(found).reason is (failed[0] if failed else Reason.ALLOWED)


ids = st.sampled_from(["a", "b"])
user_records = st.builds(
    UserRecord,
    organization_id=ids,
    is_active=st.booleans(),
    locals=st.frozensets(ids),
    permissions=st.just(("x:read",)),
)
organization_records = st.builds(OrganizationRecord, is_active=st.booleans())
local_records = st.builds(LocalRecord, organization_id=ids, name=st.text(), is_active=st.booleans())


@given(
    st.none() | user_records,
    st.none() | organization_records,
    st.none() | local_records,
    ids,
    ids,
)
def test_the_quick_decision_is_the_decision(
    user: UserRecord | None,
    organization: OrganizationRecord | None,
    local: LocalRecord | None,
    organization_id: str,
    local_id: str,
) -> None:
    verdict = decide(facts_of(user, organization, local, organization_id, local_id))

    assert decide_row(user, organization, local, organization_id, local_id) is verdict.reason
    assert local is not None or not verdict.is_valid
    assert verdict.local_name == (local.name if verdict.is_valid and local is not None else "")


@given(user_records, st.none() | organization_records)
def test_permissions_are_all_of_them_or_none(
    user: UserRecord, organization: OrganizationRecord | None
) -> None:
    is_active = user.is_active and organization is not None and organization.is_active

    assert are_active(user, organization) == is_active
    assert current_permissions(user, organization) == (user.permissions if is_active else ())
