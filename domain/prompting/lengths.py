"""How long a chapter is meant to be, in words and in the tokens a model needs for them."""

from math import ceil

from domain.prompting.material import PromptMaterial

USUAL_WORDS = 1_200
USUAL_CHAPTERS = 30
"""How many chapters a book is taken to have while fewer are known: the middle of what novels of 80,000 words have."""

TOKENS_PER_WORD = 4 / 3
PART_TOKENS = 4096
"""How long one call's answer may be: what all models in use can write. A longer chapter is drafted in several calls."""


def words_wanted(material: PromptMaterial) -> int:
    """The chapter's own target; else its share of the project's; else 1,200 words."""
    if material.chapter.target_word_count:
        return material.chapter.target_word_count
    if material.project.target_word_count:
        return ceil(material.project.target_word_count / max(USUAL_CHAPTERS, material.chapter.position))
    return USUAL_WORDS


def tokens_for_words(words: int) -> int:
    """Four tokens for three words: OpenAI's rule of thumb for English prose.

    Ten English novels of the 19th century measure 1.22 to 1.30 with o200k_base. Languages with longer words need up to twice as many,
    so a limit set from this needs room above it.
    """
    return ceil(words * TOKENS_PER_WORD)


def expected_completion_tokens(material: PromptMaterial) -> int:
    """What a draft of this chapter will probably use."""
    return tokens_for_words(words_wanted(material))
