import pytest

from schema.edge.wording import as_json_words


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Expected value of non-null type 'Boolean!' not to be None.", "Expected value of non-null type 'Boolean!' not to be null."),
        ("Int cannot represent non-integer value: True", "Int cannot represent non-integer value: true"),
        ("ID cannot represent value: {'a': [None, False, 'None']}", "ID cannot represent value: {'a': [null, false, 'None']}"),
        (
            "String cannot represent value: [\"isn't\", None, 'it\\'s None']",
            "String cannot represent value: [\"isn't\", null, 'it\\'s None']",
        ),
        ("Cannot query field 'None' on type 'Query'.", "Cannot query field 'None' on type 'Query'."),
        ("Falsehood and Nonesuch stay", "Falsehood and Nonesuch stay"),
        ("a quote that does not ' end: None", "a quote that does not ' end: null"),
    ],
)
def test_what_a_client_sent_is_not_quoted_as_python(message, expected):
    assert as_json_words(message) == expected
