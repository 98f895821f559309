"""The facts of a request: a dict whose values have the types of their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from sentinel_core.keys import Key

T = TypeVar("T")

if TYPE_CHECKING:

    class _Dict:
        """What a type checker sees of it: `dict` has one type for all values."""

        def __getitem__(self, key: Key[T]) -> T: ...
        def __setitem__(self, key: Key[T], value: T) -> None: ...
        def __contains__(self, key: Key[Any]) -> bool: ...
        def __iter__(self) -> Iterator[Key[Any]]: ...
        @overload
        def get(self, key: Key[T]) -> T | None: ...
        @overload
        def get(self, key: Key[T], default: T) -> T: ...
        def get(self, key: Key[T], default: T | None = None) -> T | None: ...
        def copy(self) -> dict[Key[Any], Any]: ...
        def clear(self) -> None: ...
        def update(self, facts: Mapping[Key[Any], Any]) -> None: ...

else:
    _Dict = dict


class Facts(_Dict):
    """Read and written with keys, several times by every stage: so these are the dict's own methods.

    Two are never equal, and none is ever shown: facts are what logs must not hold.
    """

    __slots__ = ()
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return True

    def __missing__(self, key: Key[Any]) -> NoReturn:
        raise KeyError(f"no stage has written {key!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
