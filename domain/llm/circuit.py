"""A circuit breaker: calls to an endpoint that is out of order are held back, and one at a time finds out whether it is well again.

    CLOSED ──FAILURES in a row──► OPEN ──its time is over──► HALF-OPEN ──the probe is answered──► CLOSED
                                   ▲                             │
                                   └──the probe fails: twice as──┘
                                      long, up to a bound

Time is passed in, in seconds of a clock that never jumps.
"""

from collections.abc import Callable

FAILURES = 5
WHILE_PROBED = 0.2
"""How soon, as a share of the first opening, to look again whether a probe has come to an end."""


class Circuit:
    """`first` and `longest` are seconds an opening lasts, to which up to half is added; `draw` gives numbers in 0..1 for that."""

    def __init__(self, *, first: float, longest: float, draw: Callable[[], float]) -> None:
        self._first = first
        self._longest = longest
        self._draw = draw
        self._failures = 0
        self._opening = first
        self._open_until: float | None = None
        self._probe: object | None = None

    @property
    def is_closed(self) -> bool:
        return self._open_until is None

    @property
    def is_untroubled(self) -> bool:
        return self.is_closed and not self._failures

    def delay(self, now: float) -> float:
        """Seconds after which to ask again whether a call may begin; 0 when it may."""
        if self._open_until is None:
            return 0.0
        if self._probe is not None:
            return self._first * WHILE_PROBED
        return max(0.0, self._open_until - now)

    def begin(self) -> object:
        """A call begins, which `delay` must have allowed; what is answered names it from here on."""
        call = object()
        if not self.is_closed:
            self._probe = call
        return call

    def answered(self) -> None:
        """Some call shows that the endpoint works."""
        self._failures, self._opening, self._open_until, self._probe = 0, self._first, None, None

    def failed(self, call: object, now: float) -> bool:
        """Whether this opens the circuit. Calls that had begun before it opened do not keep it open."""
        if self.is_closed:
            self._failures += 1
            if self._failures < FAILURES:
                return False
        elif call is not self._probe:
            return False
        self._open_until = now + self._opening * (1 + self._draw() / 2)
        self._opening = min(2 * self._opening, self._longest)
        self._probe = None
        return True

    def left(self, call: object) -> None:
        """The call is over. A probe that brought no verdict leaves its place to another."""
        if call is self._probe:
            self._probe = None
