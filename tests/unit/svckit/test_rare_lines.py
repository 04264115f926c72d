"""What happens often is said rarely, with its count."""

from svckit.rare_lines import Line, RareLines


def test_the_first_time_is_said_at_once_and_the_next_when_the_period_is_over() -> None:
    lines: RareLines[str] = RareLines(period_s=10, kinds_max=9)

    said = [lines.happened("a", now) for now in (0.0, 1.0, 9.9, 10.0, 10.1)]

    assert said == [Line("a", 1), None, None, Line("a", 3), None]


def test_each_kind_has_a_period_of_its_own() -> None:
    lines: RareLines[str] = RareLines(period_s=10, kinds_max=9)

    assert [lines.happened(kind, 1.0) for kind in "aba"] == [Line("a", 1), Line("b", 1), None]


def test_too_many_kinds_share_one_line() -> None:
    lines: RareLines[int] = RareLines(period_s=10, kinds_max=2)

    said = [lines.happened(kind, 0.0) for kind in range(6)]
    later = lines.happened(7, 9.0)

    assert said == [Line(0, 1), Line(1, 1), Line(None, 1), None, None, None]
    assert later is None
    assert len(lines) == 3


def test_a_kind_not_seen_for_a_period_makes_room() -> None:
    lines: RareLines[str] = RareLines(period_s=10, kinds_max=1)
    lines.happened("a", 0.0)

    assert lines.happened("b", 10.0) == Line("b", 1)
    assert len(lines) == 1
