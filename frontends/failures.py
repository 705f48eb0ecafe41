"""What a server's log says of a request that fails: one line, with nothing that a visitor sent.

The frameworks print a traceback for each, whose messages may name files and values. Anybody could
fill a log with those. EMOTION_TRACEBACKS=1 keeps them, for those who look for a fault.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from frontends.connections import NoticedSend

TRACEBACKS_VARIABLE: Final = "EMOTION_TRACEBACKS"
_ANSWER = "This request could not be answered.\n"


def describe_failure(error: BaseException) -> str:
    """Return which error it was and where, without its message."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(*Path(each.filename).parts[-2:])}:{each.lineno}" for each in frames[-1:]]
    return " at ".join([type(error).__name__, *places])


def log_failure(error: BaseException) -> None:
    """Write a line to the log, or the traceback if it is wanted."""
    if _wants_tracebacks():
        traceback.print_exception(error)
    else:
        print(f"A request failed: {describe_failure(error)}", file=sys.stderr)  # noqa: T201 - a log


class _ShortTraceback:
    """Python's module traceback, but ``print_exc`` writes only our line."""

    @staticmethod
    def print_exc() -> None:
        error = sys.exception()
        if error is not None:
            log_failure(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)


def shorten_tracebacks(*modules: Any) -> None:
    """Write only our line for each error that is logged from now on in this process.

    ``modules`` are those that print tracebacks without logging them.
    """
    for module in modules:
        module.traceback = _ShortTraceback()
    make_record = logging.getLogRecordFactory()

    def make_short_record(*given: Any, **named: Any) -> logging.LogRecord:
        record = make_record(*given, **named)
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not _wants_tracebacks():
            record.msg = f"{record.getMessage()}: {describe_failure(error)}"
            record.args, record.exc_info = None, None
        return record

    logging.setLogRecordFactory(make_short_record)


def _wants_tracebacks() -> bool:
    return os.environ.get(TRACEBACKS_VARIABLE) == "1"


class FailureGuard:
    """ASGI middleware that answers a request on which the framework failed, if it did not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        noticed = NoticedSend(send)
        try:
            await self._app(scope, receive, noticed)
        except ClientDisconnect:
            pass  # nobody is left to be answered
        except Exception as error:  # noqa: BLE001 - whatever it is, the visitor gets an answer
            log_failure(error)
            if not noticed.has_begun:
                await PlainTextResponse(_ANSWER, 500)(scope, receive, send)
