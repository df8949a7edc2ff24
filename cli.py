"""The commands of `scriptorium`. Each imports what it needs when it runs, so that `--help` is instant."""

import argparse
import sys
from dataclasses import replace
from datetime import timedelta

from settings import SettingsError, read_settings


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except KeyboardInterrupt:
        sys.exit(130)
    except _explained() as error:
        sys.exit(f"scriptorium: {error}")


def _explained() -> tuple[type[Exception], ...]:
    """Errors whose message is written for the person at the terminal."""
    from commands.refusal import CannotStart
    from persistence.embedded.errors import EmbeddedPostgresError
    from persistence.migrate import DatabaseUnreachable
    from persistence.roles import RolesMissing
    from persistence.urls import InvalidDatabaseUrl

    return SettingsError, CannotStart, EmbeddedPostgresError, DatabaseUnreachable, RolesMissing, InvalidDatabaseUrl


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scriptorium", description="The backend of AI book-writing applications.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the API, and run jobs beside it")
    serve.add_argument("--host", help="address to listen on (HOST, 127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on, 0 for any (PORT, 8000)")
    serve.add_argument(
        "--workers-in-process", type=int, metavar="N", help="jobs to run at a time in this process; 0 leaves them to `worker`"
    )
    serve.set_defaults(run=_serve)

    worker = commands.add_parser("worker", help="run jobs without the API")
    worker.set_defaults(run=_worker)

    migrate = commands.add_parser("migrate", help="bring the database up to date")
    migrate.set_defaults(run=_migrate)

    token = commands.add_parser("token", help="print a token for development")
    token.add_argument("--user", required=True, metavar="NAME", help="who it speaks for")
    token.add_argument("--email", help="their address, by which others can add them to a project")
    token.add_argument("--ttl", type=int, default=7 * 24, metavar="HOURS", help="how long it is valid (168 hours)")
    token.set_defaults(run=_token)

    schema = commands.add_parser("schema", help="print the GraphQL schema")
    schema.set_defaults(run=_schema)

    doctor = commands.add_parser("doctor", help="check this installation")
    doctor.set_defaults(run=_doctor)

    demo = commands.add_parser("demo", help="write a chapter of the sample project, through the API, before your eyes")
    demo.add_argument("--url", help="the server to use; without it, the one on PORT, or one of its own")
    demo.set_defaults(run=_demo)
    return parser


def _serve(options: argparse.Namespace) -> None:
    from commands.serve import serve

    settings = read_settings()
    chosen = {"host": options.host, "port": options.port, "workers_in_process": options.workers_in_process}
    serve(replace(settings, **{name: value for name, value in chosen.items() if value is not None}))


def _worker(_: argparse.Namespace) -> None:
    from commands.work import work

    work(read_settings())


def _migrate(_: argparse.Namespace) -> None:
    from commands.database import migrated_database

    with migrated_database(read_settings()):
        print("The database is up to date.")


def _token(options: argparse.Namespace) -> None:
    from commands.token import development_token

    print(development_token(read_settings(), user=options.user, email=options.email, ttl=timedelta(hours=options.ttl)))


def _schema(_: argparse.Namespace) -> None:
    from schema.build import build_schema

    print(build_schema().as_str())


def _doctor(_: argparse.Namespace) -> None:
    from commands.doctor import doctor

    sys.exit(doctor(read_settings()))


def _demo(options: argparse.Namespace) -> None:
    from commands.demo import demo

    demo(read_settings(), url=options.url)


if __name__ == "__main__":
    main()
