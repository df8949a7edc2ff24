"""The addresses that hosting providers hand out work as they are, for both drivers."""

import inspect
import ssl
from typing import Any

import asyncpg
import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args
from psycopg.conninfo import conninfo_to_dict

from persistence.urls import DatabaseAddress, InvalidDatabaseUrl

HOSTED = {
    "postgres://neondb_owner:npg_s3cr3t@ep-cool-sun-a1b2.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require": (
        "ep-cool-sun-a1b2.eu-central-1.aws.neon.tech", 5432, "neondb_owner", "npg_s3cr3t", "neondb",
    ),
    "postgresql://postgres.abcdef:p%40ss%2Fw%3Ard%25@aws-0-eu-west-1.pooler.supabase.com:5432/postgres": (
        "aws-0-eu-west-1.pooler.supabase.com", 5432, "postgres.abcdef", "p@ss/w:rd%", "postgres",
    ),
    "postgres://u1q2w3:p1q2w3@ec2-3-4-5-6.compute-1.amazonaws.com:5432/d1q2w3": (
        "ec2-3-4-5-6.compute-1.amazonaws.com", 5432, "u1q2w3", "p1q2w3", "d1q2w3",
    ),
    "postgresql+asyncpg://app:pw@db.c1x2.eu-west-1.rds.amazonaws.com:5433/books?sslmode=require&application_name=books": (
        "db.c1x2.eu-west-1.rds.amazonaws.com", 5433, "app", "pw", "books",
    ),
    "postgresql://app@/books?host=/var/run/postgresql": ("/var/run/postgresql", 5432, "app", None, "books"),
}  # fmt: skip


def as_asyncpg_reads(arguments: dict[str, Any]) -> tuple[Any, Any]:
    """What asyncpg makes of its arguments, without connecting."""
    accepted = inspect.signature(_parse_connect_dsn_and_args).parameters
    return _parse_connect_dsn_and_args(**{name: arguments.get(name) for name in accepted})


@pytest.mark.parametrize("url", HOSTED)
def test_both_drivers_log_in_to_the_same_place(url: str) -> None:
    host, port, user, password, database = HOSTED[url]
    address = DatabaseAddress.parse(url)
    addresses, parameters = as_asyncpg_reads(address.asyncpg_arguments())
    expected = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
    assert (addresses, parameters.user, parameters.password, parameters.database) == ([expected], user, password, database)
    parsed = conninfo_to_dict(address.conninfo())
    assert (parsed["host"], parsed["user"], parsed.get("password"), parsed["dbname"]) == (host, user, password, database)


@pytest.mark.parametrize(
    ("mode", "encrypts", "verifies", "checks_name"),
    [("disable", False, False, False), ("prefer", True, False, False), ("require", True, False, False), ("verify-full", True, True, True)],
)
def test_sslmode_means_what_it_means_to_libpq(mode: str, encrypts: bool, verifies: bool, checks_name: bool) -> None:
    roots = "&sslrootcert=system" if verifies else ""
    arguments = DatabaseAddress.parse(f"postgresql://u:p@db.example.org/x?sslmode={mode}{roots}").asyncpg_arguments()
    _, parameters = as_asyncpg_reads(arguments)
    assert isinstance(parameters.ssl, ssl.SSLContext) is encrypts
    if encrypts:
        assert (parameters.ssl.verify_mode is ssl.CERT_REQUIRED) is verifies
        assert parameters.ssl.check_hostname is checks_name


def test_what_asyncpg_does_not_know_never_reaches_the_server_as_a_setting() -> None:
    url = "postgresql://u:p@h/d?channel_binding=require&keepalives=1&gssencmode=disable&options=-c%20geqo%3Doff&application_name=a"
    arguments = DatabaseAddress.parse(url).asyncpg_arguments(settings={"jit": "off"})
    _, parameters = as_asyncpg_reads(arguments)
    assert parameters.server_settings == {"options": "-c geqo=off", "application_name": "a", "jit": "off"}
    assert set(arguments) <= set(inspect.signature(asyncpg.connect).parameters)


def test_settings_join_the_options_of_the_url() -> None:
    address = DatabaseAddress.parse("postgresql://u@h/d?options=-c%20geqo%3Doff")
    assert conninfo_to_dict(address.conninfo(settings={"role": "r"}))["options"] == "-c geqo=off -c role=r"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:hunter2@h/d",
        "sqlite:///hunter2.db",
        "postgresql://u:hunter2@h:port/d",
        "postgresql://u:hunter2@h/d?hunter2=yes",
        "postgresql://u:hunter2%zz@h/d",
        "postgres://u:hunter2@h/d?sslmode=no-verify",
        "postgresql://u:hunter2@ep-x-pooler.eu.aws.neon.tech/d",
        "postgresql://u:hunter2@aws-0-eu.pooler.supabase.com:6543/postgres",
        "",
    ],
)
def test_a_url_that_cannot_work_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(InvalidDatabaseUrl) as refused:
        DatabaseAddress.parse(url).asyncpg_arguments()
    assert "hunter2" not in str(refused.value)


def test_an_address_never_shows_its_password() -> None:
    assert "hunter2" not in repr(DatabaseAddress.parse("postgresql://u:hunter2@h/d"))
