"""`scriptorium serve`: the API, and unless told otherwise the worker, in one process."""

import errno
import gc
import socket
import sys

import uvicorn

from commands.database import migrated_database
from commands.http_server import bound_what_waits, server_config
from commands.logs import configure_logs
from commands.refusal import CannotStart
from server import LIMITS, Scriptorium
from settings import Settings

BACKLOG = 2048


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises CannotStart with what to do about it."""
    configure_logs(production=settings.production)
    listener = _listen(settings)
    with listener, migrated_database(settings) as urls:
        scriptorium = Scriptorium(settings, urls.application)
        server = AnnouncingServer(server_config(scriptorium.app, LIMITS), scriptorium, port=listener.getsockname()[1])
        server.run(sockets=[listener])


class AnnouncingServer(uvicorn.Server):
    """Says where it is once it can be reached there, and waits for no stream when it shuts down."""

    def __init__(self, config: uvicorn.Config, scriptorium: Scriptorium, *, port: int) -> None:
        super().__init__(config)
        self._scriptorium = scriptorium
        self._port = port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # What is there now stays for good; looking through it again and again would stop all requests for a moment each time.
            gc.collect()
            gc.freeze()
            sys.stdout.write(_welcome(self._scriptorium, self._port))
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._scriptorium.end_streams()
        await super().shutdown(sockets)


def _listen(settings: Settings) -> socket.socket:
    """Our own listening socket, so that a port in use is one clear sentence, said before anything is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound_what_waits(listener)
    try:
        listener.bind((settings.host, settings.port))
        # At once: two processes may both bind a port, if neither listens yet. Whoever connects early waits until we are ready.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotStart(f"Port {settings.port} is in use. Choose another: PORT={settings.port + 1} make run") from error
        raise CannotStart(f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}.") from error
    return listener


def local_address(host: str, port: int) -> str:
    """Where somebody on this machine reaches a server that listens on `host`."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  - compared, not bound
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}"


def _welcome(scriptorium: Scriptorium, port: int) -> str:
    settings = scriptorium.settings
    address = local_address(settings.host, port)
    lines = ["", f"  Scriptorium is ready at {address}", ""]
    if settings.graphiql:
        lines += [f"  GraphiQL            {address}/graphiql"]
    lines += [f"  GraphQL             {address}/graphql   (WebSocket: the same address with ws://)"]
    if scriptorium.model.rehearsal:
        lines += [
            "  Model               rehearsal: no language model is called and nothing is spent.",
            "                      Set OPENAI_API_KEY (and OPENAI_BASE_URL for another server) for a real writer.",
        ]
    else:
        lines += [f"  Model               {settings.default_model}"]
    if not settings.production and settings.jwt_secret is not None:
        lines += ["", "  Development token, good for a week:", "", f"  {scriptorium.development_token()}"]
        here = "" if port == 8000 else f"PORT={port} "
        lines += [
            "",
            "  Next, in another terminal:",
            f"    {f'{here}make demo':<42} watch a chapter being written",
            f"    {'.venv/bin/scriptorium token --user ada':<42} a token for somebody else",
            f"    {'.venv/bin/scriptorium doctor':<42} check this installation",
        ]
    lines += ["", "  Ctrl-C stops everything.", "", ""]
    return "\n".join(lines)
