"""The ways from a client of the simulation to all Auths, with the real router and breakers."""

from collections.abc import Sequence

from structlog.typing import FilteringBoundLogger

from catalogsvc.authz import AuthClientSettings, Source
from catalogsvc.authz.breaker import Breaker
from catalogsvc.authz.path import GuardedPath, Path
from catalogsvc.authz.router import Router
from catalogsvc.authz.wiring import FAIR_SHARE, Wires
from tests.simulation.feed_wires import FeedOverNetwork
from tests.simulation.network import Network
from tests.simulation.process import Process
from tests.simulation.replica import Place
from tests.simulation.wires import TransportOverNetwork

__all__ = ["SETTINGS", "make_wires"]

SETTINGS = AuthClientSettings(
    grpc_targets=("a:1", "b:1"),  # names only; the wires are ours
    timeout_s=3.0,
    attempt_timeout_s=1.0,
    # An outage must not outlive its end by more than the promise.
    breaker_cooldown_s=2.0,
    cache_entries_max=16,  # not enough for all, so that some are always asked for
)


def make_wires(
    process: Process,
    places: Sequence[Place],
    network: Network,
    *,
    has_rest: bool,
    log: FilteringBoundLogger,
) -> Wires:
    clock = process.loop.time

    def make_transport(place: Place, source: Source) -> TransportOverNetwork:
        name = f"{source.lower()}://{place.name}"
        return TransportOverNetwork(place, process, network, name=name, source=source)

    targets = [
        GuardedPath(
            make_transport(place, Source.GRPC),
            source=Source.GRPC,
            clock=clock,
            breaker=Breaker(
                failures_max=SETTINGS.breaker_failures, cooldown_s=SETTINGS.breaker_cooldown_s
            ),
            fair_span_s=FAIR_SHARE * SETTINGS.attempt_timeout_s,
            log=log,
        )
        for place in places
    ]
    rest = [
        Path(make_transport(place, Source.REST), source=Source.REST, clock=clock)
        for place in places
        if has_rest
    ]
    return Wires(
        router=Router(
            targets, rest, attempt_timeout_s=SETTINGS.attempt_timeout_s, clock=clock, log=log
        ),
        feeds=[FeedOverNetwork(place, process, network) for place in places],
    )
