"""Builds the paths to Auth from the settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from catalogsvc.authz.breaker import Breaker
from catalogsvc.authz.call import Clock
from catalogsvc.authz.channels import ChannelPool
from catalogsvc.authz.closing import close_all
from catalogsvc.authz.credential import open_tls, show_key
from catalogsvc.authz.feed import Feed
from catalogsvc.authz.feed_transport import GrpcFeed
from catalogsvc.authz.grpc_transport import GrpcTransport, open_codec
from catalogsvc.authz.model import Source
from catalogsvc.authz.path import GuardedPath, Path
from catalogsvc.authz.rest_transport import RestTransport
from catalogsvc.authz.router import Router
from catalogsvc.authz.settings import AuthClientSettings
from svckit.address import Address
from svckit.rpc import Interceptor

__all__ = ["Wires", "make_wires"]

# An attempt that had this much of its time and timed out counts; less, and its caller was in a
# hurry. Not all of it, since some of a call's time is gone before the attempt begins.
FAIR_SHARE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """All ways to Auth: the questions' by `router`, the changes' by `feeds`, one a target."""

    router: Router
    feeds: Sequence[Feed]

    async def close(self) -> None:
        await close_all(self.router.close(), *(feed.close() for feed in self.feeds))


def make_wires(
    settings: AuthClientSettings,
    *,
    interceptors: Sequence[Interceptor],
    clock: Clock,
    log: FilteringBoundLogger,
) -> Wires:
    """Connects to nothing yet. Needs a running event loop. Raises TlsError."""
    codec = open_codec()
    grpc_tls = open_tls(settings, protocol="h2", log=log, clock=clock)
    rest_tls = open_tls(settings, protocol="http/1.1", log=log, clock=clock)
    if settings.service_key:
        interceptors = (*interceptors, show_key(settings.service_key))
    # What the first attempt of an ordinary call gets: half of its time at the most.
    attempt_timeout_s = min(settings.attempt_timeout_s, settings.timeout_s / 2)

    def make_pool(target: str) -> ChannelPool:
        return ChannelPool(
            Address.parse(target), size=settings.channels_per_target, codec=codec, tls=grpc_tls
        )

    def make_target(pool: ChannelPool) -> GuardedPath:
        return GuardedPath(
            GrpcTransport(pool, interceptors=interceptors, clock=clock),
            source=Source.GRPC,
            clock=clock,
            breaker=Breaker(
                failures_max=settings.breaker_failures, cooldown_s=settings.breaker_cooldown_s
            ),
            fair_span_s=FAIR_SHARE * attempt_timeout_s,
            log=log,
        )

    def make_rest(url: str) -> Path:
        transport = RestTransport(url, interceptors=interceptors, clock=clock, tls=rest_tls)
        return Path(transport, source=Source.REST, clock=clock)

    def make_feed(pool: ChannelPool) -> Feed:
        return GrpcFeed(
            pool.address,
            codec=codec,
            interceptors=interceptors,
            tls=grpc_tls,
            suspect=pool.probe,
        )

    pools = [make_pool(target) for target in settings.grpc_targets]

    return Wires(
        router=Router(
            [make_target(pool) for pool in pools],
            [make_rest(url) for url in settings.rest_urls],
            attempt_timeout_s=attempt_timeout_s,
            clock=clock,
            log=log,
        ),
        feeds=[make_feed(pool) for pool in pools],
    )
