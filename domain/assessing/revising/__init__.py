"""Revisions that change only what was found: what is to be changed, the calls that ask for it, the answers, and whether to keep them."""
