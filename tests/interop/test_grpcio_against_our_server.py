"""A grpcio client that was built from the contract alone gets from Auth what it promises."""

import asyncio
import json
import sys
from pathlib import Path

from tests.processes import ROOT, authctl, free_port, run_services

SERVING = 1


async def test_a_client_built_from_the_contract_gets_every_answer(tmp_path: Path) -> None:
    ports = (free_port(), free_port())
    environ = {
        "AUTH_GRPC_BIND": f"127.0.0.1:{ports[0]}",
        "AUTH_HTTP_BIND": f"127.0.0.1:{ports[1]}",
        "AUTH_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/auth.db",
        "AUTH_DEMO": "yes",
    }
    async with run_services("authsvc", environ=environ, ports=ports) as running:
        await running.printed("authctl revoke")
        _, token = await authctl("token", "issue", "ana", environ=environ)
        client = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.interop.reference_client", f"127.0.0.1:{ports[0]}", token.strip()),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await asyncio.wait_for(client.communicate(), 30)

    assert client.returncode == 0
    assert json.loads(output) == {
        "allowed": [True, "Centro", ""],
        "denied": [False, "", "NOT_ASSIGNED"],
        "elsewhere": [False, "", "WRONG_ORGANIZATION"],
        "valid": [True, "ana", "demo", ["catalog:read"], ""],
        "invalid": [False, "", "", [], "bad signature"],
        "permissions": ["catalog:create", "catalog:delete", "catalog:edit", "catalog:read"],
        "unknown user": "NOT_FOUND",
        "empty id": "INVALID_ARGUMENT",
        "long id": "INVALID_ARGUMENT",
        "control character": "INVALID_ARGUMENT",
        "huge token": "RESOURCE_EXHAUSTED",
        "health": [SERVING, SERVING],
        "services": ["access.v1.AccessService", "auth.AuthService", "grpc.health.v1.Health"],
    }
