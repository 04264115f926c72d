"""What the documentation says of settings is what the code reads."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from authsvc.settings import AuthSettings
from catalogsvc.authz import AuthClientSettings
from catalogsvc.settings import CatalogSettings

ROOT = Path(__file__).parents[2]
SETTINGS = {"AUTH_": AuthSettings, "CATALOG_": CatalogSettings, "CATALOG_AUTH_": AuthClientSettings}


def documented() -> set[str]:
    rows = re.findall(r"^\| (`.*?`) \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    return {name for name in names if name.startswith(("AUTH_", "CATALOG_"))}


def test_every_setting_is_documented_and_no_other() -> None:
    read = {
        prefix + field.name.upper() for prefix, kind in SETTINGS.items() for field in fields(kind)
    }

    assert documented() == read


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        *("docs/settings.md", "docs/operating.md", "docs/staleness.md", "docs/administration.md"),
    ],
)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", text)
    named = re.findall(
        r"`((?:tests|docs|proto|svckit|authsvc|catalogsvc|generated)/[\w./-]*)`", text
    )

    missing = [path for path in linked if not (ROOT / page).parent.joinpath(path).exists()] + [
        path for path in named if not ROOT.joinpath(path).exists()
    ]

    assert missing == []


def test_every_route_of_administration_is_documented_and_no_other() -> None:
    table = (ROOT / "tests" / "integration" / "authsvc" / "who_may_call.txt").read_text()
    page = (ROOT / "docs" / "administration.md").read_text()

    shown = re.findall(r"`(?:[A-Z]+ )?(?:/api/v1/admin|\.\.\.)/(\S+?)`", page)

    assert set(shown) == set(re.findall(r" /api/v1/admin/(\S+)", table))
