"""Properties that are worked out when they are first asked for."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class once(Generic[T]):
    """`functools.cached_property` as it is from Python 3.12 on: before, a lock makes it three times as slow.

    The instance gets a dictionary by it, and all its attributes are slower to read from then on: nothing for those
    that every price is made of.
    """

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self._work_out, self.__doc__ = work_out, work_out.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> T:
        found = instance.__dict__[self._name] = self._work_out(instance)
        return found
