"""The addresses of the API and what they answer."""

from __future__ import annotations

import asyncio
import hmac
import os
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import cache, partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from core import (
    Analyzer,
    AnalyzerConfig,
    ImageAnalysis,
    InputError,
    OperatingPoint,
    Preset,
    Reading,
    __version__,
    detector_names,
    document,
    dumps,
    model_names,
    read_image,
    to_json,
)
from frontends.admission import ADMISSION, MAX_RUNNING, MAX_WAITING
from frontends.analyzers import Analyzers
from frontends.api import openapi
from frontends.api.exposure import TOKEN_VARIABLE
from frontends.api.problems import RequestError, add_problem_handlers, describe_problem
from frontends.api.uploads import MAX_BATCH_BYTES, MAX_BATCH_FILES, Upload, receive_photos
from frontends.idle import IDLE_S, IdleTasks, free_memory

PATH = "/api"
_MAX_NAME = 255

_IDLE_TASKS = IdleTasks(IDLE_S, free_memory)

ModelName = StrEnum("ModelName", {name.upper(): name for name in model_names()})
DetectorName = StrEnum("DetectorName", {name.upper(): name for name in detector_names()})
_Share = Annotated[float | None, Field(ge=0, le=1)]


class Turn(StrEnum):
    """Degrees clockwise by which to turn the photo; auto turns its faces upright."""

    AUTO = "auto"
    NOT = "0"
    RIGHT = "90"
    OVER = "180"
    LEFT = "270"

    @property
    def degrees(self) -> int | None:
        """The same as a number; None leaves it to the analyzer."""
        return None if self is Turn.AUTO else int(self.value)


class Settings(BaseModel):
    """The settings of `emotion analyze`, with the same names and meanings."""

    model_config = ConfigDict(extra="forbid")

    model: ModelName = ModelName("mobilenet_v2")
    detector: DetectorName | None = None
    reading: Reading = Reading.PEOPLE
    preset: Preset = Preset.BALANCED
    operating_point: OperatingPoint = OperatingPoint.BALANCED
    detection_threshold: _Share = None
    certain_from: _Share = None
    turn: Turn = Turn.AUTO

    def make_config(self) -> AnalyzerConfig:
        """Return the configuration of the analyzer."""
        return AnalyzerConfig(
            **self.model_dump(include=set(Settings.model_fields) - {"turn"}),
        )


class PhotoSettings(Settings):
    """Settings for one photo."""

    name: Annotated[str | None, Field(max_length=_MAX_NAME)] = None
    """What the answer calls the photo; by default its file name in the form, or "image"."""


def build_api(analyzers: Analyzers, token: str | None = None) -> FastAPI:
    """Return the API, to be mounted at :data:`PATH`.

    With ``token``, by default that of :data:`TOKEN_VARIABLE`, a request for an answer must send it.
    """
    token = os.environ.get(TOKEN_VARIABLE, "") if token is None else token
    api = FastAPI(
        title="Photo Emotion",
        version=__version__,
        summary="Finds the faces in a photo and says what people would see in each.",
        docs_url=None,  # these pages load scripts from other servers
        redoc_url=None,
    )
    add_problem_handlers(api)
    bearer = HTTPBearer(auto_error=False)
    locks = [Depends(partial(_require_token, token)), Depends(bearer)] if token else []
    router = APIRouter(dependencies=locks, responses=openapi.PROBLEMS)

    @router.post("/analyze", **openapi.ANALYZE)
    async def analyze(request: Request, settings: Annotated[PhotoSettings, Query()]) -> Response:
        """Find the faces of one photo and say what people would see in each."""
        async with receive_photos(request) as (photo,):
            named = photo if settings.name is None else Upload(photo.content, settings.name)
            analysis = await _run(_answer, analyzers, settings, named)
        return _respond(to_json(analysis))

    @router.post("/batch", **openapi.BATCH)
    async def batch(request: Request, settings: Annotated[Settings, Query()]) -> Response:
        """Answer several photos, in their order; one that cannot be read gets a problem."""
        answers = []
        async with receive_photos(
            request, most=MAX_BATCH_FILES, max_bytes=MAX_BATCH_BYTES
        ) as photos:
            for number, photo in enumerate(photos):
                # Once begun, it waits like a film: behind all others, but without a refusal.
                answer = partial(_answer_or_problem, patient=number > 0)
                answers.append(await _run(answer, analyzers, settings, photo))
        return _respond(dumps(answers))

    @api.get("/health", **openapi.HEALTH)
    async def health() -> dict[str, str]:
        """Say that the server runs, and in which version."""
        return {"status": "ok", "version": __version__}

    api.include_router(router)
    return api


def _require_token(token: str, request: Request) -> None:
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    right = hmac.compare_digest(sent.strip().encode("latin-1"), token.encode())
    if scheme.lower() != "bearer" or not right:
        raise RequestError(
            HTTPStatus.UNAUTHORIZED,
            "This server wants a token.",
            "Send the header 'Authorization: Bearer TOKEN'.",
            WWW_Authenticate="Bearer",
        )


@cache
def _threads() -> ThreadPoolExecutor:
    # Waiting requests hold a thread each, also for a model that loads, so that "busy" is
    # reported at once.
    return ThreadPoolExecutor(MAX_RUNNING + 2 * MAX_WAITING + 1, thread_name_prefix="api")


async def _run(function: Any, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_threads(), function, *arguments)


def _answer(
    analyzers: Analyzers, settings: Settings, photo: Upload, *, patient: bool = False
) -> ImageAnalysis:
    _IDLE_TASKS.note_activity()
    analyzer: Analyzer = analyzers.get(settings.make_config())  # loading keeps no photo waiting
    with ADMISSION.admit(patient=patient):
        image = read_image(photo.content, name=photo.name or None)
        return analyzer.analyze(image, turn=settings.turn.degrees)


def _answer_or_problem(
    analyzers: Analyzers, settings: Settings, photo: Upload, *, patient: bool
) -> dict[str, Any]:
    try:
        return document(_answer(analyzers, settings, photo, patient=patient))
    except InputError as error:
        return {"name": photo.name or "image", **describe_problem(error)}


def _respond(text: str) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(text.encode(), media_type="application/json", headers=headers)
