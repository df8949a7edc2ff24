"""What the system accepts of its users, decided before anything is written.

The characters of an author's text are kept as they are, except that lines end in LF. Lengths are Unicode code points unless a limit
says bytes (UTF-8).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from domain.errors import InvalidInput, LimitExceeded
from domain.genre_overrides import GROUPS, HIGHEST_WEIGHT, LOWEST_WEIGHT, OwnShare, OwnWeight
from domain.reference_files import ReferenceKind

Path = tuple[str, ...]

TITLE_LENGTH: Final = 300
PROSE_LENGTH: Final = 20_000
INSTRUCTIONS_LENGTH: Final = 10_000
GUIDANCE_LENGTH: Final = 5_000
REASON_LENGTH: Final = 2_000
ALIAS_LENGTH: Final = 200
EMAIL_LENGTH: Final = 320
KEY_LENGTH: Final = 200
CHAPTER_TEXT_BYTES: Final = 2_000_000
REFERENCE_CONTENT_BYTES: Final = 1_000_000
ALIASES: Final = 50
PINS: Final = 100
CHOSEN_FINDINGS: Final = 100
CHAPTERS: Final = 1_000
REFERENCE_FILES: Final = 10_000
MEMBERS: Final = 50
UNFINISHED_JOBS: Final = 200
WORDS: Final = 1_000_000
HIGHEST_AMOUNT: Final = 999_999
AMOUNT_PLACES: Final = 6

# Cc without tab, line feed and carriage return; and halves of surrogate pairs, which no encoding can carry.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_END: Final = re.compile("\r\n?")
# RFC 5646, section 2.1: language, script, region, variants, extensions, private use.
_LANGUAGE_TAG: Final = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)
_LANGUAGE_LENGTH: Final = 35
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field is accepted: `accept` answers the value to keep or raises a Refusal. Null clears only what is `clearable`."""

    accept: Callable[[Any, Path], Any]
    clearable: bool = False


def checked(values: Mapping[str, Any], rules: Mapping[str, Rule], path: Path = ("input",)) -> dict[str, Any]:
    """The values by the names of `rules`, each accepted. Raises InvalidInput or LimitExceeded, naming the field as clients spell it."""
    return {name: _accept(rules[name], value, (*path, _client_name(name))) for name, value in values.items()}


def _accept(rule: Rule, value: Any, path: Path) -> Any:
    if value is not None:
        return rule.accept(value, path)
    if not rule.clearable:
        raise InvalidInput("This cannot be cleared.", path)
    return None


def _client_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _as_it_is(value: Any, _path: Path) -> Any:
    return value


def clean(text: str, path: Path) -> str:
    if _FORBIDDEN.search(text):
        raise InvalidInput("This contains control characters or broken Unicode.", path)
    return _LINE_END.sub("\n", text)


def line(maximum: int) -> Callable[[str, Path], str]:
    """One line that is not blank, without the white space around it."""

    def accept(text: str, path: Path) -> str:
        text = clean(text, path).strip()
        if "\n" in text:
            raise InvalidInput("This must be a single line.", path)
        if not 1 <= len(text) <= maximum:
            raise InvalidInput(f"This must have 1 to {maximum:,} characters.", path)
        return text

    return accept


def prose(maximum: int) -> Callable[[str, Path], str]:
    """Text of any number of lines; it may be empty."""

    def accept(text: str, path: Path) -> str:
        text = clean(text, path)
        if len(text) > maximum:
            raise InvalidInput(f"This must have at most {maximum:,} characters.", path)
        return text

    return accept


def words(maximum: int) -> Callable[[str, Path], str]:
    """Text of any number of lines that says something."""
    accept_prose = prose(maximum)

    def accept(text: str, path: Path) -> str:
        text = accept_prose(text, path)
        if not text.strip():
            raise InvalidInput("This must not be blank.", path)
        return text

    return accept


