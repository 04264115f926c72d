"""What the start says of ports that are not closed as well as they could be."""

from pathlib import Path

import pytest

from authsvc.door import open_door
from authsvc.settings import PREFIX, AuthSettings
from svckit.settings import read_settings
from tests.certificates import Authority
from tests.unit.svckit.seen import Seen

KEYS = {"AUTH_SERVICE_KEYS": f"catalog:{'k' * 32}"}
BEYOND = {"AUTH_GRPC_BIND": "0.0.0.0:1", "AUTH_HTTP_BIND": "[::]:2"}
EVENT = "plain_text_beyond_loopback"


def lines_of(environ: dict[str, str]) -> list[list[str]]:
    seen = Seen()
    settings = read_settings(AuthSettings, PREFIX, environ)
    open_door(settings, seen.telemetry.log, lambda *_: None)
    assert {line["log_level"] for line in seen.lines(EVENT)} <= {"warning"}
    return [line["ports"] for line in seen.lines(EVENT)]


@pytest.mark.parametrize(
    ("environ", "lines"),
    [
        ({}, []),
        (KEYS, []),
        (KEYS | BEYOND, [["0.0.0.0:1", "[::]:2"]]),
        (KEYS | {"AUTH_HTTP_BIND": "192.0.2.1:2"}, [["192.0.2.1:2"]]),
        ({"AUTH_INSECURE": "yes"} | BEYOND, [["0.0.0.0:1", "[::]:2"]]),
    ],
)
async def test_ports_that_speak_plainly_beyond_loopback_are_one_warning(
    environ: dict[str, str], lines: list[list[str]]
) -> None:
    assert lines_of(environ) == lines


async def test_ports_that_speak_tls_are_none(tmp_path: Path) -> None:
    pem = Authority(tmp_path).issue(ips=["192.0.2.1"])

    tls = {"AUTH_TLS_CERT": str(pem.cert), "AUTH_TLS_KEY": str(pem.key)}

    assert lines_of(KEYS | BEYOND | tls) == []
