"""Laws of the decision: a yes needs everything, and a no tells nothing."""

from hypothesis import given
from hypothesis import strategies as st

from authsvc.decision import (
    AccessFacts,
    PermissionFacts,
    Reason,
    decide,
    effective_permissions,
    explain,
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


@given(
    st.sampled_from(Status), st.sampled_from(Status), st.frozensets(st.text(max_size=5), max_size=5)
)
def test_permissions_are_all_of_them_or_none(
    user: Status, organization: Status, held: frozenset[str]
) -> None:
    permissions = effective_permissions(
        PermissionFacts(
            organization_id="o",
            user_status=user,
            organization_status=organization,
            role_permissions=held,
        )
    )

    is_active = user is organization is Status.ACTIVE
    assert list(permissions) == (sorted(held) if is_active else [])