def document(limit_name: str, maximum_bytes: int) -> Callable[[str, Path], str]:
    """Text that is not blank, as long as it fits; its length in bytes is looked at first, so that huge texts cost nothing."""

    def accept(text: str, path: Path) -> str:
        if len(text) > maximum_bytes or len(text.encode("utf-8", "surrogatepass")) > maximum_bytes:
            raise LimitExceeded(limit_name, maximum_bytes, path, f"This must have at most {maximum_bytes:,} bytes.")
        text = clean(text, path)
        if not text.strip():
            raise InvalidInput("This must not be blank.", path)
        return text

    return accept


def between(lowest: float, highest: float) -> Callable[[float, Path], float]:
    def accept(number: float, path: Path) -> float:
        if not lowest <= number <= highest:
            raise InvalidInput(f"This must be from {lowest:,} to {highest:,}.", path)
        return number

    return accept


def language_tag(tag: str, path: Path) -> str:
    if len(tag) > _LANGUAGE_LENGTH or not _LANGUAGE_TAG.fullmatch(tag):
        raise InvalidInput("This must be a language tag, such as en or pt-BR (BCP 47).", path)
    return tag


def amount(value: Decimal, path: Path) -> Decimal:
    # The range comes first: an exponent beyond Decimal's own limits cannot even be rounded.
    if not (0 <= value <= HIGHEST_AMOUNT and value == round(value, AMOUNT_PLACES)):
        raise InvalidInput(f"This must be from 0 to {HIGHEST_AMOUNT:,}, with at most {AMOUNT_PLACES} decimal places.", path)
    return value


def alias_list(aliases: list[str], path: Path) -> tuple[str, ...]:
    """Without repetitions, in the order given."""
    if len(aliases) > ALIASES:
        raise LimitExceeded("aliases", ALIASES, path, f"There can be at most {ALIASES} aliases.")
    accept = line(ALIAS_LENGTH)
    return tuple(dict.fromkeys(accept(alias, (*path, str(index))) for index, alias in enumerate(aliases)))


def own_weights(entries: list[Mapping[str, Any]], path: Path) -> dict[ReferenceKind, OwnWeight | None]:
    """By kind, as genre_overrides.changed takes them: None for an entry that says nothing."""
    accepted = _each_once(entries, OWN_WEIGHT, path, named="kind")
    return {kind: OwnWeight(kind=kind, weight=entry["weight"]) if entry.get("weight") is not None else None for kind, entry in accepted}


def own_shares(entries: list[Mapping[str, Any]], path: Path) -> dict[str, OwnShare | None]:
    """By group, alike, and in the order given. Whether a share holds together only its genre can tell."""
    shares = {
        group: OwnShare(group=group, floor=entry.get("floor"), ceiling=entry.get("ceiling"))
        for group, entry in _each_once(entries, OWN_SHARE, path, named="group")
    }
    return {group: None if share.floor is None and share.ceiling is None else share for group, share in shares.items()}


def group_name(name: str, path: Path) -> str:
    if name not in GROUPS:
        raise InvalidInput(f"There is no such group. These share a prompt's room: {', '.join(GROUPS)}.", path)
    return name


def _each_once(
    entries: list[Mapping[str, Any]], rules: Mapping[str, Rule], path: Path, *, named: str
) -> Iterator[tuple[Any, dict[str, Any]]]:
    seen = set()
    for index, entry in enumerate(entries):
        place = (*path, str(index))
        accepted = checked(entry, rules, place)
        if accepted[named] in seen:
            raise InvalidInput(f"This {named} is there twice.", (*place, named))
        seen.add(accepted[named])
        yield accepted[named], accepted


def idempotency_key(key: str, path: Path) -> str:
    if not (1 <= len(key) <= KEY_LENGTH and key.isprintable()):
        raise InvalidInput(f"This must have 1 to {KEY_LENGTH} printable characters.", path)
    return key


def email_address(address: str, path: Path) -> str:
    address = address.strip()
    if len(address) > EMAIL_LENGTH or not _EMAIL.fullmatch(clean(address, path)):
        raise InvalidInput("This must be an email address.", path)
    return address


def at_most(count: int, *, limit_name: str, limit: int, path: Path) -> None:
    if count > limit:
        raise LimitExceeded(limit_name, limit, path, f"There can be at most {limit:,}.")


def chapter_position(position: int, *, last: int, path: Path = ("input", "position")) -> int:
    if not 1 <= position <= last:
        raise InvalidInput(f"The position must be from 1 to {last:,}.", path)
    return position


