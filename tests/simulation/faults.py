"""What goes wrong in the simulated world, how long for, and how it is put right."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from tests.simulation.network import CALM, Weather
from tests.simulation.population import revoke_much
from tests.simulation.process import Process
from tests.simulation.world import World

__all__ = ["FAULTS", "Fault", "keep_breaking"]

Fault = Callable[[World], Awaitable[None]]


GRAIN_S = 1e-6
# These are the likelier ones.
WORST = frozenset({"client stopped", "late news", "old answers", "overtaken answers"})


async def keep_breaking(world: World, faults: Mapping[str, Fault], *, every_s: float) -> None:
    """Until cancelled; whatever is broken then is left to `World.heal`."""
    names = sorted([*faults, *faults.keys() & WORST, *faults.keys() & WORST])
    async with asyncio.TaskGroup() as tasks:
        while True:
            await asyncio.sleep(world.rng.expovariate(1 / every_s))
            name = world.rng.choice(names)
            world.counts[f"fault: {name}"] += 1
            world.note(f"FAULT {name}")
            tasks.create_task(faults[name](world))  # type: ignore[arg-type] # all are coroutines


async def cut_wire(world: World) -> None:
    """Between a client and Auth, or Auth and the database; both ways, or one."""
    one, other = world.rng.choice(_wires(world))
    ways = world.rng.choice(([(one, other)], [(other, one)], [(one, other), (other, one)]))
    keeps = world.rng.random() < 0.5
    for way in ways:
        world.network.cuts[way] = keeps
    world.note(f"cut {ways}")
    await asyncio.sleep(world.rng.uniform(0.1, 4.0))
    world.network.heal(*ways)
    world.note(f"healed {ways}")


async def isolate_client(world: World) -> None:
    """From all of Auth, in one direction or both."""
    client = world.rng.choice(world.clients).process.name
    ways = [(client, place.name) for place in world.places]
    if world.rng.random() < 0.7:
        ways += [(to, fro) for fro, to in ways]
    keeps = world.rng.random() < 0.5
    for way in ways:
        world.network.cuts[way] = keeps
    if world.rng.random() < 0.5:
        revoke_much(world.database, world.rng)
    await asyncio.sleep(world.rng.uniform(0.5, 4.0))
    world.network.heal(*ways)


async def stop_replica(world: World) -> None:
    place = world.rng.choice(world.places)
    replica = place.replica
    if replica is None or not await _at_a_bad_moment(world, replica.process):
        return
    await asyncio.sleep(world.rng.uniform(0.1, 4.0))
    if replica.process.is_alive and replica.process.is_stopped:
        world.resume(replica.process)


async def stop_client(world: World) -> None:
    client = world.rng.choice(world.clients)
    if not await _at_a_bad_moment(world, client.process):
        return
    await asyncio.sleep(world.rng.uniform(0.1, 5.0))
    if client.process.is_stopped:
        world.resume(client.process)
        # Those who came to it while it stood still.
        client.process.spawn(client.ask_in_a_hurry())


async def _at_a_bad_moment(world: World, process: Process) -> bool:
    """Stops it while something is under way to it, which so will wait there, and revokes a lot."""
    rng = world.rng
    chance = rng.random()
    if chance < 0.8:
        await _message_for(world, process.name, is_on_line=chance < 0.4)
    if process.is_stopped or not process.is_alive:
        return False
    process.stop()
    world.note(f"stopped {process.name}")
    if rng.random() < 0.5:
        await asyncio.sleep(rng.uniform(0.0, 0.1))
        revoke_much(world.database, rng)
    return True


async def restart_replica(world: World) -> None:
    place = world.rng.choice(world.places)
    if place.replica is None:
        return
    world.kill(place)
    await asyncio.sleep(world.rng.uniform(0.01, 1.5))
    world.start(place)


async def break_connections(world: World) -> None:
    """A router on the way forgets what it carried."""
    world.break_off(world.rng.choice(world.places))


async def database_down(world: World) -> None:
    world.database.is_down = True
    await asyncio.sleep(world.rng.uniform(0.1, 3.0))
    world.database.is_down = False


async def database_hangs(world: World) -> None:
    world.database.is_hanging = True
    await asyncio.sleep(world.rng.uniform(0.1, 3.0))
    world.database.is_hanging = False


async def old_answers(world: World) -> None:
    """The database falls silent, much is revoked in it, and what Auth still knows comes late."""
    slow = Weather(slow=1.0, slow_s=2.5)
    ways = [(place.name, client.process.name) for place in world.places for client in world.clients]
    world.database.is_hanging = True
    for way in ways:
        world.network.local_weather[way] = slow
    await asyncio.sleep(world.rng.uniform(0.0, 0.2))
    revoke_much(world.database, world.rng)
    for _ in range(4):
        await asyncio.sleep(world.rng.uniform(0.1, 0.5))
        for client in world.clients:
            if not client.process.is_stopped:
                client.process.spawn(client.ask_all_at_once())
    await asyncio.sleep(1.5)
    world.database.is_hanging = False
    for way in ways:
        world.network.local_weather.pop(way, None)


async def late_news(world: World) -> None:
    """A client hears from Auth late, at last no more at all; and then much is revoked."""
    client = world.rng.choice(world.clients).process.name
    ways = [(place.name, client) for place in world.places]
    for way in ways:
        world.network.local_weather[way] = Weather(slow=1.0, slow_s=1.8)
    await asyncio.sleep(world.rng.uniform(0.0, 0.5))
    await _message_for(world, client, is_on_line=True)
    for way in ways:
        world.network.cuts[way] = False
    revoke_much(world.database, world.rng)
    await asyncio.sleep(3.0)
    world.network.heal(*ways)
    for way in ways:
        world.network.local_weather.pop(way, None)


async def overtaken_answers(world: World) -> None:
    """What is revoked while answers are under way is told before they come."""
    client = world.rng.choice(world.clients)
    ways = [(place.name, client.process.name) for place in world.places]
    for way in ways:
        world.network.local_weather[way] = Weather(slow=1.0, slow_s=1.0, spares_lines=True)
    for _ in range(3):
        if not client.process.is_stopped:
            client.process.spawn(client.ask_all_at_once())
        await asyncio.sleep(world.rng.uniform(0.01, 0.2))
        revoke_much(world.database, world.rng)
        await asyncio.sleep(world.rng.uniform(0.1, 0.5))
    for way in ways:
        world.network.local_weather.pop(way, None)


async def bad_weather(world: World) -> None:
    world.network.weather = _some_weather(world)
    await asyncio.sleep(world.rng.uniform(0.5, 4.0))
    world.network.weather = CALM


async def bad_wire(world: World) -> None:
    """In one direction between two ends, and of the worst."""
    one, other = world.rng.choice(_wires(world))
    way = world.rng.choice(((one, other), (other, one)))
    world.network.local_weather[way] = replace(_some_weather(world), slow=0.7)
    await asyncio.sleep(world.rng.uniform(0.5, 4.0))
    world.network.local_weather.pop(way, None)


def _some_weather(world: World) -> Weather:
    rng = world.rng
    return Weather(
        slow=rng.choice((0.0, 0.1, 0.5)),
        slow_s=rng.choice((0.1, 0.5, 1.0, 4.0)),
        lost=rng.choice((0.0, 0.0, 0.05)),
        twice=rng.choice((0.0, 0.1)),
        disordered=rng.choice((0.0, 0.0, 0.3)),
        spares_lines=rng.random() < 0.3,
    )


def _wires(world: World) -> list[tuple[str, str]]:
    """Each between a client and Auth, or Auth and the database."""
    ends = [(place.name, world.database.home.name) for place in world.places]
    return ends + [
        (client.process.name, place.name) for client in world.clients for place in world.places
    ]


async def _message_for(world: World, name: str, *, is_on_line: bool) -> None:
    """Until one is under way to that process."""
    is_sent = asyncio.Event()

    def notice() -> None:
        # We are on the sender's loop here, where an event of another one must not be set. A moment
        # apart for each receiver: of those who are sent to at once, any may be the first.
        at = world.timeline.now + GRAIN_S * world.names.index(name)
        world.nature.loop.deliver(at, is_sent.set)

    world.network.expect(name, notice, is_on_line=is_on_line)
    await is_sent.wait()


async def trim_log(world: World) -> None:
    world.database.trim(keep=world.rng.randrange(5))


async def restore_backup(world: World) -> None:
    """As an operator must: Auth is stopped, the database replaced and given an id of its own."""
    if world.database.is_read_only:
        return
    copy = world.database.copy()
    await asyncio.sleep(world.rng.uniform(0.5, 2.0))
    world.database.is_read_only = True
    for place in world.places:
        world.kill(place)
    world.database.restore(copy, database_id=f"restored at {world.timeline.now}")
    world.note(f"restored r{copy.state.revision}")
    await asyncio.sleep(world.rng.uniform(0.1, 1.0))
    for place in world.places:
        world.start(place)
    world.database.is_read_only = False


FAULTS: Mapping[str, Fault] = {
    "wire cut": cut_wire,
    "client isolated": isolate_client,
    "replica stopped": stop_replica,
    "client stopped": stop_client,
    "replica restarted": restart_replica,
    "connections broken": break_connections,
    "database down": database_down,
    "database hangs": database_hangs,
    "old answers": old_answers,
    "late news": late_news,
    "overtaken answers": overtaken_answers,
    "bad weather": bad_weather,
    "bad wire": bad_wire,
    "log trimmed": trim_log,
    "backup restored": restore_backup,
}
