"""Laws of who is calling: only a key that was given out names anyone, and it names its owner."""

from hypothesis import given
from hypothesis import strategies as st

from svckit.callers import Callers, Credential, ServiceKey, UnknownCaller
from svckit.rare_lines import RareLines

NAMES = st.sampled_from(["catalog", "billing", "search"])
KEYS = st.text(min_size=0, max_size=40)
SANS = st.sampled_from(["DNS:a", "DNS:b", "URI:c:d", "URI:e:f"])


@given(owners=st.dictionaries(KEYS, NAMES, max_size=8), shown=KEYS)
def test_a_key_names_its_owner_and_no_other_text_names_anyone(
    owners: dict[str, str], shown: str
) -> None:
    callers = Callers(
        keys=[ServiceKey.of(name, key) for key, name in owners.items()], certificates={}, rpcs={}
    )

    for key, name in owners.items():
        assert callers.name_of(Credential(key=key)) == name
    assert _name_or_none(callers, Credential(key=shown)) == owners.get(shown)


@given(
    owners=st.dictionaries(KEYS, NAMES, max_size=4),
    certificates=st.dictionaries(SANS, NAMES),
    shown=st.builds(Credential, key=st.none() | KEYS, names=st.lists(SANS, max_size=4).map(tuple)),
)
def test_a_caller_is_never_taken_for_a_service_that_its_credential_does_not_name(
    owners: dict[str, str], certificates: dict[str, str], shown: Credential
) -> None:
    callers = Callers(
        keys=[ServiceKey.of(name, key) for key, name in owners.items()],
        certificates=certificates,
        rpcs={},
    )

    name = _name_or_none(callers, shown)

    if shown.key is not None:
        assert name == owners.get(shown.key)
    else:
        meant = {certificates[san] for san in shown.names if san in certificates}
        assert name == (meant.pop() if len(meant) == 1 else None)


@given(
    steps=st.lists(st.tuples(st.integers(0, 5), st.floats(0, 8))),
    kinds_max=st.integers(1, 4),
)
def test_lines_are_rare_and_few_and_their_counts_add_up(
    steps: list[tuple[int, float]], kinds_max: int
) -> None:
    lines: RareLines[int] = RareLines(period_s=10, kinds_max=kinds_max)
    now, told = 0.0, 0
    said_at: dict[int | None, float] = {}

    for happened, (kind, later) in enumerate(steps, start=1):
        now += later
        line = lines.happened(kind, now)
        if line is not None:
            assert now - said_at.get(line.kind, -10.0) >= 10.0 - 1e-9
            said_at[line.kind] = now
            told += line.count
        assert told <= happened
        assert len(lines) <= kinds_max + 1


def _name_or_none(callers: Callers, shown: Credential) -> str | None:
    try:
        return callers.name_of(shown)
    except UnknownCaller:
        return None
