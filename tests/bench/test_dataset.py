"""Auth's database and the baseline's table hold the same, and the questions know the answers."""

import asyncio
import sqlite3
from pathlib import Path

from authsvc.password_rules import password_bytes
from authsvc.passwords import Passwords
from bench.baseline_server import UserService
from bench.dataset import build_sqlite, sqlite_url
from bench.mix import questions_of
from bench.run import write
from bench.shape import PASSWORD, Question, Shape, all_pairs, everyday_questions
from svckit.database import open_database
from tests.bench.test_goals import results

SHAPE = Shape(organizations=2, users_each=3, locals_each=4, held_each=2)


async def test_the_database_answers_each_question_as_expected(tmp_path: Path) -> None:
    path = tmp_path / "auth.db"
    done: list[int] = []

    await build_sqlite(path, SHAPE, done.append)

    engine = open_database(sqlite_url(path))
    try:
        async with engine.connect() as connection:
            rows = await connection.exec_driver_sql(
                "SELECT user_id, organization_id, local_id FROM user_locals"
            )
            assigned = {tuple(row) for row in rows}
    finally:
        await engine.dispose()
    assert done == [1, 2]
    assert len(assigned) == SHAPE.assignments
    for question in all_pairs(SHAPE):
        assert (question[:3] in assigned) is question[3]


def test_bulk_rows_keep_every_foreign_key(tmp_path: Path) -> None:
    path = tmp_path / "auth.db"

    asyncio.run(build_sqlite(path, SHAPE, lambda _: None))

    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


async def test_who_is_to_log_in_has_a_password_that_auth_takes_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "auth.db"
    await build_sqlite(path, SHAPE, lambda _: None)
    with sqlite3.connect(path) as connection:
        stored = connection.execute(
            "SELECT organization_id, email_folded, hash"
            " FROM passwords JOIN users ON users.id = passwords.user_id"
        ).fetchall()
    connection.close()
    hashes = {row[2] for row in stored}
    passwords = Passwords()

    with passwords.place("bench"):
        is_match = [await passwords.is_match(each, password_bytes(PASSWORD)) for each in hashes]
    is_outdated = [passwords.is_outdated(each) for each in hashes]
    passwords.close()

    assert sorted(row[:2] for row in stored) == sorted(SHAPE.logins())
    assert len(stored) == SHAPE.users
    assert (is_match, is_outdated) == ([True], [False])


async def test_the_baseline_answers_each_question_as_expected() -> None:
    service = UserService(SHAPE)

    for user_id, organization_id, local_id, is_allowed in all_pairs(SHAPE):
        is_valid, name = await service.validate_local(user_id, organization_id, local_id)

        assert is_valid is is_allowed
        assert bool(name) is is_allowed


def test_everyday_questions_are_all_assignments_and_one_denial_for_each_user() -> None:
    questions = everyday_questions(SHAPE)

    assert len(set(questions)) == len(questions)
    assert sum(question[3] for question in questions) == SHAPE.assignments
    assert sum(not question[3] for question in questions) == SHAPE.users


def test_of_ten_mixed_questions_nine_come_from_those_asked_again_and_again() -> None:
    mixed = questions_of("mixed", Shape(organizations=10, users_each=20))
    asked: list[Question] = [next(mixed) for _ in range(30_000)]

    fresh = asked[9::10]
    again = [question for nth, question in enumerate(asked) if nth % 10 != 9]
    assert len(set(again)) == 1_000
    assert len(set(fresh)) == len(fresh)


def test_the_same_results_are_written_as_the_same_bytes(tmp_path: Path) -> None:
    first, second = (write(results(), tmp_path / name, name="x") for name in ("a", "b"))

    assert first.read_bytes() == second.read_bytes()
    assert first.with_suffix(".json").read_bytes() == second.with_suffix(".json").read_bytes()
