"""Lanes: independent ways to find out that a reference file matters to a chapter, each with its evidence.

Sheets of characters and of the world are judged by what the book has made of them so far (`history`), by what the request says of them
(`features`), and by a model that weighs both (`model`). Style guides, outlines and research are judged by simpler rules (`advice`).
`evidence` puts into words what spoke for a file; a file for which nothing can be said is not sent.
"""
