import pytest

from domain.prompting.index.terms import terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The apothecary’s daughters were dancing", ["apothecary", "daughter", "danc"]),
        ("He danced; she dances.", ["danc", "danc"]),
        ("Miss Glass at the press", ["miss", "glass", "press"]),
        ("snake_case under_scores", ["snak", "case", "scor"]),
        ("黒い馬", ["黒い", "い馬"]),
        ("馬", ["馬"]),
        ("Café, ÉMILE", ["café", "émil"]),
        ("", []),
    ],
)
def test_terms(text, expected):
    assert list(terms(text)) == expected
