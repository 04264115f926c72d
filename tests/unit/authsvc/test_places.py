"""Places: few in all and fewer for one network, and none is lost."""

from contextlib import ExitStack

import pytest

from authsvc.places import Places
from svckit.errors import Overloaded


def places() -> Places:
    return Places(places_max=3, per_network_max=2, refusal="too many")


def test_one_network_takes_no_more_than_its_share() -> None:
    few = places()
    with few.place("a"), few.place("a"):
        with pytest.raises(Overloaded, match=r"^too many$") as caught, few.place("a"):
            pass
        with few.place("b"):
            assert few.taken == 3

    assert caught.value.retry_after_s == 1.0


def test_all_together_take_no_more_than_there_are() -> None:
    few = places()
    with ExitStack() as taken:
        for network in "abc":
            taken.enter_context(few.place(network))

        with pytest.raises(Overloaded), few.place("d"):
            pass

    assert few.taken == 0


def test_whoever_fails_gives_the_place_back_and_is_forgotten() -> None:
    few = places()

    for number in range(10):
        with pytest.raises(KeyError), few.place(f"n{number}"):
            raise KeyError

    assert few.taken == 0
    assert few._taken == {}
