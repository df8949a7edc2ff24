"""Postgres addresses as operators write them, made understandable to both drivers.

Hosting providers hand out libpq's URLs. libpq itself takes them apart, so nothing is guessed here; asyncpg then gets
those parameters it knows, with libpq's meaning: `sslmode=require` encrypts, `verify-full` also checks who answers.
"""

import re
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

CONNECT_SECONDS = 10

_ASYNCPG_KNOWS = frozenset({
    "host", "port", "user", "password", "dbname", "passfile", "service", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl",
    "sslpassword", "ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs", "krbsrvname", "gsslib",
})  # fmt: skip
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SERVER_SETTINGS = ("application_name", "options")


class InvalidDatabaseUrl(ValueError):  # noqa: N818  - read by an operator, who set it
    """The URL cannot be used; the message says why and never repeats a password."""


@dataclass(frozen=True, slots=True, repr=False)
class DatabaseAddress:
    """Where the database is and how to log in: libpq's connection parameters."""

    parameters: dict[str, str]

    @classmethod
    def parse(cls, url: str) -> "DatabaseAddress":
        """Raises InvalidDatabaseUrl."""
        libpq_url = re.sub(r"^postgres(?:ql)?(?:\+\w+)?://", "postgresql://", url.strip())
        if not libpq_url.startswith("postgresql://"):
            raise InvalidDatabaseUrl("The database URL must begin with postgresql://.")
        try:
            parsed = conninfo_to_dict(libpq_url)
        except ProgrammingError as error:
            raise InvalidDatabaseUrl(f"The database URL cannot be read: {_without_values(str(error))}") from None
        parameters = {name: str(value) for name, value in parsed.items() if value is not None}
        _check(parameters)
        return cls({"connect_timeout": str(CONNECT_SECONDS), **parameters})

    def conninfo(self, *, settings: dict[str, str] | None = None) -> str:
        """For psycopg; `settings` are the server's run-time parameters that the session starts with."""
        options = [self.parameters.get("options", ""), *(f"-c {name}={value}" for name, value in (settings or {}).items())]
        return make_conninfo("", **{**self.parameters, "options": " ".join(options).strip()})

    def asyncpg_arguments(self, *, settings: dict[str, str] | None = None) -> dict[str, Any]:
        """Keyword arguments of `asyncpg.connect`."""
        known = {name: value for name, value in self.parameters.items() if name in _ASYNCPG_KNOWS}
        arguments: dict[str, Any] = {
            "timeout": float(self.parameters["connect_timeout"]),
            "server_settings": {
                **{name: self.parameters[name] for name in _SERVER_SETTINGS if name in self.parameters},
                **(settings or {}),
            },
        }
        if known.get("sslrootcert") == "system":  # libpq's word for the machine's own certificates, which asyncpg does not know
            del known["sslrootcert"]
            arguments["ssl"] = ssl.create_default_context()
        return {"dsn": f"postgresql://?{urlencode(known)}", **arguments}


def _check(parameters: dict[str, str]) -> None:
    """What libpq itself would find out only when it connects."""
    if parameters.get("sslmode", "prefer") not in _SSL_MODES:
        raise InvalidDatabaseUrl(f"The database URL's sslmode must be one of: {', '.join(_SSL_MODES)}.")
    if not all(port.isdecimal() for port in parameters.get("port", "5432").split(",")):
        raise InvalidDatabaseUrl("The database URL's port must be a number.")
    if not parameters.get("connect_timeout", "1").isdecimal():
        raise InvalidDatabaseUrl("The database URL's connect_timeout must be a whole number of seconds.")
    if _leads_to_a_transaction_pooler(parameters):
        raise InvalidDatabaseUrl(
            "The database URL leads to a transaction pooler, which loses notifications and session settings. "
            "Use the provider's direct connection, or its session pooler."
        )


def _leads_to_a_transaction_pooler(parameters: dict[str, str]) -> bool:
    host, port = parameters.get("host", ""), parameters.get("port", "")
    neon = host.endswith(".neon.tech") and host.split(".")[0].endswith("-pooler")
    supabase = host.endswith((".supabase.com", ".supabase.co")) and port == "6543"
    return neon or supabase


def _without_values(message: str) -> str:
    """The driver quotes what it could not read, which may be part of a password."""
    return re.sub(r'"[^"]*"', "…", message).strip()
