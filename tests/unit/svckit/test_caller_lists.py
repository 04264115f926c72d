"""The lists of services that may call: what is read from them, and what stops the start."""

from collections.abc import Callable, Sequence

import pytest

from svckit.caller_lists import check_key, read_client_names, read_service_keys, read_service_rpcs
from svckit.callers import ServiceKey

KEY, OTHER_KEY = "k" * 32, "o:/+=" * 8


def read_rpcs(entries: Sequence[str]) -> dict[str, frozenset[str]]:
    return read_service_rpcs(entries, services={"catalog", "billing"}, rpcs=("Check", "Watch"))


def test_a_name_may_stand_before_several_keys() -> None:
    keys = read_service_keys((f"catalog:{KEY}", f"billing:{OTHER_KEY}", f"catalog:{KEY}x"))

    assert keys == (
        ServiceKey.of("catalog", KEY),
        ServiceKey.of("billing", OTHER_KEY),
        ServiceKey.of("catalog", KEY + "x"),
    )


def test_a_certificate_name_is_a_host_name_or_a_uri() -> None:
    assert read_client_names(("Catalog.Internal=catalog", "spiffe://a/b?c=d=billing")) == {
        "DNS:catalog.internal": "catalog",
        "URI:spiffe://a/b?c=d": "billing",
    }


def test_a_service_may_be_kept_to_some_rpcs() -> None:
    assert read_rpcs(("catalog:Check+Watch", "billing:Watch")) == {
        "catalog": frozenset({"Check", "Watch"}),
        "billing": frozenset({"Watch"}),
    }


@pytest.mark.parametrize(
    ("read", "entries", "reason"),
    [
        (read_service_keys, (KEY + "!",), "entry 1 is not name:key"),
        (read_service_keys, (f":{KEY}",), "entry 1 is not name:key"),
        (read_service_keys, (f"Catalog:{KEY}",), "entry 1 is not name:key"),
        (read_service_keys, (f"a:{KEY}", "b:" + "k" * 31), "the key of entry 2 is not 32 or more"),
        (read_service_keys, (f"a:{KEY} x",), "the key of entry 1 is not 32 or more"),
        (read_service_keys, (f"a:{KEY}ñ",), "the key of entry 1 is not 32 or more"),
        (read_service_keys, ("a:" + "k" * 1025,), "the key of entry 1 is not 32 or more"),
        (read_service_keys, (f"a:{KEY}", f"b:{KEY}"), "the key of entry 2 stands there twice"),
        (read_client_names, ("catalog",), "entry 1 is not a DNS name or URI"),
        (read_client_names, ("=catalog",), "entry 1 is not a DNS name or URI"),
        (read_client_names, ("a=",), "entry 1 is not a DNS name or URI"),
        (read_client_names, ("*.internal=catalog",), "entry 1 is not a DNS name or URI"),
        (read_client_names, ("a=b", "A=c"), "entry 2 names a certificate that has a service"),
        (read_rpcs, ("nobody:Check",), "entry 1 names a service that has no key"),
        (read_rpcs, ("catalog:Check", "catalog:Watch"), "entry 2 names a service that has an"),
        (read_rpcs, ("catalog:Guess",), "entry 1 names an RPC that is none of Check, Watch"),
        (read_rpcs, ("catalog:",), "entry 1 names an RPC that is none of"),
        (read_rpcs, ("catalog",), "entry 1 names an RPC that is none of"),
    ],
)
def test_a_bad_entry_is_named_by_its_number_and_not_repeated(
    read: Callable[[Sequence[str]], object], entries: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(ValueError, match="entry") as refused:
        read(entries)

    assert str(refused.value).startswith(reason)
    assert "kk" not in str(refused.value)


@pytest.mark.parametrize("key", ["!" * 32, "~" * 1024, "a-b" * 11, KEY])
def test_a_key_is_any_32_characters_that_a_header_and_a_comma_list_can_carry(key: str) -> None:
    check_key(key)
