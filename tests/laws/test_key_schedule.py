"""The law of the keys, for any interleaving of processes that know them late and by odd clocks.

While it lives, a token verifies at every process; and once its key was withdrawn, at none.
"""

import math
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from authsvc.key_schedule import (
    KeyRules,
    is_due,
    rotated,
    signing_key,
    turned,
    withdrawn,
    withdrawn_at,
)
from authsvc.stored_key import StoredKey

LEEWAY_S = 5
KEPT_S = 30
CHECK_EVERY_S = 30
PUBLISH_S = KEPT_S + 2 * LEEWAY_S
# Clocks differ from the true time by half of what they may differ from each other by.
SKEWS = (-2.5, 0.0, 2.5)
TTLS = (5, 30, 90)


@dataclass(slots=True, kw_only=True)
class Process:
    """An Auth: what it read of the keys and when, and when it last kept them to their schedule."""

    skew_s: float
    rules: KeyRules
    keys: tuple[StoredKey, ...] = ()
    read_at: float = float("-inf")
    checked_at: float = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    kid: str
    expires_at: float


class KeyLaw(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000_000.0
        self.stored: tuple[StoredKey, ...] = ()
        self.tokens: list[Token] = []
        self.gone: set[str] = set()
        self.made = 0
        self.processes: list[Process] = []

    @initialize(
        skews=st.tuples(*[st.sampled_from(SKEWS)] * 3),
        ttls=st.tuples(*[st.sampled_from(TTLS)] * 3),
        rotation_s=st.sampled_from((0, 60, 150)),
    )
    def start(self, skews: tuple[float, ...], ttls: tuple[int, ...], rotation_s: int) -> None:
        for skew_s, token_ttl_s in zip(skews, ttls, strict=True):
            rules = KeyRules(
                token_ttl_s=token_ttl_s,
                rotation_s=rotation_s,
                publish_s=PUBLISH_S,
                max_age_s=0,
                kept_s=KEPT_S,
                leeway_s=LEEWAY_S,
            )
            self.processes.append(Process(skew_s=skew_s, rules=rules))
        for process in self.processes:
            self.check(process)
            self.read(process)

    def clock(self, process: Process) -> float:
        return self.now + process.skew_s

    def spare(self) -> StoredKey:
        self.made += 1
        return StoredKey(
            kid=f"k{self.made}",
            algorithm="ES256",
            private_key="",
            public_key="",
            created_at=0,
            signs_from=0,
            token_ttl_s=0,
        )

    def read(self, process: Process) -> None:
        process.keys, process.read_at = self.stored, self.now

    def check(self, process: Process) -> None:
        now = self.clock(process)
        spare = self.spare() if is_due(self.stored, now, process.rules) else None
        self.stored = turned(self.stored, spare, now=now, rules=process.rules)
        process.checked_at = self.now

    @rule(seconds=st.integers(1, 29))
    def time_passes(self, seconds: float) -> None:
        """And no one goes on with what is too old, nor leaves the schedule alone for too long."""
        self.now += seconds
        self.tokens = [t for t in self.tokens if self.now < t.expires_at + 2 * LEEWAY_S]
        for process in self.processes:
            self.make_token(process)
            if self.now >= process.checked_at + CHECK_EVERY_S:
                self.check(process)
            if self.now >= process.read_at + KEPT_S:
                self.read(process)
            self.make_token(process)

    def make_token(self, process: Process) -> None:
        now = self.clock(process)
        # Whose keys are too old by now reads them anew before it signs.
        if self.now >= process.read_at + KEPT_S:
            return
        key = signing_key(process.keys, now)
        assert key is not None
        expires_at = int(now) + process.rules.token_ttl_s
        self.tokens.append(Token(kid=key.kid, expires_at=expires_at))

    @rule(offset_s=st.sampled_from((-3, -2, -1, 0, 1, 2, 3)), number=st.integers(0, 2))
    def time_passes_until_about_when_something_is_due(self, offset_s: int, number: int) -> None:
        rules = self.processes[number].rules
        times: list[float] = [key.signs_from for key in self.stored]
        times += [withdrawn_at(key, self.stored, rules) for key in self.stored]
        due_at = min((at for at in times if self.now < at + offset_s < math.inf), default=self.now)
        while self.now < due_at + offset_s:
            self.time_passes(min(29.0, due_at + offset_s - self.now))

    @rule(number=st.integers(0, 2))
    def a_process_reads(self, number: int) -> None:
        self.read(self.processes[number])

    @rule(number=st.integers(0, 2))
    def a_process_checks(self, number: int) -> None:
        self.check(self.processes[number])

    @rule(number=st.integers(0, 2))
    def two_find_at_once_that_a_key_is_due(self, number: int) -> None:
        """Both have made one before either has the lock."""
        spares = [self.spare(), self.spare()]
        for spare, process in zip(spares, self.processes[number:], strict=False):
            before = len(self.stored)
            self.stored = turned(self.stored, spare, now=self.clock(process), rules=process.rules)
            assert len(self.stored) <= before + 1

    @rule(number=st.integers(0, 2))
    def the_operator_rotates(self, number: int) -> None:
        process = self.processes[number]
        self.stored = rotated(
            self.stored,
            self.spare(),
            now=self.clock(process),
            wait_s=PUBLISH_S,
            rules=process.rules,
        )

    @precondition(lambda self: self.stored)
    @rule(number=st.integers(0, 2), choice=st.integers(0, 10))
    def the_operator_withdraws(self, number: int, choice: int) -> None:
        process = self.processes[number]
        kid = self.stored[choice % len(self.stored)].kid
        self.stored = withdrawn(
            self.stored, kid, self.spare(), now=self.clock(process), rules=process.rules
        )
        self.gone.add(kid)
        # The feed: all forget, and read anew before they use a key.
        for each in self.processes:
            self.read(each)

    @invariant()
    def a_living_token_verifies_everywhere(self) -> None:
        for token in self.tokens:
            if token.kid in self.gone:
                continue
            for process in self.processes:
                if self.clock(process) < token.expires_at + LEEWAY_S:
                    assert any(key.kid == token.kid for key in process.keys), (token, self.now)

    @invariant()
    def nothing_verifies_by_a_withdrawn_key(self) -> None:
        for keys in (self.stored, *(process.keys for process in self.processes)):
            assert not self.gone & {key.kid for key in keys}

    @invariant()
    def there_is_always_a_key_to_sign_with(self) -> None:
        if self.processes:
            assert signing_key(self.stored, self.now) is not None


TestKeyLaw = KeyLaw.TestCase
TestKeyLaw.settings = settings(max_examples=100, stateful_step_count=50)