def story_time(valid_from: int | None, valid_until: int | None) -> None:
    if valid_from is not None and valid_until is not None and valid_from > valid_until:
        raise InvalidInput("This must not be before validFromChapter.", ("input", "validUntilChapter"))


PROJECT: Final[Mapping[str, Rule]] = {
    "title": Rule(line(TITLE_LENGTH)),
    "premise": Rule(prose(PROSE_LENGTH)),
    "genre": Rule(_as_it_is),
    "language": Rule(language_tag),
    "audience": Rule(line(TITLE_LENGTH), clearable=True),
    "point_of_view": Rule(_as_it_is, clearable=True),
    "tense": Rule(_as_it_is, clearable=True),
    "style_notes": Rule(prose(PROSE_LENGTH)),
    "target_word_count": Rule(between(1, WORDS), clearable=True),
    "settings": Rule(lambda values, path: checked(values, SETTINGS, path)),
    "genre_profile": Rule(lambda values, path: checked(values, GENRE_PROFILE, path), clearable=True),
    "budget_limit": Rule(amount, clearable=True),
    "archived": Rule(_as_it_is),
}
SETTINGS: Final[Mapping[str, Rule]] = {
    "model": Rule(prose(TITLE_LENGTH)),
    "assessor_model": Rule(prose(TITLE_LENGTH)),
    "prompt_token_budget": Rule(between(500, 1_000_000)),
    "temperature": Rule(between(0, 2)),
    "quality_target": Rule(between(0, 100)),
    "max_revisions": Rule(between(0, 5)),
    "allow_unpriced_models": Rule(_as_it_is),
}
GENRE_PROFILE: Final[Mapping[str, Rule]] = {
    "emphasis": Rule(own_weights, clearable=True),
    "shares": Rule(own_shares, clearable=True),
    "guidance": Rule(prose(GUIDANCE_LENGTH), clearable=True),
}
OWN_WEIGHT: Final[Mapping[str, Rule]] = {
    "kind": Rule(_as_it_is),
    "weight": Rule(between(LOWEST_WEIGHT, HIGHEST_WEIGHT), clearable=True),
}
OWN_SHARE: Final[Mapping[str, Rule]] = {
    "group": Rule(group_name),
    "floor": Rule(between(0, 1), clearable=True),
    "ceiling": Rule(between(0, 1), clearable=True),
}
CHAPTER: Final[Mapping[str, Rule]] = {
    "title": Rule(line(TITLE_LENGTH)),
    "brief": Rule(prose(PROSE_LENGTH)),
    "point_of_view_character": Rule(line(TITLE_LENGTH), clearable=True),
    "target_word_count": Rule(between(1, WORDS), clearable=True),
    "status": Rule(_as_it_is),
    "summary": Rule(prose(PROSE_LENGTH), clearable=True),
    "text": Rule(document("chapterTextBytes", CHAPTER_TEXT_BYTES)),
}
REFERENCE_FILE: Final[Mapping[str, Rule]] = {
    "name": Rule(line(TITLE_LENGTH)),
    "kind": Rule(_as_it_is),
    "content": Rule(document("referenceContentBytes", REFERENCE_CONTENT_BYTES)),
    "aliases": Rule(alias_list),
    "inclusion": Rule(_as_it_is),
    "valid_from_chapter": Rule(between(1, CHAPTERS), clearable=True),
    "valid_until_chapter": Rule(between(1, CHAPTERS), clearable=True),
}
COST_LIMIT: Final[Mapping[str, Rule]] = {"cost_limit": Rule(amount, clearable=True)}
GENERATION: Final[Mapping[str, Rule]] = {
    "instructions": Rule(prose(INSTRUCTIONS_LENGTH)),
    "brief": Rule(prose(PROSE_LENGTH), clearable=True),
    "token_budget": Rule(between(500, 1_000_000), clearable=True),
    **COST_LIMIT,
    "idempotency_key": Rule(idempotency_key, clearable=True),
}
DISMISSAL: Final[Mapping[str, Rule]] = {"reason": Rule(words(REASON_LENGTH))}
