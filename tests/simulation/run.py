"""One run of the simulation, made from one number: the same number makes the same run."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from random import Random

from tests.simulation.client import LIVENESS_S, Client
from tests.simulation.client_wires import SETTINGS
from tests.simulation.faults import FAULTS, Fault, keep_breaking
from tests.simulation.population import keep_writing
from tests.simulation.virtual_loop import WaitsForever
from tests.simulation.world import World

__all__ = ["Broken", "simulate"]

CHAOS_S = 5.0


class Broken(AssertionError):
    """A promise was broken: by which seed, how, and what happened last."""

    def __init__(self, seed: int, why: str, trace: list[str]) -> None:
        rerun = f"rerun it with: python -m tests.simulation {seed}"
        super().__init__("\n".join([f"seed {seed}: {why}", *trace, rerun]))
        self.seed = seed
        self.why = why


def simulate(seed: int) -> Counter[str]:
    """What happened, by kind and number. Raises Broken."""
    # The client's jitter is of the module's own generator.
    random.seed(seed)
    world = World(seed)
    try:
        _run(world)
        world.end()
        assert not world.complaints, "; ".join(world.complaints)
    except (AssertionError, WaitsForever) as exc:
        with suppress(Exception):
            world.end()
        raise Broken(seed, str(exc), list(world.trace)) from exc
    return world.counts


def _run(world: World) -> None:
    main = world.nature.spawn(_live(world))
    while not main.done():
        world.timeline.step()
        assert not world.oracle.violations, world.oracle.violations[0]
    main.result()


async def _live(world: World) -> None:
    rng = world.rng
    for client in world.clients:
        client.start(askers=2, every_s=0.1)
    writing = asyncio.create_task(
        keep_writing(
            world.database,
            world.rng_of("writes"),
            world.counts,
            every_s=rng.choice((0.05, 0.2, 1.0)),
        )
    )
    breaking = asyncio.create_task(
        keep_breaking(world, _some_faults(rng), every_s=rng.choice((0.2, 0.5, 1.5)))
    )
    await asyncio.sleep(CHAOS_S)
    breaking.cancel()
    await asyncio.wait((breaking,))
    if not breaking.cancelled():
        breaking.result()
    world.heal()
    writing.cancel()
    await asyncio.wait((writing,))
    await _all_answer_from_the_cache(world)
    # Now there is one truth, and nothing else may be told any more, by whatever was kept.
    await asyncio.sleep(SETTINGS.max_staleness_s)
    await _all(world, Client.ask_everything)


def _some_faults(rng: Random) -> Mapping[str, Fault]:
    """Not all kinds in every run: many at once hide what a few would show."""
    names = rng.sample(sorted(FAULTS), k=rng.randint(2, 7))
    return {name: FAULTS[name] for name in names}


async def _all_answer_from_the_cache(world: World) -> None:
    healed_at = world.timeline.now
    try:
        async with asyncio.timeout(LIVENESS_S):
            await _all(world, Client.answers_from_the_cache)
    except TimeoutError as exc:
        why = f"a client did not answer from the cache {LIVENESS_S:g} s after all was well"
        raise AssertionError(why) from exc
    took_s = world.timeline.now - healed_at
    world.counts["milliseconds until all answer from the cache"] = round(1_000 * took_s)


async def _all(world: World, ask: Callable[[Client], Coroutine[None, None, None]]) -> None:
    """Each client in its own process; ends when the last has."""
    asking = [client.process.spawn(ask(client)) for client in world.clients]
    while not all(task.done() for task in asking):  # noqa: ASYNC110 # they are of other loops
        await asyncio.sleep(0.02)
    for task in asking:
        task.result()
