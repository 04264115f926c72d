"""Who is let in to a call over gRPC, and what is seen of who is not."""

import pytest
from grpclib.exceptions import GRPCError

from svckit.callers import KEY_HEADER, Callers, LimitedCaller, ServiceKey, UnknownCaller
from svckit.gate import SAID_EVERY_S, Gate
from svckit.interceptors import server_interceptors
from svckit.interceptors.callers import guard_calls
from svckit.rpc import RpcCall, run_intercepted
from tests.unit.svckit.seen import Seen

KEY, LIMITED_KEY = "canary-" + "k" * 32, "canary-" + "o" * 32
CALLERS = Callers(
    keys=(ServiceKey.of("catalog", KEY), ServiceKey.of("billing", LIMITED_KEY)),
    certificates={"DNS:catalog": "catalog"},
    rpcs={"billing": frozenset({"Watch"})},
)
CHECK, WATCH = "access.v1.AccessService/CheckLocals", "access.v1.AccessService/Watch"
HEALTH = "grpc.health.v1.Health/Check"
REFLECTION = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


class Door:
    """Calls through all the interceptors of a server, with the gate innermost."""

    def __init__(self) -> None:
        self.now = 0.0
        self.seen = Seen()
        self.refused: list[tuple[str, str, type[Exception]]] = []
        gate = Gate(
            CALLERS,
            log=self.seen.telemetry.log,
            clock=lambda: self.now,
            on_refused=lambda peer, rpc, why: self.refused.append((peer, rpc, type(why))),
        )
        self._interceptors = (*server_interceptors(self.seen.telemetry), guard_calls(gate))
        self.answered = 0

    async def call(
        self, method: str, key: str = "", *, names: tuple[str, ...] = (), peer: str = "10.0.0.1"
    ) -> str:
        """The status, and who was calling."""
        metadata = {KEY_HEADER: key} if key else {}
        call = RpcCall(method=method, side="server", peer=peer, metadata=metadata, peer_names=names)
        try:
            await run_intercepted(self._interceptors, call, self._answer)
        except GRPCError as exc:
            return exc.status.name
        return f"OK {call.caller}"

    async def _answer(self) -> None:
        self.answered += 1


@pytest.mark.parametrize(
    ("method", "key", "names", "outcome"),
    [
        (CHECK, KEY, (), "OK catalog"),
        (CHECK, "", ("DNS:catalog",), "OK catalog"),
        (CHECK, "", (), "UNAUTHENTICATED"),
        (CHECK, KEY[1:], (), "UNAUTHENTICATED"),
        (CHECK, "", ("DNS:other",), "UNAUTHENTICATED"),
        (CHECK, LIMITED_KEY, (), "PERMISSION_DENIED"),
        (WATCH, LIMITED_KEY, (), "OK billing"),
        (HEALTH, "", (), "OK "),
        (HEALTH, KEY[1:], (), "OK "),
        (REFLECTION, "", (), "UNAUTHENTICATED"),
        # It is no RPC of ours that a service could be kept from.
        (REFLECTION, LIMITED_KEY, (), "OK billing"),
        # Only the name of the package opens, not what begins like it.
        ("grpc.health.v1evil.Health/Check", "", (), "UNAUTHENTICATED"),
    ],
)
async def test_each_call_is_let_in_by_its_own_credential(
    method: str, key: str, names: tuple[str, ...], outcome: str
) -> None:
    door = Door()

    assert await door.call(method, key, names=names) == outcome
    assert door.answered == (1 if outcome.startswith("OK") else 0)


async def test_a_refusal_is_counted_as_the_error_it_is() -> None:
    door = Door()

    await door.call(CHECK)
    await door.call(CHECK, LIMITED_KEY)

    errors = {"service": "access.v1", "method": "CheckLocals"}
    for code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        assert door.seen.count("grpc_errors_total", code=code, **errors) == 1
    assert door.refused == [
        ("10.0.0.1", "CheckLocals", UnknownCaller),
        ("10.0.0.1", "CheckLocals", LimitedCaller),
    ]


async def test_a_flood_of_refusals_is_a_line_for_each_peer_and_reason_in_ten_seconds() -> None:
    door = Door()
    for _ in range(100):
        await door.call(CHECK, "x" * 32)
        await door.call(CHECK, LIMITED_KEY)
        await door.call(CHECK, "x" * 32, peer="10.0.0.2")
    door.now += SAID_EVERY_S
    await door.call(CHECK, "x" * 32)

    lines = door.seen.lines("caller_refused")
    assert [(line["peer"], line["reason"], line["count"]) for line in lines] == [
        ("10.0.0.1", "unknown key", 1),
        ("10.0.0.1", "billing may not call CheckLocals", 1),
        ("10.0.0.2", "unknown key", 1),
        ("10.0.0.1", "unknown key", 100),
    ]
    assert {line["log_level"] for line in lines} == {"warning"}


async def test_a_flood_from_everywhere_is_one_line_more() -> None:
    door = Door()

    for number in range(1000):
        await door.call(CHECK, peer=f"10.0.{number // 256}.{number % 256}")

    lines = door.seen.lines("caller_refused")
    assert len(lines) == 101
    assert (lines[-1]["peer"], lines[-1]["reason"]) == ("many others", "various")


async def test_the_log_says_who_called_and_nothing_says_the_key() -> None:
    door = Door()

    await door.call(CHECK, KEY)
    await door.call(CHECK, KEY + "x")

    first, second = door.seen.lines("rpc")
    assert (first["caller"], "caller" in second) == ("catalog", False)
    said = repr((door.seen.capture.entries, [span.to_json() for span in door.seen.spans]))
    assert "canary" not in said


def test_the_repr_of_a_call_does_not_show_its_metadata() -> None:
    call = RpcCall(method=CHECK, side="server", metadata={KEY_HEADER: KEY})

    assert KEY not in repr(call)
