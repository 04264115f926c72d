"""Law of logs: whatever else is logged, what has a telling name does not come out."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from svckit.logs import redact


@given(st.dictionaries(st.text(), st.text() | st.integers()))
def test_a_secret_under_a_telling_name_never_comes_out(extra: dict[str, Any]) -> None:
    for name in ("token", "Authorization", "x-api-key", "DB_PASSWORD", "private_pem"):
        event = redact(None, "info", {**extra, name: "s3cr3t-value"})

        assert "s3cr3t-value" not in repr(event)
