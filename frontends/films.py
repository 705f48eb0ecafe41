"""A visitor's film in both fronts: read in the background, and gone with the visit."""

from __future__ import annotations

import secrets
import time
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import Event, Thread, Timer
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from core import FilmLimits, FilmSummary, Preset, ProjectError, UnreadableImage

from .admission import ADMISSION, FILMS
from .idle import IDLE_S, IdleTasks, free_memory
from .private_folders import delete_folder, make_private_folder

if TYPE_CHECKING:
    from core import Analyzer, AnalyzerConfig

_IDLE_TASKS = IdleTasks(IDLE_S, free_memory)
_SHOWN_PX = 1280
"""Longest side of a marked film: sharp on a screen, and half the work of a larger one."""
_FIRST_ESTIMATE_S = 2.0
"""From then on the time left is said; loading the film distorts it before."""

TABLE, MARKED, PLOT = "emotions.csv", "marked.mp4", "emotions.png"


@dataclass(frozen=True, slots=True)
class FilmBounds:
    """What a front takes."""

    megabytes: int
    seconds: int
    longest_side_px: int

    @property
    def sentence(self) -> str:
        """The bounds in words, for the page."""
        length = (
            f"{self.seconds // 60} minutes" if self.seconds >= 120 else f"{self.seconds} seconds"
        )
        return (
            f"One film of up to {length}, {self.megabytes} MB and {self.longest_side_px} pixels a "
            "side."
        )

    @property
    def limits(self) -> FilmLimits:
        """The same for the decoder."""
        return FilmLimits(
            max_bytes=self.megabytes * 1024**2,
            max_seconds=float(self.seconds),
            longest_side_px=self.longest_side_px,
        )


APP_BOUNDS = FilmBounds(megabytes=300, seconds=600, longest_side_px=4096)
DEMO_BOUNDS = FilmBounds(megabytes=50, seconds=60, longest_side_px=1920)
"""Gradio's own limit for uploads is 50 MB too."""


class FilmState(StrEnum):
    """How far a film is."""

    WAITING = "waiting"
    """For other visitors' films, or for the model."""
    WORKING = "working"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class _Work:
    """What the thread that reads a film shares with its page."""

    name: str
    folder: Path
    bounds: FilmBounds
    state: FilmState = FilmState.WAITING
    cancelled: Event = field(default_factory=Event)
    done: float = 0.0
    began_s: float | None = None
    summary: FilmSummary | None = None
    size_wh: tuple[int, int] = (0, 0)
    problems: tuple[str, ...] = ()
    plot_note: str = ""
    refusal: tuple[str, str] = ("", "")


class FilmJob:
    """One film of one visitor. Its files are in a private folder, and end with it.

    It ends when nothing refers to it any more: neither a page's session nor a request.
    """

    def __init__(
        self, name: str, write: Callable[[Path], object], bounds: FilmBounds = APP_BOUNDS
    ) -> None:
        """Take a film by its owner's name for it; ``write`` puts its content into a file."""
        self._work = _Work(name, make_private_folder(), bounds)
        self._end = weakref.finalize(self, _discard, self._work)
        write(self._work.folder / "film")
        self.config: AnalyzerConfig | None = None
        """The settings of the answer."""
        self.key = secrets.token_urlsafe()
        """Opens its files. Only the visitor's page knows it."""
        _JOBS[self.key] = self

    def start(self, config: AnalyzerConfig, load: Callable[[], Analyzer]) -> None:
        """Read the film in the background with the analyzer that ``load`` returns."""
        _IDLE_TASKS.note_activity()
        self.config, work = config, self._work
        work.state, work.done, work.began_s, work.summary = FilmState.WAITING, 0.0, None, None
        Thread(target=_read_film, args=(self._work, load, config), daemon=True, name="film").start()

    def cancel(self) -> None:
        """Stop reading after the current frame; the film and all of its files are deleted."""
        self._work.state = FilmState.CANCELLED
        self._end()

    def keep_for(self, seconds: float) -> None:
        """Delete the film and its files after that time, and not before."""
        timer = Timer(seconds, self.cancel)
        timer.daemon = True
        timer.start()

    @property
    def name(self) -> str:
        return self._work.name

    @property
    def state(self) -> FilmState:
        return self._work.state

    @property
    def is_running(self) -> bool:
        return self.state in {FilmState.WAITING, FilmState.WORKING}

    @property
    def done(self) -> float:
        """The share of the film that has been read, 0 to 1."""
        return self._work.done

    @property
    def left_s(self) -> float | None:
        """About how many seconds it still takes; None if that is not known yet."""
        began_s, done = self._work.began_s, self.done
        past_s = 0.0 if began_s is None else time.monotonic() - began_s
        return past_s * (1 - done) / done if done > 0 and past_s > _FIRST_ESTIMATE_S else None

    @property
    def refusal(self) -> tuple[str, str]:
        """Why a film was refused, and what to do."""
        return self._work.refusal

    @property
    def summary(self) -> FilmSummary:
        """What the film showed; only when it is done."""
        if self._work.summary is None:
            raise ValueError("the film is not done")
        return self._work.summary

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the film; only when it is done."""
        return self._work.size_wh

    @property
    def notes(self) -> tuple[str, ...]:
        """What is missing, in sentences."""
        return (*self._work.problems, *filter(None, [self._work.plot_note]))

    def find_file(self, name: str) -> Path | None:
        """Return one of the three files, once the film is done."""
        if self.state is not FilmState.DONE or name not in {TABLE, MARKED, PLOT}:
            return None
        file = self._work.folder / name
        return file if file.is_file() else None


_JOBS: WeakValueDictionary[str, FilmJob] = WeakValueDictionary()


def delete_all_films() -> None:
    """Delete every visitor's film: the server ends."""
    for job in list(_JOBS.values()):
        job.cancel()


