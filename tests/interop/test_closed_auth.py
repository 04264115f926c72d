"""Clients that are not ours ask an Auth that is closed: grpcio, and buf curl by reflection."""

import asyncio
import json
import os
import sys
from pathlib import Path

import grpc
import grpc.aio
import pytest

from generated.auth import ValidateLocalRequest, ValidateLocalResponse
from svckit.callers import KEY_HEADER
from tests.certificates import Pem
from tests.integration.system.closed_auth import KEY, SAN, Closed, Papers

BUF = Path(sys.executable).with_name("buf")
METHOD = "/auth.AuthService/ValidateLocal"
QUESTION = {"userId": "ana", "organizationId": "demo", "localId": "centro"}


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path / "papers")


async def ask_by_grpcio(
    auth: Closed, papers: Papers, *, key: str = "", pem: Pem | None = None
) -> str:
    """The local's name, or the status."""
    credentials = grpc.ssl_channel_credentials(
        papers.authority.path.read_bytes(),
        pem.key.read_bytes() if pem else None,
        pem.cert.read_bytes() if pem else None,
    )
    async with grpc.aio.secure_channel(str(auth.grpc), credentials) as channel:
        validate = channel.unary_unary(METHOD)
        question = ValidateLocalRequest(user_id="ana", organization_id="demo", local_id="centro")
        metadata = ((KEY_HEADER, key),) if key else ()
        try:
            answer = await validate(bytes(question), metadata=metadata, timeout=5.0)
        except grpc.aio.AioRpcError as exc:
            return str(exc.code().name)
    return ValidateLocalResponse().parse(answer).local_name


async def test_grpcio_is_let_in_by_a_key_or_a_certificate_over_tls(
    tmp_path: Path, papers: Papers
) -> None:
    own = papers.authority.issue(uris=[SAN])
    closed = {**papers.mtls, "AUTH_SERVICE_KEYS": f"catalog:{KEY}"}

    async with Closed.serve(tmp_path, closed) as auth:
        assert await ask_by_grpcio(auth, papers, key=KEY) == "Centro"
        assert await ask_by_grpcio(auth, papers, pem=own) == "Centro"
        assert await ask_by_grpcio(auth, papers) == "UNAUTHENTICATED"
        assert await ask_by_grpcio(auth, papers, key=KEY[1:], pem=own) == "UNAUTHENTICATED"


async def buf_curl(auth: Closed, papers: Papers, *arguments: str, home: Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(str(BUF), "curl", "--cacert", str(papers.authority.path), *arguments),
        *("--protocol", "grpc", "-d", json.dumps(QUESTION), f"https://{auth.grpc}{METHOD}"),
        env={**os.environ, "HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30.0)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_buf_curl_finds_its_way_by_reflection_with_a_key_and_not_without(
    tmp_path: Path, papers: Papers
) -> None:
    closed = {**papers.tls, "AUTH_SERVICE_KEYS": f"catalog:{KEY}"}

    async with Closed.serve(tmp_path, closed) as auth:
        header = ("-H", f"{KEY_HEADER}: {KEY}", "--reflect-header", f"{KEY_HEADER}: {KEY}")
        code, output = await buf_curl(auth, papers, *header, home=tmp_path)
        refused, why = await buf_curl(auth, papers, home=tmp_path)

    assert (code, json.loads(output)) == (0, {"isValid": True, "localName": "Centro"})
    assert refused != 0
    assert "Centro" not in why
