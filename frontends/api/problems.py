"""Errors as problem documents (RFC 9457), in plain words and without paths."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core import (
    ConfigError,
    ImageTooLarge,
    InputError,
    ProjectError,
    UnsupportedImage,
)
from frontends.admission import BusyError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
"""When to come back if the queue is full; it empties in about as many seconds."""
_TYPE = "urn:photo-emotion:"
_STATUS: tuple[tuple[type[ProjectError], HTTPStatus], ...] = (
    (BusyError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ImageTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (UnsupportedImage, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (InputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ConfigError, HTTPStatus.BAD_REQUEST),
    (ProjectError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
"""The first that fits."""


class RequestError(HTTPException):
    """A request that cannot be answered, with what its sender should change."""

    def __init__(self, status: HTTPStatus, title: str, hint: str = "", **headers: str) -> None:
        super().__init__(status, title, {k.replace("_", "-"): v for k, v in headers.items()})
        self.hint = hint


def describe_problem(error: ProjectError) -> dict[str, Any]:
    """Return the problem document for a deliberate error."""
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    name = re.sub("(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
    return _make_problem(status, name.removesuffix("-error"), error.message, error.hint)


def add_problem_handlers(api: FastAPI) -> None:
    """Let ``api`` answer every error with a problem document."""
    api.add_exception_handler(ProjectError, _answer_project_error)
    api.add_exception_handler(HTTPException, _answer_http_error)
    api.add_exception_handler(RequestValidationError, _answer_wrong_value)
    api.add_exception_handler(Exception, _answer_bug)


def _answer_project_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProjectError)  # noqa: S101
    return _respond(describe_problem(error))


def _answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    status = HTTPStatus(error.status_code)
    name = status.phrase.lower().replace(" ", "-")
    problem = _make_problem(status, name, str(error.detail), getattr(error, "hint", ""))
    return _respond(problem, dict(error.headers or {}))


def _answer_wrong_value(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    values = "; ".join(map(_explain_value, error.errors()))
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    problem = _make_problem(status, "wrong-value", "A parameter cannot be used.", values)
    return _respond(problem)


def _explain_value(error: dict[str, Any]) -> str:
    name = error["loc"][-1]
    if error["type"] == "extra_forbidden":
        return f"there is no parameter '{name}'"
    return f"{name}: {error['msg']}"


def _answer_bug(_request: Request, _error: Exception) -> JSONResponse:
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    hint = "The server's log has the reason."
    return _respond(_make_problem(status, "bug", "This should not have happened.", hint))


def _make_problem(status: HTTPStatus, name: str, title: str, hint: str) -> dict[str, Any]:
    problem = {"type": _TYPE + name, "title": title, "status": status.value}
    return {**problem, "detail": hint} if hint else problem


def _respond(problem: dict[str, Any], headers: dict[str, str] | None = None) -> JSONResponse:
    headers = {"Cache-Control": "no-store", **(headers or {})}
    if problem["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return JSONResponse(problem, problem["status"], headers, MEDIA_TYPE)
