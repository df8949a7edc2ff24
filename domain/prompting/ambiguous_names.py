"""English words that look like names and names that look like words."""

ALSO_ORDINARY_WORDS = frozenset(
    """
    amber april angel art august autumn bill bishop bliss brook carol chance chase chip christian clay cliff daisy dawn dean drew earl
    faith fern flint florence forest frank gene ginger glen grace grant guy harmony heath hope hunter iris ivy jack jade jasmine joy june
    lance lane lily mark mason may melody mercy miles nick olive page patience pearl penny piper poppy prudence ray reed rich rob robin
    rocky rose ruby rusty sage sandy sky stone storm summer teddy trinity victor violet wade wells wesley will willow winter wren
    """.split()  # noqa: SIM905  - as a list it would be pages of quotation marks
)
"""First names that lower-cased mean something else: found only with their capital."""

NOT_A_NAME = frozenset(
    """
    and aunt brother captain colonel count countess dame doctor duchess duke father general grandfather grandmother inspector king lady
    lieutenant lord madam madame major master miss mister mother officer old prince princess professor queen reverend sergeant sir sister
    the uncle von young
    """.split()  # noqa: SIM905
)
"""Words of a character's name that alone do not say who is meant."""
