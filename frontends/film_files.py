"""The address at which a page fetches the files of its film, in parts where a player wants that."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from .films import FilmJob, find_job
from .live_recording import LiveRecording
from .wording import safe_stem

PATH = "/film"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def film_route(base: str = "") -> Route:
    """Return the route for a server whose pages are below the path ``base``."""
    return Route(f"{film_path(base)}/{{key}}/{{name}}", _send_file)


def film_path(base: str = "") -> str:
    """Return the path of all films, to which a page adds its key."""
    below = base.strip("/")
    return f"/{below}{PATH}" if below else PATH


def _send_file(request: Request) -> Response:
    return send_file(request, find_job(request.path_params["key"]), "film")


def send_file(request: Request, owner: FilmJob | LiveRecording | None, what: str) -> Response:
    """Return the file of ``owner`` that the address names, or say that ``what`` is gone."""
    file = None if owner is None else owner.find_file(request.path_params["name"])
    if owner is None or file is None:
        return PlainTextResponse(f"This {what} is no longer here.", 404, _HEADERS)
    return FileResponse(
        file,
        headers=_HEADERS,
        filename=f"{safe_stem(owner.name)}.{file.name}",
        content_disposition_type="attachment" if "save" in request.query_params else "inline",
    )
