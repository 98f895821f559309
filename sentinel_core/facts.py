"""The facts of a request: a dict whose values have the types of their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from sentinel_core.keys import AnyKey, Key

T = TypeVar("T")

if TYPE_CHECKING:

    class _Dict:
        """What a type checker sees of it: `dict` has one type for all values."""

        def __getitem__(self, key: Key[T]) -> T: ...
        def __setitem__(self, key: Key[T], value: T) -> None: ...
        def __contains__(self, key: AnyKey) -> bool: ...
        def __iter__(self) -> Iterator[AnyKey]: ...
        @overload
        def get(self, key: Key[T]) -> T | None: ...
        @overload
        def get(self, key: Key[T], default: T) -> T: ...
        def get(self, key: Key[T], default: T | None = None) -> T | None: ...
        def copy(self) -> dict[AnyKey, Any]: ...  # each as its key says
        def clear(self) -> None: ...
        def update(self, facts: Mapping[AnyKey, Any]) -> None: ...  # as above

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

    def __missing__(self, key: AnyKey) -> NoReturn:
        raise KeyError(f"no stage has written {key!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
