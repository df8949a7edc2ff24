"""Putting told sentences from the past into the present tense, by a table of verbs: near enough to what a model does when it slips."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

_IRREGULAR = """
    was is | were are | had has | did does | could can | would will | might may | said says | went goes | came comes | took takes | saw sees
    knew knows | thought thinks | felt feels | found finds | gave gives | got gets | made makes | told tells | left leaves | kept keeps
    held holds | stood stands | sat sits | began begins | heard hears | brought brings | spoke speaks | rose rises | fell falls
    met meets | ran runs | wrote writes | drew draws | understood understands | lost loses | meant means | became becomes | broke breaks
    drove drives | rode rides | shook shakes | threw throws | wore wears | grew grows | led leads | laid lays | lay lies | paid pays
    sent sends | slept sleeps | bent bends | caught catches | chose chooses | crept creeps | drank drinks | ate eats | flew flies
    forgot forgets | hid hides | hung hangs | knelt kneels | lent lends | lit lights | sang sings | sank sinks | sought seeks
    sold sells | struck strikes | swore swears | taught teaches | tore tears | woke wakes | wept weeps | won wins | bore bears
    beheld beholds | withdrew withdraws | fought fights | bought buys | built builds | burnt burns | dwelt dwells | strode strides
"""
PRESENT: Mapping[str, str] = MappingProxyType(
    dict(pair.split() for line in _IRREGULAR.splitlines() for pair in line.split("|") if pair.strip())
)
_PLURAL: Mapping[str, str] = MappingProxyType({"is": "are", "has": "have", "does": "do"})
_AUXILIARIES = frozenset(
    [
        "was",
        "were",
        "is",
        "are",
        "be",
        "been",
        "being",
        "had",
        "has",
        "have",
        "having",
        "did",
        "could",
        "would",
        "should",
        "might",
        "may",
        "will",
        "shall",
        "can",
        "must",
        "to",
        "not",
    ]
)
_BEFORE_PARTICIPLES = _AUXILIARIES | frozenset("a an the so very more most his her its their my and-so well much as by of when".split())  # noqa: SIM905
_MODALS = frozenset("can will may must should shall to did does".split())  # noqa: SIM905
_WORD = re.compile(r"[A-Za-z]+")


def in_present(text: str, told: Sequence[tuple[int, int]]) -> str:
    """`told`: where in the text words may be changed."""
    pieces, reached, before = [], 0, ""
    for match in _WORD.finditer(text):
        word = match[0]
        if any(start <= match.start() < end for start, end in told) and (changed := _present(word, before)) is not None:
            pieces += [text[reached : match.start()], changed]
            reached = match.end()
        before = word.lower()
    return "".join([*pieces, text[reached:]])


def _present(word: str, before: str) -> str | None:
    lowered = word.lower()
    is_plural = before in {"they", "we", "you", "i"}
    if before in {"had", "has", "have", "been", "was", "were", "is", "are", "be"} and lowered not in {"could", "would"}:
        return None
    if (present := PRESENT.get(lowered)) is not None and before not in _MODALS:
        chosen = _PLURAL.get(present, _base(present) if is_plural and present not in PRESENT.values() - _PLURAL.keys() else present)
        return _as(word, chosen if is_plural else present)
    if lowered.endswith("ed") and len(lowered) > 4 and before not in _BEFORE_PARTICIPLES:
        base = _regular_base(lowered)
        return _as(word, base if is_plural else _third(base))
    return None


def _regular_base(word: str) -> str:
    stem = word[:-2]
    if stem.endswith("i"):
        return stem[:-1] + "y"
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in "sl":
        return stem[:-1]
    silent_e = (
        "at",
        "ir",
        "os",
        "us",
        "ut",
        "ur",
        "ov",
        "iv",
        "ag",
        "dg",
        "ng",
        "rs",
        "ns",
        "id",
        "uc",
        "ic",
        "nc",
        "rc",
        "ak",
        "ik",
        "ap",
        "op",
        "in",
        "iz",
        "is",
        "as",
        "ot",
        "u",
        "bl",
        "tl",
        "dl",
        "rg",
        "rv",
    )
    return (
        stem + "e"
        if stem.endswith(silent_e) and not stem.endswith(("ain", "oin", "ass", "iss", "oss", "uss", "eat", "eap", "oop", "oot", "hang"))
        else stem
    )


def _third(base: str) -> str:
    if base.endswith(("s", "x", "z", "ch", "sh")):
        return base + "es"
    return base[:-1] + "ies" if base.endswith("y") and base[-2:-1] not in "aeiou" else base + "s"


def _base(third: str) -> str:
    return third.removesuffix("s")


def _as(word: str, changed: str) -> str:
    return changed.capitalize() if word[0].isupper() else changed
