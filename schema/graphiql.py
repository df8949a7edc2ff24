"""GraphiQL: the page with its guided tabs, and the assets it is built of, all served from here."""

import gzip
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from schema.story import Tab

BUILD = Path(__file__).parent.parent / "web" / "dist"

_CONFIGURATION = '<script type="application/json" id="scriptorium">{}</script>'

_HEADERS = {
    # Monaco writes its own <style> elements, and both it and the page carry small images as data: addresses.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


_LOCAL_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")

# A table of our own: the machine's registry of types may know .js as plain text, which browsers refuse to run.
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".ttf": "font/ttf",
}


def graphiql_routes(*, endpoint: str, tabs: Sequence[Tab], development_token: Callable[[], str] | None, build: Path = BUILD) -> list[Route]:
    """Routes of `/graphiql`, for one `endpoint` path that answers both HTTP and graphql-transport-ws.

    Each page load from the machine itself gets a token from `development_token` in its headers editor.
    Raises `FileNotFoundError` at start if the page has not been built into `build`.
    """
    page_before, page_after = (build / "index.html").read_text(encoding="utf-8").split(_CONFIGURATION)
    # Only names in this table are ever opened: no request can name a path.
    assets = {path.name.removesuffix(".gz"): path for path in (build / "graphiql" / "assets").glob("*.gz")}

    async def page(request: Request) -> Response:
        authorization = {}
        if development_token is not None and _from_this_machine(request):
            authorization["Authorization"] = f"Bearer {development_token()}"
        headers = json.dumps(authorization, indent=2)
        configuration = {
            "endpoint": endpoint,
            "subscriptionEndpoint": endpoint,
            "headers": headers,
            "tabs": [{"query": tab.query, "variables": tab.variables, "headers": headers} for tab in tabs],
        }
        filled = _CONFIGURATION.replace("{}", _html_safe_json(configuration))
        return HTMLResponse(page_before + filled + page_after, headers={**_HEADERS, "Cache-Control": "no-store"})

    # Not a coroutine, so that Starlette runs it on a thread: it reads a file and may decompress megabytes.
    def asset(request: Request) -> Response:
        name = request.path_params["name"]
        path = assets.get(name)
        if path is None:
            raise HTTPException(404)
        return _asset_response(name, path.read_bytes(), compressed=_accepts_gzip(request))

    return [Route("/graphiql", page), Route("/graphiql/assets/{name}", asset)]


def _from_this_machine(request: Request) -> bool:
    """Whether the page may show a token: the client is local, and so is the name it used.

    The name counts because any site can point a name of its own at 127.0.0.1 and read what answers there. It is read
    from the header, for `request.url` puts the server's own address in place of a name it cannot parse.
    """
    return (
        request.client is not None
        and request.client.host in {"127.0.0.1", "::1"}
        and _LOCAL_HOST.fullmatch(request.headers.get("host", "")) is not None
    )


def _html_safe_json(value: object) -> str:
    """JSON that cannot end its `<script>` element; everything beyond ASCII, U+2028 and U+2029 too, is escaped already."""
    return json.dumps(value).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _accepts_gzip(request: Request) -> bool:
    """Whether gzip, or anything, is offered with a weight above zero (RFC 9110, section 12.5.3)."""
    offers = {}
    for offer in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = offer.partition(";")
        offers[coding.strip()] = weight
    weight = offers.get("gzip", offers.get("*", "q=0"))
    return re.fullmatch(r"\s*q=0(\.0*)?\s*", weight) is None


def _asset_response(name: str, stored: bytes, *, compressed: bool) -> Response:
    response = Response(stored if compressed else gzip.decompress(stored), headers=_HEADERS)
    response.headers["Content-Type"] = _MEDIA_TYPES.get(Path(name).suffix, "application/octet-stream")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Vary"] = "Accept-Encoding"
    if compressed:
        response.headers["Content-Encoding"] = "gzip"
    return response
