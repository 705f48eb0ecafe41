"""Photos in a request: bounded while they are read, kept in memory, never on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from core import MAX_FILE_BYTES
from frontends.admission import BusyError
from frontends.api.problems import RequestError
from frontends.wording import last_part

MAX_BATCH_FILES = 50
MAX_BATCH_BYTES = 2 * MAX_FILE_BYTES
_MAX_HELD_BYTES = 4 * MAX_FILE_BYTES
"""Of all requests together, so that many slow ones cannot fill the memory."""
_SLOWEST_S = 120
"""For sending the whole request."""
_MULTIPART_BYTES = 16 * 1024
"""Allowed beside the photos for headers and boundaries, and for a field that is not a photo."""
_MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Upload:
    """A photo and what its sender calls it, "" if nothing."""

    content: bytes
    name: str


class _MemoryParser(MultiPartParser):
    spool_max_size = MAX_BATCH_BYTES + _MULTIPART_BYTES + 1  # no file can become larger

    def close(self) -> None:
        """Free the memory of all files."""
        for file in self._files_to_close_on_error:
            file.close()


class _Held:
    """Counts the bytes of all requests that are being read or answered."""

    def __init__(self) -> None:
        self.bytes = 0


_HELD = _Held()


@asynccontextmanager
async def receive_photos(
    request: Request, *, most: int = 1, max_bytes: int = MAX_FILE_BYTES
) -> AsyncIterator[list[Upload]]:
    """Read the request's photos, at least one and at most ``most``, for the time of the block.

    The body is a form with files (multipart/form-data), or else one photo. RequestError if it is
    not, too large or too slow; BusyError if too much is being sent at once.
    """
    taken = 0
    limit = max_bytes + _MULTIPART_BYTES

    async def read_chunks() -> AsyncGenerator[bytes, None]:
        nonlocal taken
        async for chunk in request.stream():
            if taken + len(chunk) > limit:
                raise _too_large(max_bytes)
            if _HELD.bytes + len(chunk) > _MAX_HELD_BYTES:
                raise BusyError("Too many photos are being sent.", hint="Try again in a minute.")
            taken += len(chunk)
            _HELD.bytes += len(chunk)
            yield chunk

    try:
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            raise _too_large(max_bytes)
        async with asyncio.timeout(_SLOWEST_S):
            photos = await _read_photos(request, read_chunks(), most)
        yield photos
    except TimeoutError as error:
        raise RequestError(
            HTTPStatus.REQUEST_TIMEOUT, f"The photo took longer than {_SLOWEST_S} seconds."
        ) from error
    except ClientDisconnect as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, "The request was cut off.") from error
    finally:
        _HELD.bytes -= taken


async def _read_photos(
    request: Request, chunks: AsyncGenerator[bytes, None], most: int
) -> list[Upload]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MULTIPART:
        content = b"".join([chunk async for chunk in chunks])
        photos = [Upload(content, "")] if content else []
    else:
        photos = await _read_form(request, chunks, most)
    if not photos:
        raise RequestError(
            HTTPStatus.BAD_REQUEST,
            "There is no photo in the request.",
            "Send the file as the body, or as a file of a form.",
        )
    return photos


async def _read_form(
    request: Request, chunks: AsyncGenerator[bytes, None], most: int
) -> list[Upload]:
    parser = _MemoryParser(
        request.headers, chunks, max_files=most, max_fields=10, max_part_size=_MULTIPART_BYTES
    )
    try:
        form = await parser.parse()
        files = [file for _, file in form.multi_items() if isinstance(file, UploadFile)]
        return [Upload(await file.read(), last_part(file.filename or "")) for file in files]
    except (MultiPartException, FormParserError, UnicodeError) as error:
        reason = getattr(error, "message", "")
        raise RequestError(HTTPStatus.BAD_REQUEST, "This form cannot be read.", reason) from error
    finally:
        parser.close()


def _too_large(max_bytes: int) -> RequestError:
    return RequestError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The photos of a request may have {max_bytes // 1024**2} MB together.",
        "Save them smaller or as JPEG and try again.",
    )
