"""The wires between processes, and their weather: slow, lossy, cut; and healed again."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.simulation.process import Process

__all__ = ["Network", "Line", "Weather", "CALM"]

# Just enough that what is sent later on one line arrives later.
AFTER_S = 1e-6


class Line:
    """A connection keeps the order of what is sent on it; a bad one does not."""

    __slots__ = ("last_at", "rng")

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.last_at = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Chances for each message. A slow one takes up to `slow_s`.

    `spares_lines`: those on a line, which are the feed's, are not slowed.
    """

    slow: float = 0.0
    slow_s: float = 3.0
    lost: float = 0.0
    twice: float = 0.0
    disordered: float = 0.0
    spares_lines: bool = False


CALM = Weather()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    sender: Process
    receiver: Process
    deliver: Callable[[], None]
    line: Line | None


class Network:
    """Whoever sends is told nothing; what is sent to the dead is gone.

    Each wire has chances of its own, and each line: so nothing hangs on the order in which some set
    of listeners is told, which is another one in each run.
    """

    def __init__(self, seed: int, counts: Counter[str]) -> None:
        self.weather = CALM
        # Where it is another one.
        self.local_weather: dict[tuple[str, str], Weather] = {}
        # From whom to whom nothing comes through; True: it comes when the cut has healed.
        self.cuts: dict[tuple[str, str], bool] = {}
        self._held: list[_Message] = []
        self._expecting: dict[tuple[str, bool], list[Callable[[], None]]] = {}
        self._seed = seed
        self._rngs: dict[str, Random] = {}
        self._lines: Counter[str] = Counter()
        self._counts = counts

    def open_line(self, sender: str, receiver: str) -> Line:
        wire = f"{sender} {receiver}"
        self._lines[wire] += 1
        return Line(self._new_rng(f"{wire} line {self._lines[wire]}"))

    def send(
        self,
        sender: Process,
        receiver: Process,
        deliver: Callable[[], None],
        *,
        line: Line | None = None,
    ) -> None:
        """Calls `deliver` on the receiver's loop, some time later, once, twice or never."""
        message = _Message(sender=sender, receiver=receiver, deliver=deliver, line=line)
        for notice in self._expecting.pop((receiver.name, line is not None), ()):
            notice()
        keeps = self.cuts.get((sender.name, receiver.name))
        if keeps is not None:
            self._counts["messages held by a cut" if keeps else "messages lost in a cut"] += 1
            if keeps:
                self._held.append(message)
            return
        rng, weather = self._rng(message), self._weather(message)
        if rng.random() < weather.lost:
            self._counts["messages lost"] += 1
            return
        self._put(message)
        if rng.random() < weather.twice:
            self._counts["messages doubled"] += 1
            self._put(message)

    def expect(self, receiver: str, notice: Callable[[], None], *, is_on_line: bool) -> None:
        """Gives notice when the next message of that kind for that process is under way."""
        self._expecting.setdefault((receiver, is_on_line), []).append(notice)

    def calm(self) -> None:
        self.weather = CALM
        self.local_weather.clear()

    def heal(self, *ends: tuple[str, str]) -> None:
        """These cuts, or all."""
        for end in ends or tuple(self.cuts):
            self.cuts.pop(end, None)
        held, self._held = self._held, []
        for message in held:
            if (message.sender.name, message.receiver.name) in self.cuts:
                self._held.append(message)
            else:
                self._put(message)

    def _put(self, message: _Message) -> None:
        rng, weather = self._rng(message), self._weather(message)
        line = message.line
        is_spared = weather.spares_lines and line is not None
        delay_s = self._delay_s(rng, CALM if is_spared else weather)
        at = message.sender.timeline.now + delay_s
        if line is not None and rng.random() >= weather.disordered:
            at = max(at, line.last_at + AFTER_S)
            line.last_at = at
        elif line is not None:
            self._counts["messages out of order"] += 1

        def arrive() -> None:
            if message.receiver.is_alive:
                message.deliver()

        if message.receiver.is_alive:
            message.receiver.loop.deliver(at, arrive)

    def _rng(self, message: _Message) -> Random:
        if message.line is not None:
            return message.line.rng
        wire = f"{message.sender.name} {message.receiver.name}"
        if wire not in self._rngs:
            self._rngs[wire] = self._new_rng(wire)
        return self._rngs[wire]

    def _new_rng(self, what: str) -> Random:
        return Random(f"{self._seed} {what}")  # noqa: S311 # a simulation

    def _weather(self, message: _Message) -> Weather:
        return self.local_weather.get((message.sender.name, message.receiver.name), self.weather)

    def _delay_s(self, rng: Random, weather: Weather) -> float:
        if rng.random() < weather.slow:
            self._counts["messages slowed"] += 1
            return rng.uniform(0.0, weather.slow_s) * rng.random()
        return 0.0002 + rng.expovariate(1_000.0)