def find_job(key: str) -> FilmJob | None:
    """Return the job with that key, as long as its visit lasts."""
    return _JOBS.get(key)


def make_film_config(chosen: AnalyzerConfig) -> AnalyzerConfig:
    """Return ``chosen`` for a film, with the same preset as `emotion live`."""
    return replace(chosen, preset=Preset.FAST, threads=1)


def _discard(work: _Work) -> None:
    work.cancelled.set()
    delete_folder(work.folder)


def _read_film(work: _Work, load: Callable[[], Analyzer], config: AnalyzerConfig) -> None:
    work.refusal = ("This film could not be read.", "Reload the page and try again.")
    state = FilmState.REFUSED  # also after an error of ours, so that the page does not wait
    try:
        with FILMS.admit():
            if not work.cancelled.is_set():
                _answer_film(work, load(), config)
        state = FilmState.DONE
    except ProjectError as error:
        work.refusal = (error.message, error.hint)
    finally:
        if work.cancelled.is_set():
            state = FilmState.CANCELLED
        if state is not FilmState.DONE:
            # After a cancellation again, because a file may have been written meanwhile.
            delete_folder(work.folder)
        work.state = state
        _IDLE_TASKS.note_activity()


def _answer_film(work: _Work, analyzer: Analyzer, config: AnalyzerConfig) -> None:
    from core import (
        FaceFollower,
        answer_video,
        open_film_table,
        open_marked_film,
        open_video,
        plot_film,
    )

    summary = FilmSummary(config.reading)
    with ExitStack() as stack:
        film = stack.enter_context(open_video(work.folder / "film", work.bounds.limits))
        film.name = work.name
        outputs = [
            summary.add,
            stack.enter_context(open_film_table(work.folder / TABLE)),
            stack.enter_context(open_marked_film(work.folder / MARKED, film, longest_px=_SHOWN_PX)),
        ]
        work.state, work.began_s = FilmState.WORKING, time.monotonic()
        answers = answer_video(
            film,
            FaceFollower(analyzer),
            is_cancelled=work.cancelled.is_set,
            take_turn=partial(ADMISSION.admit, patient=True),
        )
        for answered in answers:
            for output in outputs:
                output(answered.frame, answered.analysis)
            if answered.frame.done is not None:
                work.done = answered.frame.done
        if not summary.frames:
            raise UnreadableImage(
                "The film has no readable frame.", hint="Save it as MP4 (H.264) and try again."
            )
        work.problems, work.size_wh = tuple(film.problems), (film.width, film.height)
    summary.finish()
    rest = plot_film(summary, work.folder / PLOT)
    work.plot_note = f"In the plot: {rest}" if rest else ""
    work.summary = summary
