"""Executing GraphQL by columns: each field is read for all objects of its level at once.

graphql-core walks a response object by object, and pays for each of them. Here a document becomes a plan that is kept with it; a
plan's selections answer lists of objects, field by field, so that a list of four hundred chapters costs little more than one.
"""
