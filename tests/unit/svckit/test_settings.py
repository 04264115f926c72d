"""Settings: read from variables by type, refused by the variable's name."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from msgspec import Meta

from svckit.address import Address
from svckit.settings import SettingsError, read_settings

Names = Annotated[tuple[str, ...], Meta(min_length=2)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """One field of each type that settings may have."""

    text: str = "default"
    count: int = 1
    span_s: Annotated[float, Meta(gt=0, le=300)] = 1.5
    is_on: bool = False
    is_maybe_on: bool | None = None
    address: Address = Address("127.0.0.1", 1)
    names: tuple[str, ...] = ("default",)
    two_names: Names = ("a", "b")
    ports: tuple[int, ...] = ()
    mode: Literal["fast", "safe"] = "safe"
    maybe: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two settings that stand together, and one that has no default."""

    must: str
    cert: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        if bool(self.cert) != bool(self.key):
            raise ValueError("key: must be set together with the certificate")


def test_unset_variables_leave_the_defaults() -> None:
    assert read_settings(Everything, "X_", {"OTHER_TEXT": "no", "TEXT": "no"}) == Everything()


def test_every_type_is_read() -> None:
    environ = {
        "X_TEXT": "sqlite+aiosqlite:///var/x.db",
        "X_COUNT": "42",
        "X_SPAN_S": "0.25",
        "X_IS_ON": "yes",
        "X_ADDRESS": "[::1]:80",
        "X_NAMES": "a, b ,,c",
        "X_TWO_NAMES": "c,d",
        "X_PORTS": "1,2",
        "X_MODE": "fast",
        "X_MAYBE": "7",
    }

    assert read_settings(Everything, "X_", environ) == Everything(
        text="sqlite+aiosqlite:///var/x.db",
        count=42,
        span_s=0.25,
        is_on=True,
        address=Address("::1", 80),
        names=("a", "b", "c"),
        two_names=("c", "d"),
        ports=(1, 2),
        mode="fast",
        maybe=7,
    )


@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_an_empty_variable_counts_as_unset(value: str) -> None:
    environ = {"X_TEXT": value, "X_COUNT": value, "X_NAMES": value, "X_IS_ON": value}

    assert read_settings(Everything, "X_", environ) == Everything()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("yes", True),
        ("YES", True),
        ("true", True),
        ("True", True),
        ("1", True),
        ("no", False),
        ("No", False),
        ("false", False),
        ("0", False),
    ],
)
@pytest.mark.parametrize("name", ["is_on", "is_maybe_on"])
def test_yes_and_no_have_their_usual_spellings(name: str, value: str, expected: bool) -> None:
    settings = read_settings(Everything, "X_", {f"X_{name.upper()}": value})

    assert getattr(settings, name) is expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COUNT", "many"),
        ("COUNT", "1.5"),
        ("COUNT", "9" * 5000),
        ("COUNT", "\udcff"),
        ("SPAN_S", "0"),
        ("SPAN_S", "301"),
        ("SPAN_S", "nan"),
        ("SPAN_S", "inf"),
        ("IS_ON", "maybe"),
        ("IS_ON", "2"),
        ("ADDRESS", "here"),
        ("ADDRESS", "host:99999"),
        ("TWO_NAMES", "alone"),
        ("PORTS", "1,x"),
        ("MODE", "slow"),
        ("MAYBE", "x"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_the_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(Everything, "X_", {f"X_{name}": value})

    assert str(caught.value).startswith(f"X_{name}: ")
    assert "$`" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_variable_without_a_default_must_be_set() -> None:
    with pytest.raises(SettingsError, match=r"^X_MUST is not set$"):
        read_settings(Pair, "X_", {"X_MUST": " "})


def test_a_half_set_pair_is_refused_by_the_name_of_the_variable() -> None:
    with pytest.raises(SettingsError, match=r"^X_KEY: must be set together with the certificate$"):
        read_settings(Pair, "X_", {"X_MUST": "x", "X_CERT": "c.pem"})


def test_text_of_any_kind_is_never_quoted_in_a_refusal() -> None:
    # A database URL may hold a password.
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Secrets:
        url: Annotated[str, Meta(max_length=20)] = ""
        key: Annotated[str, Meta(pattern="^[a-z]*$")] = ""
        count: int = 0

    for name in ("URL", "KEY", "COUNT"):
        with pytest.raises(SettingsError) as caught:
            read_settings(Secrets, "X_", {f"X_{name}": "postgresql://u:hunter2@host/db"})
        assert "hunter2" not in str(caught.value)
