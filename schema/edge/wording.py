"""The words of GraphQL's own messages, which quote what a client sent the way Python would write it."""

import re

_IN_PYTHON = {"None": "null", "True": "true", "False": "false"}
_QUOTED_OR_BARE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b(?:None|True|False)\b""", re.DOTALL)


def as_json_words(message: str) -> str:
    """With null, true and false, as the client has written them, except within quotes."""
    return _QUOTED_OR_BARE.sub(lambda found: _IN_PYTHON.get(found[0], found[0]), message)
