"""The commands of `scriptorium`. Each imports what it needs when it runs, so that `--help` and a wrong setting are answered at once."""

import argparse
import os
import signal
import sys
from datetime import timedelta

from settings import SettingsError, read_settings

LONGEST_TOKEN_HOURS = 10 * 365 * 24
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    _on_sigint_interrupt()
    _on_sigterm_exit_with(TERMINATED)
    try:
        options.run(options)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except SettingsError as error:
        sys.exit(f"scriptorium: {error}")
    except _explained() as error:
        sys.exit(f"scriptorium: {error}")


def _on_sigint_interrupt() -> None:
    """Also where a shell started this in the background: it has SIGINT ignored there, which Python takes over.

    Uvicorn would stop at SIGINT all the same, and then raise it again for a handler that is not there: the exit code would be 0.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _on_sigterm_exit_with(code: int) -> None:
    """As an exception, so that every context is left in order and nothing this process has started stays behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(code))


def _explained() -> tuple[type[Exception], ...]:
    """Errors whose message is written for the person at the terminal."""
    from commands.refusal import CannotStart
    from persistence.embedded.errors import EmbeddedPostgresError
    from persistence.migrate import DatabaseUnreachable
    from persistence.roles import RolesMissing
    from persistence.urls import InvalidDatabaseUrl

    return CannotStart, EmbeddedPostgresError, DatabaseUnreachable, RolesMissing, InvalidDatabaseUrl


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scriptorium", description="The backend of AI book-writing applications.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the API, and run jobs beside it")
    serve.add_argument("--host", help="address to listen on (HOST, 127.0.0.1)")
    serve.add_argument("--port", help="port to listen on, 0 for any (PORT, 8000)")
    serve.add_argument("--workers-in-process", metavar="N", help="jobs to run at a time in this process; 0 leaves them to `worker`")
    serve.set_defaults(run=_serve)

    worker = commands.add_parser("worker", help="run jobs without the API")
    worker.set_defaults(run=_worker)

    migrate = commands.add_parser("migrate", help="bring the database up to date")
    migrate.set_defaults(run=_migrate)

    token = commands.add_parser("token", help="print a token for development")
    token.add_argument("--user", required=True, metavar="NAME", help="who it speaks for")
    token.add_argument("--email", help="their address, by which others can add them to a project")
    token.add_argument("--ttl", type=_hours, default=7 * 24, metavar="HOURS", help="how long it is valid (168 hours)")
    token.set_defaults(run=_token)

    schema = commands.add_parser("schema", help="print the GraphQL schema")
    schema.set_defaults(run=_schema)

    doctor = commands.add_parser("doctor", help="check this installation")
    doctor.set_defaults(run=_doctor)

    demo = commands.add_parser("demo", help="write a chapter of the sample project, through the API, before your eyes")
    demo.add_argument("--url", help="the server to use; without it, the one on PORT, or one of its own")
    demo.set_defaults(run=_demo)
    return parser


def _hours(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LONGEST_TOKEN_HOURS:
        raise argparse.ArgumentTypeError(f"must be a whole number of hours from 1 to {LONGEST_TOKEN_HOURS}")
    return int(text)


def _serve(options: argparse.Namespace) -> None:
    chosen = {"HOST": options.host, "PORT": options.port, "SCRIPTORIUM_WORKERS_IN_PROCESS": options.workers_in_process}
    _on_sigterm_exit_with(0)  # whoever stops a server that way has got what they wanted
    settings = read_settings({**os.environ, **{name: value for name, value in chosen.items() if value is not None}})

    from commands.serve import serve

    serve(settings)


def _worker(_: argparse.Namespace) -> None:
    _on_sigterm_exit_with(0)
    settings = read_settings()

    from commands.work import work

    work(settings)


def _migrate(_: argparse.Namespace) -> None:
    settings = read_settings()

    from commands.database import migrated_database

    with migrated_database(settings):
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
