"""What the embedded Postgres raises: always with what to do next."""


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be used here; the message says why and what to do instead."""
