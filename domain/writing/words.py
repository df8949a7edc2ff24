"""Counting words as a word processor does, in any script."""

import re

UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
"""The inside of a regular expression's character class: Han and kana, which are written without spaces between words."""

_UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")
_WORD = re.compile(r"[^\W_](?:(?!--|\.\.)[^\s\u2012-\u2015\u2026])*")


def count_words(text: str) -> int:
    """Words between white space and dashes that hold a letter or a digit; each Han or kana character counts as one.

    Hyphenated and apostrophised words count once, Markdown's marks not at all. Korean is counted by its spaces.
    """
    if text.isascii():
        return len(_WORD.findall(text))
    spaced, unspaced = _UNSPACED_CHARACTER.subn(" ", text)
    return unspaced + len(_WORD.findall(spaced))
