"""Settings from environment variables: typed, checked, and refused by the variable's name. Pure."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from svckit.address import Address
from svckit.service import StartError

__all__ = ["SettingsError", "read_settings", "Seconds"]

# A span that someone waits for.
Seconds = Annotated[float, msgspec.Meta(ge=0.001, le=300)]

SWITCH = {
    **dict.fromkeys(("yes", "true", "on", "1"), True),
    **dict.fromkeys(("no", "false", "off", "0"), False),
}

S = TypeVar("S")


class SettingsError(StartError):
    """A setting is wrong, missing or half-set; the message names the variable. Stops the start."""


def read_settings(kind: type[S], prefix: str, environ: Mapping[str, str]) -> S:
    """Fills the dataclass `kind`: field `grpc_bind` is read from `<prefix>GRPC_BIND`.

    An empty variable counts as unset. Tuples are comma lists. Raises SettingsError.
    """
    hints = get_type_hints(kind, include_extras=True)
    values: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type] # S is a dataclass by contract
        variable = prefix + field.name.upper()
        raw = environ.get(variable, "").strip()
        if raw:
            values[field.name] = _convert(raw, hints[field.name], variable)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise SettingsError(f"{variable} is not set")
    try:
        return kind(**values)
    except ValueError as exc:
        # The dataclass checks its own rules ("field_name: what is wrong") and knows no prefix.
        field_name, _, problem = str(exc).partition(": ")
        raise SettingsError(f"{prefix}{field_name.upper()}: {problem}") from exc


def _convert(raw: str, hint: Any, variable: str) -> Any:
    try:
        if _plain(hint) is Address:
            return Address.parse(raw)
        return msgspec.convert(_spelled(raw, hint), hint, strict=False)
    except ValueError as exc:  # msgspec's own errors are ValueErrors too
        reason = str(exc).replace(" - at `$`", "")
        raise SettingsError(f"{variable}: {reason}") from exc


def _spelled(raw: str, hint: Any) -> Any:
    """The text as msgspec reads it."""
    if _plain(hint) is tuple:
        return [part for item in raw.split(",") if (part := item.strip())]
    if _plain(hint) is bool:
        if raw.lower() not in SWITCH:
            raise ValueError("must be yes or no")
        return SWITCH[raw.lower()]
    return raw


def _plain(hint: Any) -> Any:
    """T of `Annotated[T, ...]` and of `T | None`; tuple of `tuple[str, ...]`."""
    origin = get_origin(hint)
    if origin in (Annotated, Union, UnionType):
        return _plain(get_args(hint)[0])
    return origin or hint
