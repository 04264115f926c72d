"""The endless stream of questions of a load."""

from collections.abc import Iterator
from itertools import cycle, islice

from bench.jobs import Mix
from bench.shape import Question, Shape, all_pairs, everyday_questions

__all__ = ["questions_of", "hot_questions", "COLD_CACHE_ENTRIES_MAX"]

HOT = 1_000
HITS_PER_MISS = 9
# Far below the number of pairs, so that what comes round again has been forgotten meanwhile.
COLD_CACHE_ENTRIES_MAX = 20_000


def questions_of(mix: Mix, shape: Shape) -> Iterator[Question]:
    if mix == "miss":
        return cycle(everyday_questions(shape))
    return _mixed(hot_questions(shape), all_pairs(shape))


def hot_questions(shape: Shape) -> list[Question]:
    return everyday_questions(shape)[:HOT]


def _mixed(hot: list[Question], cold: list[Question]) -> Iterator[Question]:
    again, fresh = cycle(hot), cycle(cold)
    while True:
        yield from islice(again, HITS_PER_MISS)
        yield next(fresh)
