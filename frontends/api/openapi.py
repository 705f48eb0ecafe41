"""What the OpenAPI document says beyond the code: bodies, answers and examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from frontends.api.problems import MEDIA_TYPE, RETRY_AFTER_S

EXAMPLE: dict[str, Any] = json.loads(
    Path(__file__).with_name("example.json").read_text(encoding="utf-8")
)
"""The document of a photo, with two of the 468 points."""
_PROBLEM_EXAMPLE = {
    "type": "urn:photo-emotion:unreadable-image",
    "title": "This JPEG picture is damaged or cut off, or a kind of JPEG we can't read.",
    "status": 422,
    "detail": "Open it in an image editor and save it again, or get the original again.",
}

_PROBLEM_SCHEMA = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "description": "what went wrong, for programs"},
        "title": {"type": "string", "description": "what went wrong, for people"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what to do about it"},
        "name": {"type": "string", "description": "in a batch: the photo"},
    },
    "required": ["type", "title", "status"],
}
_SHARES = {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1}}
_DOCUMENT_SCHEMA = {
    "type": "object",
    "properties": {
        "schema_version": {"type": "string"},
        "name": {"type": "string"},
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "turned": {"enum": [0, 90, 180, 270]},
        "faces": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer"},
                    "emotions": _SHARES,
                    "top": {"type": "string"},
                    "certain": {"type": "boolean"},
                },
                "required": list(EXAMPLE["faces"][0]),
            },
        },
        "notes": {"type": "array", "items": {"type": "string"}},
        "provenance": {"type": "object"},
    },
    "required": list(EXAMPLE),
}

_PHOTO = {"type": "string", "format": "binary"}


def _body(form: dict[str, Any], **other: Any) -> dict[str, Any]:
    fields = {"schema": {"type": "object", "properties": form, "required": list(form)}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": fields, **other}}}


def _answers(schema: dict[str, Any], example: Any) -> dict[int | str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {200: {"description": "The answer", "content": content}}


_STATUS = {
    400: "The request cannot be used",
    401: "The token is missing or wrong",
    408: "The photo came too slowly",
    413: "The photo is too large",
    415: "This kind of file is not read",
    422: "A parameter is wrong, or the photo is damaged",
    500: "The server cannot answer",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": _PROBLEM_SCHEMA, "example": _PROBLEM_EXAMPLE}},
    }
    for status, description in {**_STATUS, 503: "Too many photos are waiting"}.items()
}
PROBLEMS[503]["headers"] = {
    "Retry-After": {
        "description": "seconds until it is worth trying again",
        "schema": {"type": "integer", "example": RETRY_AFTER_S},
    }
}

ANALYZE: dict[str, Any] = {
    "summary": "Read one photo",
    "responses": _answers(_DOCUMENT_SCHEMA, EXAMPLE),
    "openapi_extra": _body(
        {"file": _PHOTO},
        **{"application/octet-stream": {"schema": _PHOTO}, "image/*": {"schema": _PHOTO}},
    ),
}
BATCH: dict[str, Any] = {
    "summary": "Read several photos",
    "responses": _answers(
        {"type": "array", "items": {"anyOf": [_DOCUMENT_SCHEMA, _PROBLEM_SCHEMA]}},
        [EXAMPLE, {"name": "damaged.jpg", **_PROBLEM_EXAMPLE}],
    ),
    "openapi_extra": _body({"files": {"type": "array", "items": _PHOTO}}),
}
HEALTH: dict[str, Any] = {
    "summary": "Is the server there?",
    "responses": {
        200: {
            "description": "It is",
            "content": {"application/json": {"example": {"status": "ok", "version": "0.1.0"}}},
        }
    },
}
