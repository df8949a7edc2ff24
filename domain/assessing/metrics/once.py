"""What several metrics work out of the same reading, worked out once."""

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import TypeVar
from weakref import WeakKeyDictionary

from domain.assessing.metrics.reading import Reading

Value = TypeVar("Value")


def once_per_reading(work_out: Callable[[Reading], Value]) -> Callable[[Reading], Value]:
    """The value is gone with the reading, so it must not hold the reading itself. Two threads that ask at once may both work it out."""
    known: WeakKeyDictionary[Reading, Value] = WeakKeyDictionary()
    lock = Lock()

    @wraps(work_out)
    def remembered(reading: Reading) -> Value:
        with lock:
            if reading in known:
                return known[reading]
        value = work_out(reading)
        with lock:
            known[reading] = value
        return value

    return remembered
