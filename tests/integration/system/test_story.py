"""The story that `just demo` tells is true."""

from pathlib import Path

from tests.demo.__main__ import tell
from tests.demo.stage import open_stage


async def test_every_line_of_the_demo_is_true(tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage:
        lines = [line async for line in tell(stage)]

    assert len(lines) == 8
    assert [f"{line.event}: {line.got}" for line in lines if not line.is_true] == []
