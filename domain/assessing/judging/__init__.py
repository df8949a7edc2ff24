"""The assessor: what is measured of a text, what a model says of it, and revisions that change only what was found."""
