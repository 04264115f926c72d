"""Which module may know which, and what a pure core may not know: read from the source itself."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("svckit", "authsvc", "catalogsvc")
LINES_MAX = 300

# A module whose docstring says this is a core: no await, clock, log, random or I/O in it; time is
# an argument, a verdict is a value. `just cover` finds the cores by the same word.
PURE = "Pure."
# Whoever takes the word away from one of these takes the checks away with it.
KNOWN_CORES = {
    *("svckit/status.py", "svckit/deadline.py", "svckit/ids.py", "svckit/text.py"),
    *("svckit/errors.py", "svckit/semconv.py", "svckit/readiness.py", "svckit/cause.py"),
    *("authsvc/decision.py", "authsvc/tokens.py", "authsvc/model.py", "authsvc/entity_rules.py"),
    *("authsvc/session_rules.py", "authsvc/login_limits.py", "authsvc/refresh_tokens.py"),
    *("authsvc/password_rules.py",),
    *("authsvc/transfer/lines.py", "authsvc/store/admission.py", "authsvc/store/history.py"),
    *("authsvc/store/touches.py", "authsvc/listing.py", "authsvc/records.py"),
    *("authsvc/freshness.py", "authsvc/knowledge.py", "authsvc/change_log.py", "authsvc/rows.py"),
    *("svckit/callers.py", "svckit/caller_lists.py", "svckit/rare_lines.py", "authsvc/asking.py"),
    *("svckit/last_changes.py", "catalogsvc/authz/freshness.py", "catalogsvc/authz/entries.py"),
    *("catalogsvc/authz/batcher.py", "authsvc/key_schedule.py", "authsvc/stored_key.py"),
    *("catalogsvc/authz/batcher.py", "svckit/preconditions.py", "authsvc/admin_rules.py"),
    *("authsvc/edits.py", "authsvc/denials.py", "authsvc/audit.py"),
    *("catalogsvc/products.py", "catalogsvc/cursor.py", "catalogsvc/auth_metrics.py"),
    *("catalogsvc/authz/breaker.py", "catalogsvc/authz/model.py", "catalogsvc/authz/errors.py"),
    *("catalogsvc/authz/answers.py", "catalogsvc/authz/outcomes.py"),
}
IMPURE = {
    *("asyncio", "time", "datetime", "random", "secrets", "uuid", "threading"),
    *("logging", "structlog", "opentelemetry", "prometheus_client"),
    *("os", "socket", "pathlib", "subprocess", "tempfile", "shutil", "urllib.request", "http"),
    *("sqlalchemy", "starlette", "hypercorn", "aiohttp", "aiocache", "grpclib", "generated"),
}
# Only words: the names of the statuses, and the exceptions that carry them.
WORDS = {"grpclib.const", "grpclib.exceptions"}

# Alembic's own shape: it runs these files, nobody imports them.
ALEMBIC_FILES = ("migrations/env.py", "migrations/versions/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    path: str
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.path.partition("/")[0]

    def imported(self) -> set[str]:
        """Full names of the modules it imports, wherever in the file; relative ones are banned."""
        return set(_imports(self.tree))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            assert node.module is not None
            yield node.module
            # `from catalogsvc import authz` imports a module too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _read(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT).as_posix()
    return Source(path=name, text=text, tree=ast.parse(text, name))


SOURCES = tuple(
    _read(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))
)


CORES = tuple(s.path for s in SOURCES if PURE in (ast.get_docstring(s.tree) or ""))


def is_within(name: str, modules: set[str]) -> bool:
    return any(f"{name}.".startswith(f"{module}.") for module in modules)


def offenders(package: str, forbidden: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (source.path, name)
        for source in SOURCES
        for name in source.imported()
        if source.package == package and name.partition(".")[0] in forbidden
    ]


def test_the_sources_are_found() -> None:
    # Else every test below would hold for want of files.
    assert {source.package for source in SOURCES} == set(PACKAGES)
    assert {source.path for source in SOURCES} >= {"authsvc/decision.py", "svckit/codec.py"}


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("svckit", ("authsvc", "catalogsvc", "generated", "tests")),
        ("authsvc", ("catalogsvc", "tests")),
        ("catalogsvc", ("authsvc", "tests")),
    ],
)
def test_imports_point_one_way(package: str, forbidden: tuple[str, ...]) -> None:
    assert offenders(package, forbidden) == []


def test_generated_code_stops_at_the_wire() -> None:
    # The descriptor set beside it is read as a file: that imports no message class.
    importing = {
        source.path
        for source in SOURCES
        if any(name.partition(".")[0] == "generated" for name in source.imported())
    }
    allowed = ("/wire.py", "/grpc_api.py", "_transport.py")

    assert [path for path in sorted(importing) if not path.endswith(allowed)] == []


def test_the_client_is_used_through_its_facade_alone() -> None:
    inside = "catalogsvc/authz/"
    facade = {
        f"catalogsvc.authz.{alias.asname or alias.name}"
        for source in SOURCES
        if source.path == f"{inside}__init__.py"
        for node in source.tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert [
        (source.path, name)
        for source in SOURCES
        if not source.path.startswith(inside)
        for name in source.imported()
        if name.startswith("catalogsvc.authz.") and name not in facade
    ] == []


def test_the_cores_are_found_by_the_word_in_their_docstring_and_by_nothing_else() -> None:
    assert set(CORES) >= KNOWN_CORES
    # Else a search for the word would find other files too.
    assert [source.path for source in SOURCES if PURE in source.text] == list(CORES)


@pytest.mark.parametrize("path", CORES)
def test_a_core_is_pure(path: str) -> None:
    core = _read(ROOT / path)
    awaiting = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)

    assert [node for node in ast.walk(core.tree) if isinstance(node, awaiting)] == []
    impure = {name for name in core.imported() if is_within(name, IMPURE)}
    assert {name for name in impure if not is_within(name, WORDS)} == set()
    names = {node.id for node in ast.walk(core.tree) if isinstance(node, ast.Name)}
    assert names & {"open", "print", "input"} == set()


def test_every_module_says_what_it_is_for_and_what_it_offers() -> None:
    silent = [source.path for source in SOURCES if ast.get_docstring(source.tree) is None]
    unlisted = [source.path for source in SOURCES if offers(source) and not lists(source)]

    assert (silent, unlisted) == ([], [])


def offers(source: Source) -> bool:
    """Whether anyone could import something from it."""
    if source.path.endswith("__main__.py") or any(part in source.path for part in ALEMBIC_FILES):
        return False
    return any(not isinstance(node, ast.Expr) for node in source.tree.body)


def lists(source: Source) -> bool:
    return any(
        isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
        for node in source.tree.body
    )


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    sizes = {source.path: source.text.count("\n") for source in SOURCES}

    assert {path: lines for path, lines in sizes.items() if lines > LINES_MAX} == {}


def test_tasks_have_owners() -> None:
    # A task kept by nobody may be collected in mid-flight, and no one hears it fail.
    bare = [
        (source.path, node.lineno)
        for source in SOURCES
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr in ("create_task", "ensure_future")
        and isinstance(node.value.func.value, ast.Name)
        and node.value.func.value.id in ("asyncio", "loop")
    ]

    assert bare == []
