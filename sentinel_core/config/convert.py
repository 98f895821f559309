"""From tables to Structs, collecting every problem instead of stopping at the first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from sentinel_core.config.document import Document, Steps, problem_at
from sentinel_core.config.envtext import EnvText, readings
from sentinel_core.config.expectation import choices, describe, found, members, show, unwrap
from sentinel_core.config.fields import fields_of
from sentinel_core.config.secret import REMEDY, Secret, SecretReader, UnreadableSecret
from sentinel_core.config.suggestion import did_you_mean, nearest, question
from sentinel_core.errors import ConfigError, ConfigProblem

S = TypeVar("S", bound=msgspec.Struct)

_SEQUENCES: tuple[type, ...] = (list, tuple, set, frozenset)
_BAD: Any = object()  # stands for a value whose problem is noted; never leaves this module
NOT_VALID = "not a valid value"


def convert_table(
    document: Document, steps: Steps, struct: type[S], secrets: SecretReader
) -> tuple[S | None, list[ConfigProblem]]:
    """The table at `steps` as a `struct`, or None and everything that is wrong with it.

    An absent table is an empty one. Unknown keys are refused, values are never coerced (except from the environment,
    which knows only text), secrets are resolved, and a `ValueError` of `__post_init__` is a problem of the table, or
    one for each of several texts that it was given. Whatever else it raises is a plugin's mistake, and the cause of a
    `ConfigError`.
    """
    conversion = _Conversion(document, secrets)
    table = document.get(*steps)
    value = conversion.value({} if table is None else table, struct, steps)
    return (None if value is _BAD else value), conversion.problems


def convert_what_can(document: Document, struct: type[S], secrets: SecretReader) -> S:
    """The whole document as a `struct` whose fields all have defaults. Where something is wrong, the default stands; a
    table that cannot be read is left out of its list. Keys that nobody knows are passed over."""
    value = _Conversion(document, secrets, lenient=True).value(document.tables, struct, ())
    return struct() if value is _BAD else value


class _Conversion:
    """One walk along a type and a value. Annotations and TOML values have no common type, hence `Any`.

    `lenient`: what is wrong is left out where something else can stand for it.
    """

    def __init__(self, document: Document, secrets: SecretReader, *, lenient: bool = False) -> None:
        self.document = document
        self.secrets = secrets
        self.lenient = lenient
        self.problems: list[ConfigProblem] = []

    def bad(self, steps: Steps, message: str, *, whole: bool = False, **words: str) -> Any:  # _BAD
        self.problems.append(problem_at(self.document, steps, message, whole=whole, **words))
        return _BAD

    def value(self, value: Any, annotation: Any, steps: Steps) -> Any:  # see the class
        """`value` as `annotation`, or `_BAD` with its problems noted."""
        if annotation is Any:  # whoever annotates so takes everything
            return value
        types = members(annotation)
        if value is None and type(None) in types:
            return None
        if isinstance(value, EnvText):
            return self._text(value.text, annotation, steps)
        if Secret in types:
            return self._secret(value, steps)
        for member in types:
            bare, _ = unwrap(member)
            origin = get_origin(bare) or bare
            if isinstance(origin, type) and issubclass(origin, msgspec.Struct) and self._reads(origin, value, types):
                return self._table(value, origin, steps)
            if origin in _SEQUENCES and isinstance(value, list) and _uniform(bare):
                return self._items(value, member, steps)
            if origin in (dict, Mapping) and isinstance(value, Mapping) and len(get_args(bare)) == 2:
                return self._entries(value, get_args(bare), steps)
        return self._leaf(value, annotation, steps)

    @staticmethod
    def _reads(struct: type[msgspec.Struct], value: Any, types: tuple[Any, ...]) -> bool:  # see the class
        # Several Structs in one union are told apart by their tags, which msgspec does.
        structs = [member for member in types if _is_table(member)]
        return isinstance(value, Mapping) and len(structs) == 1 and struct in structs

    def _table(self, table: Mapping[str, Any], struct: type[msgspec.Struct], steps: Steps) -> Any:  # see the class
        before = len(self.problems)
        fields = fields_of(struct)
        for key in table:
            if key not in fields and not self.lenient:
                near = nearest(str(key), fields)
                names = "" if near else ", ".join(sorted(fields)) or "an empty table"
                is_table = isinstance(table[key], Mapping) and (near is None or _takes_table(fields[near].type))
                noun = "table" if is_table else "key"
                self.bad((*steps, key), f"unknown {noun}", expected=names, suggestion=question(near))
        values: dict[str, Any] = {}  # see the class
        for key, field in fields.items():
            if key in table:
                values[field.name] = self.value(table[key], field.type, (*steps, key))
            elif field.required:
                self.bad((*steps, key), "missing", expected=describe(field.type))
        if self.lenient:
            values = {name: value for name, value in values.items() if value is not _BAD}
        elif len(self.problems) > before:
            return _BAD
        try:
            return struct(**values)
        except (ValueError, TypeError) as error:  # what msgspec takes from __post_init__ as well
            several = len(error.args) > 1 and all(isinstance(said, str) for said in error.args)
            for said in error.args if several else (str(error) or NOT_VALID,):
                self.bad(steps, said, whole=True)
            return _BAD
        except Exception as error:  # whatever else a plugin's Struct raises
            message = f"{struct.__module__}.{struct.__qualname__} raised {error!r}"
            raise ConfigError((problem_at(self.document, steps, message, whole=True),)) from error

    def _items(self, items: list[Any], annotation: Any, steps: Steps) -> Any:  # see the class
        bare, metas = unwrap(annotation)
        inner = (*get_args(bare), Any)[0]  # a list without a type takes everything
        values = [self.value(item, inner, (*steps, index)) for index, item in enumerate(items)]
        for meta in metas:
            if not (meta.min_length or 0) <= len(items) <= (meta.max_length or len(items)):
                return self.bad(steps, NOT_VALID, found=f"a list of {len(items)}", expected=describe(annotation))
        if self.lenient and _is_table(inner):
            values = [value for value in values if value is not _BAD]
        return _BAD if any(value is _BAD for value in values) else (get_origin(bare) or bare)(values)

    def _entries(self, table: Mapping[str, Any], kinds: tuple[Any, ...], steps: Steps) -> Any:  # see the class
        name, inner = kinds
        values = {
            self._leaf(key, name, (*steps, key)): self.value(item, inner, (*steps, key)) for key, item in table.items()
        }
        return _BAD if any(_BAD in entry for entry in values.items()) else values

    def _secret(self, value: Any, steps: Steps) -> Any:  # see the class
        if isinstance(value, Secret):
            return value
        origin = self.document.origin(steps)
        if isinstance(value, str) and origin and origin.kind == "environment":
            return Secret(value, origin.name) if value else self.bad(steps, "the secret is empty")
        if isinstance(value, str):
            return self.bad(steps, "a secret does not belong into the configuration", suggestion=REMEDY)
        if not isinstance(value, Mapping):
            return self.bad(steps, "not a reference to a secret", expected=describe(Secret))
        try:
            return self.secrets.read(value)
        except UnreadableSecret as error:
            return self.bad(steps, str(error), expected=describe(Secret))

    def _text(self, text: str, annotation: Any, steps: Steps) -> Any:  # see the class
        """A variable's text: as TOML if that fits the type, else as a string if that does."""
        trials = []
        for reading in readings(text, string=Secret in members(annotation)):
            trial = _Conversion(self.document, self.secrets)
            value = trial.value(reading, annotation, steps)
            if value is not _BAD:
                return value
            trials.append(trial)
        self.problems += trials[0].problems
        return _BAD

    def _leaf(self, value: Any, annotation: Any, steps: Steps) -> Any:  # see the class
        try:
            converted = msgspec.convert(value, annotation)
        except msgspec.ValidationError:
            known = [choice for member in members(annotation) for choice in choices(member)]
            hint = did_you_mean(value, map(str, known)) if isinstance(value, str) else ""
            return self.bad(
                steps, NOT_VALID, found=found(value, annotation), expected=describe(annotation), suggestion=hint
            )
        if isinstance(converted, float) and not math.isfinite(converted):
            return self.bad(steps, NOT_VALID, found=show(value), expected="a finite number")
        return converted


def _is_table(annotation: Any) -> bool:  # annotations have no common type
    return isinstance(annotation, type) and issubclass(annotation, msgspec.Struct)


def _takes_table(annotation: Any) -> bool:  # annotations have no common type
    """Whether a value of this type is written as a table. A secret is one, and is no table to anybody."""
    kinds = [unwrap(member)[0] for member in members(annotation)]
    return any(_is_table(kind) or (get_origin(kind) or kind) in (dict, Mapping) for kind in kinds)


def _uniform(bare: Any) -> bool:  # annotations have no common type
    """True for a collection of any length whose items have one type."""
    args = get_args(bare)
    return get_origin(bare) is not tuple or (len(args) == 2 and args[1] is Ellipsis)
