"""Where it is kept: SQLModel on Postgres."""
