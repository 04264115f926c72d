"""TLS on real sockets: whose certificates are believed, and new files taken up in flight."""

import asyncio
import datetime
import os
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography.hazmat.primitives import serialization

from svckit.callers import certificate_names
from svckit.tls import FreshContext, TlsError, TlsFiles, client_tls, server_tls
from tests.certificates import Authority, Pem
from tests.unit.svckit.seen import Seen

SAN = "spiffe://portero/catalog"
UNTIL = datetime.timedelta(seconds=-1)
HOUR = datetime.timedelta(hours=1)

Main = Callable[[], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Place:
    """Files of a server, to be replaced, and a clock that a test moves."""

    folder: Path
    now: float = 0.0
    seen: Seen = field(default_factory=Seen)
    authority: Authority = field(init=False)

    def __post_init__(self) -> None:
        self.authority = Authority(self.folder / "papers")
        self.install(self.authority.issue(ips=["127.0.0.1"]))
        self.believe(self.authority)

    @property
    def files(self) -> TlsFiles:
        return TlsFiles(
            cert=str(self.folder / "cert"), key=str(self.folder / "key"), ca=str(self.folder / "ca")
        )

    def install(self, pem: Pem) -> None:
        shutil.copy(pem.cert, self.files.cert)
        shutil.copy(pem.key, self.files.key)

    def believe(self, *authorities: Authority) -> None:
        Path(self.files.ca).write_bytes(b"".join(a.path.read_bytes() for a in authorities))

    def server(self, protocol: str = "h2") -> FreshContext:
        return server_tls(
            self.files, protocol=protocol, log=self.seen.telemetry.log, clock=lambda: self.now
        )

    def client(self, pem: Pem | None = None) -> FreshContext:
        own = TlsFiles(ca=str(self.authority.path))
        if pem is not None:
            own = TlsFiles(cert=str(pem.cert), key=str(pem.key), ca=str(self.authority.path))
        return client_tls(own, protocol="h2", log=Seen().telemetry.log, clock=lambda: self.now)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@asynccontextmanager
async def greeting(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A server that says whom it sees; its port."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        names = certificate_names(writer.get_extra_info("peercert"))
        with suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line.strip() + b" " + ",".join(names).encode() + b"\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Caller:
    """One connection, kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def calls(cls, port: int, context: ssl.SSLContext) -> AsyncIterator["Caller"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        try:
            yield cls(reader, writer)
        finally:
            writer.transport.abort()

    async def greeted(self) -> str:
        """Raises OSError when the server has hung up."""
        self._writer.write(b"hello\n")
        line = await self._reader.readline()
        if not line:
            raise ConnectionResetError
        return line.decode().strip()

    @property
    def server_number(self) -> str:
        number: str = self._writer.get_extra_info("peercert")["serialNumber"]
        return number


async def greeted(port: int, context: ssl.SSLContext) -> str:
    async with asyncio.timeout(5.0), Caller.calls(port, context) as caller:
        return await caller.greeted()


async def number_of(port: int, context: ssl.SSLContext) -> str:
    async with asyncio.timeout(5.0), Caller.calls(port, context) as caller:
        return caller.server_number


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_on_both_loops_new_files_are_for_new_connections_and_the_open_ones_go_on(
    place: Place, run: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    async def main() -> None:
        client = place.client(place.authority.issue(uris=[SAN]))
        async with greeting(place.server()) as port, Caller.calls(port, client) as early:
            assert await early.greeted() == f"hello URI:{SAN}"

            place.install(place.authority.issue(ips=["127.0.0.1"]))
            assert await number_of(port, client) == early.server_number  # within the second
            place.now += 1.0

            assert await number_of(port, client) != early.server_number
            assert await early.greeted() == f"hello URI:{SAN}"

    run(main())
    assert [line["event"] for line in place.seen.capture.entries] == ["tls_files_renewed"]


async def test_files_that_do_not_fit_change_nothing_and_are_said_once(place: Place) -> None:
    client = place.client()
    async with greeting(place.server()) as port:
        old = await number_of(port, client)
        fresh = place.authority.issue(ips=["127.0.0.1"])
        for spoil in (
            lambda: shutil.copy(fresh.cert, place.files.cert),  # not yet its key
            lambda: Path(place.files.cert).write_text("-----BEGIN CERTIFICATE-----\nbm8=\n"),
            lambda: Path(place.files.cert).write_bytes(b""),
            lambda: os.unlink(place.files.cert),
        ):
            spoil()
            for _ in range(3):
                place.now += 1.0
                assert await number_of(port, client) == old
        spoilt = [line["reason"] for line in place.seen.lines("tls_files_unusable")]
        place.install(fresh)
        place.now += 1.0

        assert await number_of(port, client) != old

    assert len(spoilt) == 4
    assert spoilt[0] == "not usable as PEM files: KEY_VALUES_MISMATCH"
    assert spoilt[3].startswith(f"cannot read {place.files.cert}: ")


async def test_a_client_shows_its_new_certificate_when_it_connects_again(place: Place) -> None:
    own = place.authority.issue(uris=[SAN])
    client = place.client(own)
    async with greeting(place.server()) as port:
        before = await greeted(port, client)
        renewed = place.authority.issue(uris=[SAN + "/2"])
        shutil.copy(renewed.cert, own.cert)
        shutil.copy(renewed.key, own.key)
        place.now += 1.0

        assert (before, await greeted(port, client)) == (
            f"hello URI:{SAN}",
            f"hello URI:{SAN}/2",
        )


async def test_the_authority_may_change_and_an_old_session_does_not_outlive_it(
    place: Place,
) -> None:
    other = Authority(place.folder / "others", "another authority")
    ours, theirs = place.authority.issue(uris=[SAN]), other.issue(uris=[SAN])
    client = place.client(ours)
    async with greeting(place.server()) as port:
        assert await greeted(port, client) == f"hello URI:{SAN}"
        with pytest.raises(OSError):  # noqa: PT011 # a reset, an alert: what the peer's refusal looks like is not promised
            await greeted(port, place.client(theirs))

        place.believe(place.authority, other)
        place.now += 1.0
        assert await greeted(port, client) == f"hello URI:{SAN}"
        assert await greeted(port, place.client(theirs)) == f"hello URI:{SAN}"

        place.believe(other)
        place.now += 1.0
        with pytest.raises(OSError):  # noqa: PT011 # as above
            await greeted(port, client)
        assert await greeted(port, place.client(theirs)) == f"hello URI:{SAN}"


async def test_a_certificate_is_looked_at_on_each_connection_and_no_session_is_resumed(
    place: Place,
) -> None:
    own = place.authority.issue(uris=[SAN])
    client = ssl.create_default_context(cafile=str(place.authority.path))
    client.load_cert_chain(own.cert, own.key)

    def call(port: int, session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None]:
        """Whether it was resumed, and what to resume; by hand, for asyncio takes no session."""
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5.0) as plain,
            client.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as tls,
        ):
            tls.sendall(b"hello\n")
            tls.recv(100)  # a ticket would come before it
            return bool(tls.session_reused), tls.session

    async with greeting(place.server()) as port:
        _, session = await asyncio.to_thread(call, port, None)
        is_resumed, _ = await asyncio.to_thread(call, port, session)

    assert not is_resumed


async def test_tls_1_2_is_spoken_only_where_no_certificates_are_asked_for(place: Place) -> None:
    client = ssl.create_default_context(cafile=str(place.authority.path))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    plain = TlsFiles(cert=place.files.cert, key=place.files.key)
    without = server_tls(plain, protocol="h2", log=place.seen.telemetry.log, clock=lambda: 0.0)

    async with greeting(without) as port:
        assert await greeted(port, client) == "hello"
    async with greeting(place.server()) as port:
        with pytest.raises(OSError):  # noqa: PT011 # as above
            await greeted(port, client)


async def test_a_bad_certificate_ends_the_connection_and_the_log_says_why_but_rarely(
    place: Place,
) -> None:
    other = Authority(place.folder / "others", "another authority")
    bad = {
        "certificate has expired": place.authority.issue(uris=[SAN], ends=UNTIL),
        "certificate is not yet valid": place.authority.issue(uris=[SAN], starts=HOUR),
        "self-signed certificate": place.authority.issue(uris=[SAN], is_self_signed=True),
        "unable to get local issuer certificate": other.issue(uris=[SAN]),
    }
    async with greeting(place.server()) as port:
        for pem in bad.values():
            for _ in range(3):
                with pytest.raises(OSError):  # noqa: PT011 # as above
                    await greeted(port, place.client(pem))
        without = await greeted(port, place.client())

    assert without == "hello"
    refused = place.seen.lines("certificate_refused")
    assert [(line["reason"], line["count"]) for line in refused] == [(why, 1) for why in bad]


@pytest.mark.parametrize(
    "issued",
    [
        {"ips": ["127.0.0.2"]},
        {"dns": ["localhost"]},
        {"ips": ["127.0.0.1"], "ends": UNTIL},
        {"ips": ["127.0.0.1"], "starts": HOUR},
        {"ips": ["127.0.0.1"], "is_self_signed": True},
    ],
)
async def test_a_client_believes_no_server_that_is_not_the_one_it_asked_for(
    place: Place, issued: dict[str, Any]
) -> None:
    place.install(place.authority.issue(**issued))

    async with greeting(place.server()) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await greeted(port, place.client())


@pytest.mark.parametrize(("served", "chosen"), [("h2", "h2"), ("http/1.1", "http/1.1")])
async def test_a_port_speaks_its_one_protocol_whatever_else_is_offered(
    place: Place, served: str, chosen: str
) -> None:
    offering = ssl.create_default_context(cafile=str(place.authority.path))
    offering.set_alpn_protocols(["h2", "http/1.1"])

    async with greeting(place.server(served)) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=offering)
        negotiated = writer.get_extra_info("ssl_object")
        assert negotiated.selected_alpn_protocol() == chosen
        assert negotiated.version() in ("TLSv1.2", "TLSv1.3")
        writer.transport.abort()


async def test_tls_before_1_2_is_refused(place: Place) -> None:
    old = ssl.create_default_context(cafile=str(place.authority.path))
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.deprecated_call():
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1

    async with greeting(place.server()) as port:
        with pytest.raises(OSError):  # noqa: PT011 # as above
            await greeted(port, old)


def test_files_that_cannot_be_used_stop_the_start_and_say_which(place: Place) -> None:
    encrypted = place.folder / "encrypted"
    key = serialization.load_pem_private_key(Path(place.files.key).read_bytes(), None)
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    other = place.authority.issue(ips=["127.0.0.1"])
    files = place.files
    for broken, reason in (
        (TlsFiles(cert="/no/cert", key=files.key), "cannot read /no/cert: No such file"),
        (TlsFiles(cert=files.cert, key="/no/key"), "cannot read /no/key: No such file"),
        (TlsFiles(cert=files.cert, key=files.key, ca="/no/ca"), "cannot read /no/ca: No such"),
        (TlsFiles(cert=files.cert, key=str(encrypted)), "the key is encrypted"),
        (TlsFiles(cert=files.cert, key=str(other.key)), "not usable as PEM files: KEY_VALUES_MIS"),
        (TlsFiles(cert=files.key, key=files.key), "not usable as PEM files: "),
        (TlsFiles(cert=files.cert, key=files.key, ca=files.key), "not usable as PEM files: NO_C"),
        (TlsFiles(cert=str(place.folder), key=files.key), "cannot read"),
    ):
        with pytest.raises(TlsError) as refused:
            server_tls(broken, protocol="h2", log=place.seen.telemetry.log, clock=lambda: 0.0)
        assert str(refused.value).startswith(reason), refused.value
