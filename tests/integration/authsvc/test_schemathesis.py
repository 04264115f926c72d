"""Whatever the contract at /openapi.json lets one send, Auth answers as the contract says."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.authsvc.admin_world import World
from tests.integration.authsvc.world_in_thread import world_in_thread

EXAMPLES = 12
IDS = {
    "organization_id": "acme",
    "user_id": "luis",
    "role_id": "cashier",
    "local_id": "centro",
    "session_id": "nobody-s",
}
Case = schemathesis.Case[Any]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Schemathesis waits for its answers, so Auth has a loop of its own."""
    with world_in_thread(tmp_path_factory.mktemp("world")) as world:
        yield world


def as_it_is(_: Case) -> None:
    """Mostly about things that do not exist."""


def at_home(case: Case) -> None:
    """About what is there, as far as the schema's own values allow."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = IDS[name]
    case.headers.pop("If-Match", None)
    case.headers.pop("If-None-Match", None)
    if isinstance(case.body, dict) and "organization_id" in case.body:
        case.body["organization_id"] = "acme"


@pytest.mark.parametrize("aim", [as_it_is, at_home])
def test_every_operation_answers_as_its_contract_says(
    world: World, aim: Callable[[Case], None]
) -> None:
    schema = schemathesis.openapi.from_url(f"{world.url}/openapi.json")
    headers = {"Authorization": f"Bearer {world.tokens['platform']}"}
    asked = []

    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy())
        def ask(case: Case) -> None:
            aim(case)
            case.call_and_validate(headers=headers, checks=CHECKS)

        ask()
        asked.append(operation.label)

    assert len(asked) >= 25
