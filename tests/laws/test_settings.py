"""Law of settings: whatever the environment holds, it is read or refused by name."""

from dataclasses import dataclass
from typing import Annotated

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from svckit.address import Address
from svckit.settings import SettingsError, read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    text: str = ""
    count: int = 0
    span_s: Annotated[float, Meta(gt=0, le=300)] = 1.0
    is_on: bool = False
    address: Address = Address("127.0.0.1", 1)
    names: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


# What the system cannot decode arrives as surrogates, so they are in; NUL cannot arrive.
texts = st.text(st.characters(exclude_characters="\x00"))
numbers = st.integers().map(str) | st.floats().map(str)
addresses = st.builds("{}:{}".format, texts, st.integers(-1, 70_000))
variables = st.sampled_from(
    ["X_TEXT", "X_COUNT", "X_SPAN_S", "X_IS_ON", "X_ADDRESS", "X_NAMES", "X_PORTS"]
)


@given(st.dictionaries(variables, texts | numbers | addresses))
def test_any_environment_is_read_or_refused_by_the_name_of_a_variable(
    environ: dict[str, str],
) -> None:
    settings, refusal = Everything(), ""
    try:
        settings = read_settings(Everything, "X_", environ)
    except SettingsError as exc:
        refusal = str(exc)

    assert not refusal or refusal.partition(": ")[0] in environ
    assert 0 < settings.span_s <= 300
    assert 0 <= settings.address.port <= 65_535


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1), st.integers(0, 65_535))
def test_an_address_that_is_accepted_is_written_as_it_was_read(host: str, port: int) -> None:
    try:
        address = Address.parse(f"{host}:{port}")
    except ValueError:
        return

    assert Address.parse(str(address)) == address
