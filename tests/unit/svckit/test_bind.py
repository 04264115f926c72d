"""Addresses: read strictly, and listened on before anything else starts."""

import errno
import socket

import pytest

from svckit.address import Address
from svckit.bind import BindError, bind, bound_address

LOOPBACK = Address("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:50051", "127.0.0.1", 50051),
        ("localhost:0", "localhost", 0),
        ("auth.internal:65535", "auth.internal", 65535),
        ("[::1]:80", "::1", 80),
        ("[fe80::1%lo]:80", "fe80::1%lo", 80),
    ],
)
def test_an_address_is_read_and_written_the_same(text: str, host: str, port: int) -> None:
    address = Address.parse(text)

    assert address == Address(host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        ":80",
        "host",
        "host:",
        "host:http",
        "host:-1",
        "host:+1",
        "host: 80",
        "host:8_0",
        "host:٣",
        "host:65536",
        "host:" + "9" * 5000,
        "::1:80",
        "2001:db8::1",
        "[::1:80",
        "::1]:80",
        "[]:80",
        "[localhost]:80",
        "http://host:80",
        "ho\nst:80",
        "höst:80",
        "\udcff:80",
    ],
)
def test_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not host:port|above 65535"):
        Address.parse(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_known(host: str) -> None:
    assert Address(host, 1).is_loopback


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "10.0.0.1", "example.com", "127.1", "localhost.example.com", "0"],  # noqa: S104 # asked about, not bound
)
def test_whatever_is_not_surely_loopback_is_beyond_it(host: str) -> None:
    assert not Address(host, 1).is_loopback


def test_port_zero_gets_a_free_port_that_answers() -> None:
    with bind(LOOPBACK, variable="X_BIND") as listener:
        address = bound_address(listener)
        assert address.host == "127.0.0.1"
        assert address.port > 0
        socket.create_connection((address.host, address.port), timeout=5).close()


def test_an_ipv6_address_is_listened_on() -> None:
    with bind(Address("::1", 0), variable="X_BIND") as listener:
        address = bound_address(listener)
        assert str(address) == f"[::1]:{address.port}"
        socket.create_connection((address.host, address.port), timeout=5).close()


def test_a_taken_port_is_refused_by_the_variable_and_the_address() -> None:
    with bind(LOOPBACK, variable="X_BIND") as listener:
        taken = bound_address(listener)
        with pytest.raises(BindError) as caught:
            bind(taken, variable="Y_BIND")

    assert str(caught.value) == f"Y_BIND: cannot listen on {taken}: Address already in use"


@pytest.mark.parametrize("host", ["256.0.0.1", "no such host.invalid", "a..b", "x" * 300])
def test_a_host_that_is_none_is_refused_by_the_variable(host: str) -> None:
    with pytest.raises(BindError, match=r"^X_BIND: cannot listen on "):
        bind(Address(host, 0), variable="X_BIND")


def test_an_address_of_another_machine_is_refused() -> None:
    # 192.0.2.0/24 is reserved for documentation: no machine has it.
    with pytest.raises(BindError, match=r"^X_BIND: cannot listen on 192\.0\.2\.1:0: "):
        bind(Address("192.0.2.1", 0), variable="X_BIND")


def test_a_system_without_ipv6_is_refused_by_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_family(*_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", no_such_family)

    with pytest.raises(BindError, match=r"^X_BIND: .*\[::1\]:0: Address family not supported"):
        bind(Address("::1", 0), variable="X_BIND")
