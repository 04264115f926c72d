"""TLS for servers and clients, by PEM files that may be replaced at any time.

Each connection is made with the files as they are when it begins, checked once a second at most;
those that are open already go on as they began. Files that cannot be used change nothing.
"""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from svckit.rare_lines import RareLines
from svckit.service import StartError

__all__ = ["TlsFiles", "TlsError", "FreshContext", "server_tls", "client_tls", "own_port_tls"]

CHECKED_EVERY_S = 1.0
REFUSED_EVERY_S = 10.0
REFUSED_KINDS_MAX = 32  # OpenSSL has about as many reasons that occur

Clock = Callable[[], float]


class TlsError(StartError):
    """The files cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Paths. `cert` (a chain) and `key` are one's own, `ca` is whom to believe; "" is none."""

    cert: str = ""
    key: str = ""
    ca: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(path for path in (self.cert, self.key, self.ca) if path)

    def versions(self) -> tuple[tuple[int, ...], ...]:
        """Differs when a file has been written, replaced or taken away."""
        return tuple(_version(path) for path in self.paths)

    def check(self) -> None:
        """Raises OSError with the name of a file that cannot be read: OpenSSL would not tell."""
        for path in self.paths:
            with open(path, "rb"):
                pass


class FreshContext(ssl.SSLContext):
    """Where a context is wanted: each connection gets one made from the files as they are now.

    A new context each time, instead of a change in the one there is: half-read files cannot spoil
    it, and no session can be resumed that an authority vouched for which is not believed any more.
    `clock` gives monotonic seconds. Raises TlsError.
    """

    def __new__(cls, *_: Any, **__: Any) -> "FreshContext":
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(
        self,
        files: TlsFiles,
        make: Callable[[TlsFiles], ssl.SSLContext],
        *,
        log: FilteringBoundLogger,
        clock: Clock,
    ) -> None:
        self._files = files
        self._make = make
        self._log = log
        self._clock = clock
        self._lines: RareLines[str] = RareLines(
            period_s=REFUSED_EVERY_S, kinds_max=REFUSED_KINDS_MAX
        )
        self._checked_at = clock()
        self._versions = files.versions()
        try:
            self._newest = self._read()
        except (OSError, ValueError) as exc:
            raise TlsError(_reason(exc)) from exc

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """What asyncio and uvloop call for each connection."""
        context = self._fresh()
        wrapped = context.wrap_bio(*args, **kwargs)
        assert isinstance(wrapped, _SaidWhenRefused)
        wrapped.say = self._say_refused
        return wrapped

    def _fresh(self) -> ssl.SSLContext:
        now = self._clock()
        if now - self._checked_at >= CHECKED_EVERY_S:
            self._checked_at = now
            try:
                self._renew()
            except (OSError, ValueError) as exc:
                self._log.warning("tls_files_unusable", reason=_reason(exc))
        return self._newest

    def _renew(self) -> None:
        versions = self._files.versions()
        if versions == self._versions:
            return
        # First: what is unusable is said once. If they change while we read, we come back.
        self._versions = versions
        self._newest = self._read()
        self._log.info("tls_files_renewed")

    def _read(self) -> ssl.SSLContext:
        self._files.check()
        return self._make(self._files)

    def _say_refused(self, reason: str) -> None:
        line = self._lines.happened(reason, self._clock())
        if line is not None:
            self._log.warning(
                "certificate_refused", reason=line.kind or "various", count=line.count
            )


class _SaidWhenRefused(ssl.SSLObject):
    """Without it nothing at all would tell that a peer's certificate was refused."""

    say: Callable[[str], None]

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as exc:
            self.say(exc.verify_message)
            raise


def server_tls(
    files: TlsFiles, *, protocol: str, log: FilteringBoundLogger, clock: Clock
) -> FreshContext:
    """`protocol` is ALPN's name: "h2", "http/1.1". Raises TlsError.

    With a `ca`, it is TLS 1.3 only, and a client may show a certificate: one that is not good ends
    the connection.
    Whether it must show one is decided call by call: health is for everybody.
    """

    def make(files: TlsFiles) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        _set_up(context, files, protocol)
        if files.ca:
            context.load_verify_locations(cafile=files.ca)
            context.verify_mode = ssl.CERT_OPTIONAL
            # A resumed session would bring its certificate with no look at whether it has expired.
            # TLS 1.2 resumes without tickets too, and Python has no switch for that.
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.num_tickets = 0
        return context

    return FreshContext(files, make, log=log, clock=clock)


def client_tls(
    files: TlsFiles, *, protocol: str, log: FilteringBoundLogger, clock: Clock
) -> FreshContext:
    """Believes `files.ca` alone, and shows `files.cert` to who asks for it. Raises TlsError."""

    def make(files: TlsFiles) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=files.ca)
        _set_up(context, files, protocol)
        return context

    return FreshContext(files, make, log=log, clock=clock)


def own_port_tls() -> ssl.SSLContext:
    """For a question to a port of this very process, by an address that is in no certificate.

    Nothing may be sent that is secret, and nothing believed that matters.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def _set_up(context: ssl.SSLContext, files: TlsFiles, protocol: str) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([protocol])
    # Their type says SSLSocket and SSLObject itself, but documents the subclass.
    context.sslobject_class = _SaidWhenRefused
    if files.cert:
        context.load_cert_chain(files.cert, files.key, password=_no_password)


def _version(path: str) -> tuple[int, ...]:
    try:
        stat = os.stat(path)
    except OSError:
        return ()
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _no_password() -> str:
    """For an encrypted key OpenSSL would ask on the terminal, and wait."""
    raise ValueError("the key is encrypted")


def _reason(exc: Exception) -> str:
    """Says which file where the system says it; never what is in one."""
    if isinstance(exc, ssl.SSLError):
        return f"not usable as PEM files: {exc.reason or 'no certificate or key in it'}"
    if isinstance(exc, OSError):
        return f"cannot read {exc.filename}: {exc.strerror}"
    return str(exc)
