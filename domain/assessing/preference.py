"""Which of two texts somebody prefers."""

from enum import StrEnum


class Preference(StrEnum):
    """Of the second text, compared with the first; a judge that changes its mind with the order in which it reads them has none."""

    BETTER = "BETTER"
    WORSE = "WORSE"
    TIE = "TIE"
