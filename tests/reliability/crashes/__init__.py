"""Processes that die at a point that has a name: every one between two calls of a port, where something may have been committed."""
