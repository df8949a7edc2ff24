"""What a project says for itself of its genre's profile, held against that genre before it is kept."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from domain.errors import InvalidInput
from domain.genre_overrides import GenreOverride, changed
from domain.projects import Genre
from domain.prompting.genre_profiles import WHOLE, sum_of_floors
from domain.prompting.genres import genre_profile, laid_over

_SHARES: Final = ("input", "genreProfile", "shares")


def changed_override(override: GenreOverride | None, changes: Mapping[str, Any] | None, *, genre: Genre) -> GenreOverride | None:
    """The override after `changes`, as checks.GENRE_PROFILE accepts them; None takes it away.

    Raises InvalidInput for shares that do not hold together once they are laid over the genre's.
    """
    if changes is None:
        return None
    result = changed(override, changes)
    if result is not None and changes.get("shares"):
        _require_coherence(result, changes["shares"], genre)
    return result


def _require_coherence(override: GenreOverride, sent: Iterable[str], genre: Genre) -> None:
    shares = laid_over(genre_profile(genre).shares, override.shares)
    for index, group in enumerate(sent):
        if shares[group].floor > shares[group].ceiling:
            message = "The floor must not be above the ceiling. A bound that is left out is the genre's own: see `genres`."
            raise InvalidInput(message, (*_SHARES, str(index)))
    if (floors := sum_of_floors(shares.values())) > WHOLE:
        raise InvalidInput(
            f"The floors of all groups, the genre's own included, can sum to 1 at most; these would sum to {floors:g}.", _SHARES
        )
