"""How many messages a client may send."""

from collections.abc import Callable


class MessageRate:
    """A bucket: `burst` messages at once, and from then on `per_second`."""

    def __init__(self, *, burst: int, per_second: float, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left = float(burst)
        self._counted_at = clock()

    def allows_one_more(self) -> bool:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._counted_at) * self._per_second)
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
