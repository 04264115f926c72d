"""The clock that leases are measured on."""

import time

from svckit.lease_clock import lease_clock


def test_it_goes_on_while_the_event_loop_stands_still() -> None:
    # Nothing turns a loop here: a clock that is read once a turn would show no time passing.
    before = lease_clock()

    time.sleep(0.01)

    assert lease_clock() - before >= 0.01
