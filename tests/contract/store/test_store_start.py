"""What an operator reads when PostgreSQL cannot be used: one sentence, and never a password."""

import uuid
from pathlib import Path

import pytest
from sqlalchemy import make_url

from authsvc.migrations import MIGRATIONS
from svckit.database import DatabaseError
from svckit.migrations import migrate
from tests.postgres import PostgresServer


async def refusal(url: str) -> str:
    with pytest.raises(DatabaseError) as failure:
        await migrate(url, MIGRATIONS)
    sentence = str(failure.value)
    assert sentence.startswith("cannot open postgresql+asyncpg://")
    assert "\n" not in sentence
    return sentence


async def test_a_database_that_does_not_exist_is_named(postgres: PostgresServer) -> None:
    assert 'database "nowhere" does not exist' in await refusal(postgres.url("nowhere"))


async def test_a_role_that_does_not_exist_is_named(postgres: PostgresServer) -> None:
    assert 'role "nobody" does not exist' in await refusal(postgres.url("postgres", user="nobody"))


async def test_a_wrong_password_is_said_and_not_shown(locked_url: str) -> None:
    wrong = make_url(locked_url).set(password="s3cret").render_as_string(hide_password=False)

    sentence = await refusal(wrong)

    assert "password authentication failed" in sentence
    assert "s3cret" not in sentence


async def test_a_role_that_may_not_make_tables_is_refused(locked_url: str) -> None:
    assert "permission denied" in await refusal(locked_url)


async def test_a_socket_that_is_not_there_is_named() -> None:
    assert "No such file" in await refusal("postgresql+asyncpg://me@/x?host=/nowhere")


@pytest.fixture
def locked_url(postgres: PostgresServer) -> str:
    """For a role that needs its password, and may do nothing but connect."""
    role = f"locked_{uuid.uuid4().hex}"
    postgres.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'right'")
    rules = Path(postgres.execute("SHOW hba_file").strip())
    rules.write_text(f"local all {role} scram-sha-256\n" + rules.read_text())
    postgres.execute("SELECT pg_reload_conf()")
    url = make_url(postgres.url("postgres", user=role))
    return url.set(password="right").render_as_string(hide_password=False)
