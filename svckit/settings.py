"""Settings from environment variables: typed, checked, and refused by the variable's name."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from svckit.bind import Address
from svckit.service import StartError

__all__ = ["SettingsError", "read_settings"]

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
        # A rule over several fields, checked by the dataclass itself, which knows no prefix.
        raise SettingsError(f"{prefix}*: {exc}") from exc


def _convert(raw: str, hint: Any, variable: str) -> Any:
    value: Any = raw
    if get_origin(hint) is tuple:
        value = [part for item in raw.split(",") if (part := item.strip())]
    elif _plain(hint) is bool:
        value = {"yes": True, "no": False}.get(raw.lower(), raw)
    try:
        return msgspec.convert(value, hint, strict=False, dec_hook=_decode)
    except (msgspec.ValidationError, ValueError) as exc:
        reason = str(exc).replace(" - at `$`", "")
        raise SettingsError(f"{variable}: {reason}") from exc


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is not None and get_args(hint) else hint


def _decode(kind: type, value: Any) -> Any:
    if kind is Address and isinstance(value, str):
        return Address.parse(value)
    raise NotImplementedError
