"""All that there is in one run: the database, the places of Auth, the clients, the wires."""

from collections import Counter, deque
from random import Random

import structlog

from tests.simulation.client import Client
from tests.simulation.client_wires import SETTINGS
from tests.simulation.database import Database
from tests.simulation.network import Network
from tests.simulation.oracle import Oracle
from tests.simulation.population import first_state
from tests.simulation.process import Process
from tests.simulation.replica import Place, Replica
from tests.simulation.tokens import key_ring
from tests.simulation.virtual_loop import Timeline

__all__ = ["World"]

TRACE_MAX = 40
PLACES = 2
CLIENTS = 3


class World:
    """`nature` is where the database lives and faults come from: it is never stopped."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.rng = rng = self.rng_of("faults")
        self.counts: Counter[str] = Counter()
        self.trace: deque[str] = deque(maxlen=TRACE_MAX)
        self.complaints: list[str] = []
        self.timeline = Timeline()
        self.nature = Process("database", self.timeline)
        self.network = Network(seed, self.counts)
        self.database = Database(self.nature, first_state(rng), keys=(key_ring().key,))
        self.places = [Place(machine=self._process(f"auth{n}")) for n in range(PLACES)]
        for place in self.places:
            self.start(place)
        self.oracle = Oracle(truth=self.database.truth, max_staleness_s=SETTINGS.max_staleness_s)
        self.clients = [self._client(f"client{n}") for n in range(CLIENTS)]

    @property
    def names(self) -> list[str]:
        """Of all that faults can happen to."""
        return [place.name for place in self.places] + [c.process.name for c in self.clients]

    def rng_of(self, what: str) -> Random:
        """Chances of its own for each: one more draw here changes nothing there."""
        return Random(f"{self._seed} {what}")  # noqa: S311 # a simulation

    def note(self, what: str) -> None:
        self.trace.append(f"{self.timeline.now:9.4f} r{self.database.state.revision} {what}")

    def start(self, place: Place) -> None:
        if place.replica is None:
            process = self._process(place.name)
            place.replica = Replica(process, self.database, self.network, self.counts)
            self.note(f"started {place.name}")

    def kill(self, place: Place) -> None:
        """Nothing of it is left, and those who were connected learn so; if they can be told."""
        if place.replica is None:
            return
        self.note(f"killed {place.name}")
        replica, place.replica = place.replica, None
        replica.process.is_alive = False
        self.timeline.defer(lambda: self._bury(replica))
        self.break_off(place)

    def _bury(self, replica: Replica) -> None:
        self.complaints += replica.bugs
        self.complaints += replica.process.end()

    def break_off(self, place: Place) -> None:
        for tell in tuple(place.on_break):
            tell()

    def resume(self, process: Process) -> None:
        self.note(f"resumed {process.name}")
        process.resume(frozen_turns=self.rng.choice((0, 1, 3)), has_slept=self.rng.random() < 0.2)

    def heal(self) -> None:
        self.note("HEALED")
        self.database.is_down = self.database.is_hanging = self.database.is_read_only = False
        self.network.calm()
        self.network.heal()
        for place in self.places:
            if place.replica is not None and place.replica.process.is_stopped:
                self.resume(place.replica.process)
            self.start(place)
        for client in self.clients:
            if client.process.is_stopped:
                self.resume(client.process)

    def end(self) -> None:
        """What is left over, and what the loops were told of and nobody else."""
        for client in self.clients:
            self.complaints += client.process.end()
        for place in self.places:
            if place.replica is not None:
                self._bury(place.replica)
            self.complaints += place.machine.end()
        self.complaints += self.nature.end()

    def _process(self, name: str) -> Process:
        return Process(
            name,
            self.timeline,
            offset_s=self.rng.uniform(-500.0, 500.0),
            lease_offset_s=self.rng.uniform(0.0, 50_000.0),
        )

    def _client(self, name: str) -> Client:
        process = self._process(name)
        return Client(
            process,
            self.places,
            self.network,
            self.oracle,
            has_rest=self.rng.random() < 0.5,
            rng=self.rng_of(name),
            counts=self.counts,
            note=self.note,
            log=structlog.wrap_logger(None, processors=[_ignore]),
        )


def _ignore(*_: object) -> str:
    raise structlog.DropEvent
