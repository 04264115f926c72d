"""Which service is calling: by a key, by a certificate, and by nothing else."""

import pytest

from svckit.callers import (
    Callers,
    Credential,
    LimitedCaller,
    ServiceKey,
    UnknownCaller,
    certificate_names,
)

KEY, NEXT_KEY, OTHER_KEY = "k" * 32, "n" * 32, "o" * 32
CALLERS = Callers(
    keys=(
        ServiceKey.of("catalog", KEY),
        ServiceKey.of("catalog", NEXT_KEY),
        ServiceKey.of("billing", OTHER_KEY),
    ),
    certificates={
        "DNS:catalog.internal": "catalog",
        "URI:spiffe://portero/catalog": "catalog",
        "URI:spiffe://portero/billing": "billing",
    },
    rpcs={"billing": frozenset({"Watch"})},
)


def reason(shown: Credential) -> str:
    with pytest.raises(UnknownCaller) as refused:
        CALLERS.name_of(shown)
    return refused.value.reason


@pytest.mark.parametrize(
    ("key", "name"), [(KEY, "catalog"), (NEXT_KEY, "catalog"), (OTHER_KEY, "billing")]
)
def test_each_of_a_services_keys_names_it(key: str, name: str) -> None:
    assert CALLERS.name_of(Credential(key=key)) == name


@pytest.mark.parametrize("key", ["", "k", "k" * 31, "k" * 33, KEY.upper(), "ñ" * 32, "\udcff"])
def test_any_other_key_names_nobody(key: str) -> None:
    assert reason(Credential(key=key)) == "unknown key"


def test_a_wrong_key_is_refused_even_beside_a_good_certificate() -> None:
    assert reason(Credential(key="x" * 32, names=("DNS:catalog.internal",))) == "unknown key"


def test_a_key_counts_before_a_certificate() -> None:
    shown = Credential(key=OTHER_KEY, names=("DNS:catalog.internal",))

    assert CALLERS.name_of(shown) == "billing"


def test_a_certificate_names_the_service_by_any_of_its_names() -> None:
    names = ("DNS:unknown", "DNS:catalog.internal", "URI:spiffe://portero/catalog")

    assert CALLERS.name_of(Credential(names=names)) == "catalog"


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ((), "no credential"),
        (("DNS:unknown",), "unknown certificate"),
        # The same text as another kind of name.
        (("URI:catalog.internal",), "unknown certificate"),
        (
            ("DNS:catalog.internal", "URI:spiffe://portero/billing"),
            "a certificate of several services",
        ),
    ],
)
def test_other_certificates_name_nobody(names: tuple[str, ...], why: str) -> None:
    assert reason(Credential(names=names)) == why


def test_the_refusal_tells_the_caller_what_to_show_and_not_what_was_wrong() -> None:
    details = set()
    for shown in (Credential(), Credential(key="x"), Credential(names=("DNS:x",))):
        with pytest.raises(UnknownCaller) as refused:
            CALLERS.name_of(shown)
        details.add(refused.value.detail)

    assert details == {
        "this needs a service's credential: a key in x-service-key, or a client certificate"
    }


def test_a_service_without_a_list_may_call_everything_and_one_with_a_list_what_is_in_it() -> None:
    CALLERS.check_may_call("catalog", "ExplainAccess")
    CALLERS.check_may_call("billing", "Watch")

    with pytest.raises(LimitedCaller, match=r"^this service may not call CheckLocals$"):
        CALLERS.check_may_call("billing", "CheckLocals")


@pytest.mark.parametrize(
    ("callers", "is_anyone_known"),
    [
        (Callers(certificates={}, rpcs={}), False),
        (Callers(keys=(ServiceKey.of("a", KEY),), certificates={}, rpcs={}), True),
        (Callers(certificates={"DNS:a": "a"}, rpcs={}), True),
    ],
)
def test_it_says_whether_anyone_is_known(callers: Callers, *, is_anyone_known: bool) -> None:
    assert bool(callers) is is_anyone_known


def test_a_certificates_names_are_its_dns_names_in_small_letters_and_its_uris() -> None:
    certificate = {
        "subject": ((("commonName", "catalog.internal"),),),
        "subjectAltName": (
            ("DNS", "Catalog.Internal"),
            ("URI", "spiffe://Portero/Catalog"),
            ("IP Address", "10.0.0.1"),
            ("email", "ana@acme.test"),
        ),
    }

    assert certificate_names(certificate) == (
        "DNS:catalog.internal",
        "URI:spiffe://Portero/Catalog",
    )
    assert certificate_names({}) == ()
    assert certificate_names(None) == ()


def test_no_repr_shows_a_key() -> None:
    shown = f"{Credential(key=KEY)} {ServiceKey.of('a', KEY)!r} {CALLERS!r}"

    assert KEY not in shown
    assert repr(ServiceKey.of("a", KEY).digest) not in shown
