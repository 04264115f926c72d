"""RFC 9110, sections 8.8 and 13.1: against lost updates, a write may say what it expects. Pure."""

import re
from dataclasses import dataclass

from svckit.errors import InvalidRequest, PreconditionFailed

__all__ = ["Precondition", "read_precondition"]

# Quoted entity tags, separated by commas; W/ marks a weak one.
TAG = r'(?:W/)?"[\x21\x23-\x7e]*"'
TAGS = re.compile(rf"{TAG}(?:\s*,\s*{TAG})*")
TAGS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Precondition:
    """`if_match`: one of these must be there, `*` is any. `is_absent`: nothing may be there."""

    if_match: tuple[str, ...] = ()
    is_absent: bool = False

    def check(self, tag: str | None) -> None:
        """`tag` is the strong one of what is there; None: nothing. Raises PreconditionFailed."""
        if self.is_absent and tag is not None:
            raise PreconditionFailed("it exists already")
        if self.if_match and (tag is None or not {tag, "*"} & set(self.if_match)):
            raise PreconditionFailed("it is not what If-Match names; read it again")


def read_precondition(*, if_match: str | None, if_none_match: str | None) -> Precondition:
    """From the headers' values. Raises InvalidRequest."""
    if if_none_match is not None and if_none_match.strip() != "*":
        raise InvalidRequest("If-None-Match must be *")
    return Precondition(if_match=_tags(if_match), is_absent=if_none_match is not None)


def _tags(if_match: str | None) -> tuple[str, ...]:
    if if_match is None:
        return ()
    text = if_match.strip()
    if text == "*":
        return ("*",)
    if not TAGS.fullmatch(text):
        raise InvalidRequest("If-Match must be * or quoted entity tags")
    # A weak tag is kept as it is: it equals no strong one, which is the rule.
    tags = tuple(re.findall(TAG, text))
    if len(tags) > TAGS_MAX:
        raise InvalidRequest(f"If-Match names more than {TAGS_MAX} entity tags")
    return tags
