"""If-Match and If-None-Match: what a write expects, and whether it is so."""

import pytest

from svckit.errors import InvalidRequest, PreconditionFailed
from svckit.preconditions import read_precondition

TAG = '"abc"'


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "tag"),
    [
        (None, None, None),
        (None, None, TAG),
        (None, "*", None),
        (None, " * ", None),
        ("*", None, TAG),
        (TAG, None, TAG),
        (f'"x" , {TAG},W/"y"', None, TAG),
    ],
)
def test_what_is_as_expected_passes(
    if_match: str | None, if_none_match: str | None, tag: str | None
) -> None:
    read_precondition(if_match=if_match, if_none_match=if_none_match).check(tag)


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "tag"),
    [
        (None, "*", TAG),
        ("*", None, None),
        (TAG, None, None),
        (TAG, None, '"abcd"'),
        ('"ABC"', None, TAG),
        # A weak tag equals nothing here, not even what it looks like.
        (f"W/{TAG}", None, TAG),
        # Nothing can be there and not be there.
        (TAG, "*", TAG),
        (TAG, "*", None),
    ],
)
def test_what_is_not_as_expected_is_said(
    if_match: str | None, if_none_match: str | None, tag: str | None
) -> None:
    with pytest.raises(PreconditionFailed):
        read_precondition(if_match=if_match, if_none_match=if_none_match).check(tag)


@pytest.mark.parametrize(
    ("if_match", "if_none_match"),
    [
        ("", None),
        ("abc", None),
        ('"abc', None),
        ('*, "abc"', None),
        ('"a" "b"', None),
        ('"a",', None),
        ('"\x00"', None),
        (", ".join([TAG] * 21), None),
        (None, ""),
        (None, TAG),
    ],
)
def test_what_is_no_condition_is_refused(if_match: str | None, if_none_match: str | None) -> None:
    with pytest.raises(InvalidRequest):
        read_precondition(if_match=if_match, if_none_match=if_none_match)
