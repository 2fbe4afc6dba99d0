"""What is wrong with a document: all of it, where, and whether the document can be used nevertheless.

One odd field never loses an object. A violation is fatal only

- in what identifies the object or orders its versions: its key and `last_updated`, and the keys of its parts,
- when a required field is missing or of the wrong JSON type, on a path that is required all the way down
  (an item of a list of cardinality `+` is on it; an item of an optional list, and a part, is not),
- when the value cannot be stored, anywhere: control characters, lone surrogates, absurd exponents.

Each struct is compiled once into a plan; a clean document costs one pass over its members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from msgspec import Struct
from msgspec.structs import fields as struct_fields

from ocpi.types import limits
from ocpi.types.scalars import AtLeastOne, Broken, Moment, OpenEnum, Part, Span, Text, Wire

_LONGEST_UNKNOWN = 255  # characters of a pointer that a partner made up


class Violation(Struct, frozen=True):
    """One defect of a document."""

    pointer: str  # RFC 6901; "" is the document itself
    code: str  # missing | type | length | enum | pattern | range | rule
    message: str
    fatal: bool  # the object cannot be stored with it


def check(document: object, shape: type[Wire]) -> list[Violation]:
    """Every violation of a full object: PUT, POST, pulled. Takes whatever JSON can hold and never raises."""
    plan = _plan(shape)
    return _examine(plan, document, plan.required)


def check_patch(document: object, shape: type[Wire]) -> list[Violation]:
    """Every violation of a PATCH: present fields, `last_updated` required (§transport_and_format_patch).

    Lists and objects within replace their predecessors whole, so they are judged as full ones.
    """
    plan = _plan(shape)
    return _examine(plan, document, plan.required & {"last_updated"})


class _Field(Struct, frozen=True):
    """What is declared for one field; `judge` or `plan` is for the value, or for each item of the list."""

    name: str
    required: bool
    many: bool
    at_least_one: bool
    single_tolerated: bool
    judge: limits.Judge | None
    plan: _Plan | None


class _Plan(Struct, frozen=True):
    """A struct, ready to be walked."""

    fields: dict[str, _Field]
    judges: dict[str, limits.Judge]  # of the fields that hold one scalar, most of them
    required: frozenset[str]
    identity: frozenset[str]
    identity_as_part: frozenset[str]
    rules: Callable[[dict[str, Any]], Iterable[Broken]] | None


class _Place(Struct):
    """Where in the document we are, what that makes of defects, and the defects found everywhere so far."""

    pointer: str
    vital: bool  # every field from the root down to here is required
    identity: frozenset[str]
    found: list[Violation]

    def threshold(self, field: _Field) -> int:
        """The weight from which on a finding about the field is fatal."""
        if field.name in self.identity:
            return limits.LIMIT
        return limits.SHAPE if self.vital and field.required else limits.UNSTORABLE

    def report(self, pointer: str, findings: tuple[limits.Finding, ...], threshold: int, value: object) -> None:
        for code, message, weight in findings:
            self.found.append(Violation(pointer, code, message, weight >= threshold))
            if weight == limits.SHAPE:  # nothing else looks into a value of the wrong type
                self.found += _unstorable(value, pointer)


def _examine(plan: _Plan, document: object, required: frozenset[str]) -> list[Violation]:
    found: list[Violation] = []
    _object(plan, document, _Place("", True, plan.identity, found), required)
    return found


def _object(plan: _Plan, document: object, place: _Place, required: frozenset[str]) -> None:
    at = place.pointer
    if type(document) is not dict:
        threshold = limits.SHAPE if place.vital or place.identity else limits.UNSTORABLE
        place.report(at, limits.mistyped("an object", document), threshold, document)
        return
    fields, judges = plan.fields, plan.judges
    for name, value in document.items():
        if value is not None and (judge := judges.get(name)) is not None:
            if findings := judge(value):
                place.report(f"{at}/{name}", findings, place.threshold(fields[name]), value)
        elif (field := fields.get(name)) is None:
            place.found += _unstorable({name: value}, at)
        elif value is not None:
            (_scalars if field.plan is None else _objects)(field, value, place)
        elif field.required:
            place.report(f"{at}/{name}", limits.MISSING, place.threshold(field), value)
    if not required <= document.keys():
        for field in fields.values():
            if field.name in required and field.name not in document:
                place.report(f"{at}/{field.name}", limits.MISSING, place.threshold(field), None)
    if plan.rules is not None:
        for below, message, fatal in plan.rules(document):
            place.found.append(Violation(at + below, "rule", message, fatal))


def _scalars(field: _Field, value: object, place: _Place) -> None:
    if type(value) is not list:
        at = f"{place.pointer}/{field.name}"
        place.report(at, limits.mistyped("a list", value), place.threshold(field), value)
        return
    judge = cast(limits.Judge, field.judge)
    for index, item in enumerate(value):
        if findings := judge(item):
            at = f"{place.pointer}/{field.name}/{index}"
            place.report(at, findings, place.threshold(field), item)


def _objects(field: _Field, value: object, outside: _Place) -> None:
    """One object, or a list of them."""
    plan = cast(_Plan, field.plan)
    at = f"{outside.pointer}/{field.name}"
    vital = outside.vital and field.required and not plan.identity_as_part
    place = _Place(at, vital, plan.identity_as_part, outside.found)
    if not field.many:
        _object(plan, value, place, plan.required)
    elif type(value) is list:
        for index, item in enumerate(value):
            place.pointer = f"{at}/{index}"
            _object(plan, item, place, plan.required)
        if field.at_least_one and not value:
            place.report(at, limits.EMPTY_LIST, outside.threshold(field), value)
    elif field.single_tolerated and type(value) is dict:
        place.found.append(Violation(at, "type", "must be a list, is a single object", False))
        _object(plan, value, place, plan.required)
    else:
        place.report(at, limits.mistyped("a list", value), outside.threshold(field), value)


_Trail = tuple[Any, str | int] | None  # the trail of the parent and the name or index below it


def _unstorable(value: object, at: str) -> Iterator[Violation]:
    """What cannot be stored in a value we know nothing else about; it may be nested to any depth."""
    pending: list[tuple[object, _Trail]] = [(value, None)]
    while pending:
        item, trail = pending.pop()
        if type(item) is dict:
            for name in item:
                for code, message, _ in limits.storable(name):
                    yield Violation(_pointer(at, trail), code, f"the name of a member {message}", True)
            pending += [(member, (trail, name)) for name, member in item.items()]
        elif type(item) is list:
            pending += [(member, (trail, index)) for index, member in enumerate(item)]
        else:
            for code, message, _ in limits.storable(item):
                yield Violation(_pointer(at, trail), code, message, True)


def _pointer(at: str, trail: _Trail) -> str:
    """The pointer as far down as it is short enough to be shown and can itself be stored."""
    steps: list[str | int] = []
    while trail is not None:
        trail, step = trail
        steps.append(step)
    pointer = at
    for step in reversed(steps):
        below = f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"
        if len(below) > len(at) + _LONGEST_UNKNOWN or limits.storable(step):
            break
        pointer = below
    return pointer


@cache
def _plan(shape: type[Wire]) -> _Plan:
    hints = get_type_hints(shape, include_extras=True)
    declared = struct_fields(shape)
    identity = frozenset((*shape.key, "last_updated")) & hints.keys()
    fields = [_field(field.name, hints[field.name], field.required, field.name in identity) for field in declared]
    return _Plan(
        fields={field.name: field for field in fields},
        judges={field.name: field.judge for field in fields if field.judge is not None and not field.many},
        required=frozenset(field.name for field in declared if field.required),
        identity=identity,
        identity_as_part=frozenset(shape.key if issubclass(shape, Part) else ()),
        rules=None if shape.rules is Wire.rules else shape.rules,
    )


def _field(name: str, hint: Any, required: bool, identifies: bool) -> _Field:
    options = [option for option in _options(hint) if option is not type(None)]
    kind, marks = _unwrap(options[0])
    many = get_origin(kind) is list
    item, item_marks = _unwrap(get_args(kind)[0]) if many else (kind, marks)
    is_object = issubclass(item, Wire)
    return _Field(
        name=name,
        required=required,
        many=many,
        at_least_one=isinstance(marks, AtLeastOne),
        single_tolerated=many and len(options) > 1,
        judge=None if is_object else _judge(item, item_marks, identifies),
        plan=_plan(item) if is_object else None,
    )


def _options(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _unwrap(hint: Any) -> tuple[Any, Struct | None]:
    """The type and the limits of an `Annotated` alias."""
    if get_origin(hint) is not Annotated:
        return hint, None
    kind, meta = get_args(hint)
    return kind, meta.extra["limits"]


def _judge(kind: type, marks: Struct | None, identifies: bool) -> limits.Judge:
    if isinstance(marks, Text):
        return limits.text(marks, identifies=identifies)
    if isinstance(marks, Moment):
        return limits.moment
    if issubclass(kind, OpenEnum):
        return limits.open_enum(kind)
    if kind is bool:
        return limits.boolean
    if kind is int or kind is Decimal:
        return limits.number(marks if isinstance(marks, Span) else Span(), integer=kind is int)
    raise TypeError(f"the wire model knows no {kind!r}")
