"""With any one rule of freshness taken away, one of CI's seeds breaks a promise: so they can."""

import pytest

from tests.simulation.mutations import MUTATIONS
from tests.simulation.run import Broken, simulate
from tests.simulation.test_simulation import SEEDS

# Where each was found first: to be found soon. Any other of CI's seeds will do.
LIKELY = {
    "keep_old_news": (23, 38, 57),
    "lease_from_receipt": (36, 49, 68),
    "lease_on_the_loops_clock": (47, 49, 71),
    "no_reset": (0, 3, 8),
    "no_young_rule": (12, 85, 127),
    "server_lease_without_end": (3, 7, 12),
    "server_says_nothing_of_age": (12, 85, 143),
    "server_keeps_old_records": (6, 9, 45),
    "server_echoes_before_it_reads": (0, 3, 12),
    "changes_left_out": (1, 2, 4),
    "no_patience_with_a_silent_feed": (2, 9, 10),
    "restored_under_its_old_id": (28, 69, 125),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_missing_rule_is_missed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTATIONS[name](monkeypatch.setattr)

    assert any(is_broken_by(seed) for seed in dict.fromkeys((*LIKELY[name], *range(SEEDS))))


def is_broken_by(seed: int) -> bool:
    try:
        simulate(seed)
    except Broken:
        return True
    return False
