"""Where the specification defines what a JSON Pointer leads to, for those who have to mend it."""

import re
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from ocpi.types.scalars import OpenEnum, Wire

_ANCHOR = re.compile(r"§([a-z0-9_]+)")


def anchor(shape: type[Wire], pointer: str) -> str:
    """The anchor of the object or enum at `pointer` in a document of `shape`, or of what is nearest above it.

    An index in the pointer may be written `*`.
    """
    nearest = _of(shape)
    kind: Any = shape
    for step in pointer.split("/")[1:]:
        if step == "*" or step.isdecimal():
            continue  # a place in a list
        if not (isinstance(kind, type) and issubclass(kind, Wire) and step in kind.__struct_fields__):
            break
        kind = _kind(get_type_hints(kind, include_extras=True)[step])
        nearest = _of(kind) or nearest
    return nearest


def anywhere(pointer: str) -> str:
    """The pointer with `*` for each index: the place that items of a list have in common."""
    return "/".join("*" if step.isdecimal() else step for step in pointer.split("/"))


def _kind(hint: Any) -> Any:
    """What a field holds, or each item of its list."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Annotated, list):
        return _kind(arguments[0])
    if origin in (Union, UnionType):
        return _kind(next(option for option in arguments if option is not type(None)))
    return hint


def _of(kind: Any) -> str:
    named = isinstance(kind, type) and issubclass(kind, Wire | OpenEnum)
    found = _ANCHOR.search(kind.__doc__ or "") if named else None
    return found[1] if found else ""
