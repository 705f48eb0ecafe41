"""What one visit remembers, so that nothing is computed twice; never shared between visitors."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from core import FaceAnalysis, ImageAnalysis, ProjectError, RgbImage
from frontends.admission import ADMISSION
from frontends.idle import IDLE_S, IdleTasks, free_memory
from frontends.streamlit_app.corrections import Corrections
from frontends.streamlit_app.encoding import encode_for_screen
from frontends.streamlit_app.photos import Photo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core import Analyzer

    Float32Array = NDArray[np.float32]

V = TypeVar("V")

ENLARGED = 1.6
"""Scale of lines and letters on the screen, where a picture takes half of the page."""
_IMAGE_BYTES = 100_000_000
"""Decoded pictures: two of the largest that the reader returns."""
_IMAGE_BYTES_OF_ALL = 200_000_000
"""Limit for the decoded pictures of all visits together; beyond it, the least recently used
workspace drops its images."""
_DRAWN_BYTES = 40_000_000
"""Pictures as shown: about 40 of them."""
_RESULTS = 800
"""Maximum number of cached results: answers for ten settings of each photo in an upload, and as
many heat maps; about 20 kB a face."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A photo that could not be read, and what its owner can do."""

    message: str
    hint: str
    error: str = ""
    """Name of the error's class, such as ``UnreadableImage``."""


Answer = ImageAnalysis | Refusal


class Cache(Generic[V]):
    """LRU cache with a limit on the total cost of its values; it always keeps the newest.

    Thread-safe, because downloads are made in a thread of their own beside the page.
    """

    def __init__(self, budget: int, cost: Callable[[V], int]) -> None:
        self._budget = budget
        self._cost = cost
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = RLock()
        self.held = 0
        """Cost of all values; can be read without waiting for one that is being made."""

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return the value of ``key``, made if it is missing."""
        with self._lock:
            if key not in self._values:
                self._values[key] = made = make()
                self.held += self._cost(made)
            self._values.move_to_end(key)
            while len(self) > 1 and self.held > self._budget:
                _, dropped = self._values.popitem(last=False)
                self.held -= self._cost(dropped)
            return self._values[key]

    def get_admitted(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return the value of ``key``; ``make`` runs networks and therefore waits in the queue.

        ProjectError if too many visitors are waiting.
        """
        if key in self:
            return self.get(key, make)
        # Outside `make`, so that a refusal is not kept as a value.
        with ADMISSION.admit():
            return self.get(key, make)

    def clear(self) -> None:
        """Drop all values, unless one is being made or fetched just now."""
        if self._lock.acquire(blocking=False):
            try:
                self._values.clear()
                self.held = 0
            finally:
                self._lock.release()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)


@dataclass(slots=True, eq=False, weakref_slot=True)
class Workspace:
    """One visitor's photos and what was made of them.

    Methods that run networks raise ProjectError if too many visitors are waiting.
    """

    uploads: tuple[Photo, ...] = ()
    listed: dict[str, tuple[str, str, int | None]] = field(default_factory=dict)
    """Keys of the uploads that the uploader lists now, by its own number for each file."""
    left_out: int = 0
    """Uploads beyond the limits."""
    camera: tuple[Photo, ...] = ()
    results: Cache[Any] = field(default_factory=lambda: Cache(_RESULTS, lambda _: 1))
    """Answers, and whatever else networks made."""
    images: Cache[RgbImage] = field(
        default_factory=lambda: Cache(_IMAGE_BYTES, lambda image: image.pixels.nbytes)
    )
    """Decoded photos."""
    drawn: Cache[bytes] = field(default_factory=lambda: Cache(_DRAWN_BYTES, len))
    """Pictures for the screen."""
    turns: dict[str, int] = field(default_factory=dict)
    """Degrees clockwise by which the visitor turned a photo, by its digest."""
    corrections: Corrections = field(default_factory=Corrections)

    def __post_init__(self) -> None:
        _VISITS.add(self)

    def remove_upload(self, photo: Photo) -> None:
        """Forget a photo that the uploader does not list any more."""
        self.uploads = tuple(each for each in self.uploads if each.key != photo.key)
        self.left_out = 0

    def turn_photo(self, photo: Photo, degrees: int) -> None:
        """From now on show ``photo`` turned by ``degrees`` clockwise, whatever its faces say."""
        self.turns[photo.digest] = degrees % 360

    def apply_turns(self, photos: Iterable[Photo]) -> tuple[Photo, ...]:
        """Return ``photos`` with the turns that the visitor chose."""
        return tuple(replace(photo, turn=self.turns.get(photo.digest)) for photo in photos)

    def has_answer(self, photo: Photo, settings: str) -> bool:
        """Return whether the answer for the digest ``settings`` exists already."""
        return ("answer", *photo.key, settings) in self.results

    def answer(self, photo: Photo, analyzer: Analyzer) -> Answer:
        """Return the answer to ``photo``, or why it could not be read."""

        def make() -> Answer:
            try:
                return analyzer.analyze(self.decode_image(photo), turn=photo.turn)
            except ProjectError as error:
                return Refusal(error.message, error.hint, type(error).__name__)

        key = ("answer", *photo.key, analyzer.config.digest())
        answer: Answer = self.results.get_admitted(key, make)
        return answer

    def decode_image(self, photo: Photo) -> RgbImage:
        """Return the decoded photo as its file has it; InputError if it cannot be read."""
        from core import read_image

        key = (photo.name, photo.digest)
        image = self.images.get(key, lambda: read_image(photo.data, name=photo.name))
        _VISITS.note_use(self)
        return image

    def turn_upright(self, photo: Photo, analysis: ImageAnalysis) -> RgbImage:
        """Return the decoded photo, turned as for ``analysis``."""
        return self.decode_image(photo).turn_to(analysis.turned)

    def explain(
        self, photo: Photo, analysis: ImageAnalysis, analyzer: Analyzer
    ) -> tuple[Float32Array, ...]:
        """Return what the network looked at, for each face (48, 48) in 0..1."""
        key = ("maps", *photo.key, analysis.provenance.config_digest)
        maps: tuple[Float32Array, ...] = self.results.get_admitted(
            key, lambda: analyzer.explain(analysis)
        )
        return maps

    def add_per_model_answers(
        self, photo: Photo, analysis: ImageAnalysis, ensemble: Analyzer
    ) -> tuple[FaceAnalysis, ...]:
        """Return the faces with each network's scores added; the final answer is unchanged."""

        def run_ensemble() -> tuple[FaceAnalysis, ...]:
            answers = ensemble.analyze_faces(
                self.turn_upright(photo, analysis), [each.face for each in analysis.faces]
            )
            return tuple(
                replace(face, per_model=each.per_model)
                for face, each in zip(analysis.faces, answers, strict=True)
            )

        settings = (analysis.provenance.config_digest, ensemble.config.digest())
        faces: tuple[FaceAnalysis, ...] = self.results.get_admitted(
            ("per model", *photo.key, *settings), run_ensemble
        )
        return faces

    def annotate(
        self,
        photo: Photo,
        analysis: ImageAnalysis,
        *,
        landmarks: bool = False,
        frames: bool = True,
        explained_by: Analyzer | None = None,
        enlarged: float = 1.0,
    ) -> RgbImage:
        """Return the framed faces; with ``explained_by`` also what the network looked at."""
        from core import annotate, overlay_heatmap

        # The maps first: a visitor who is refused there must not have the picture decoded.
        maps = None if explained_by is None else self.explain(photo, analysis, explained_by)
        image = self.decode_image(photo)
        if maps is not None:
            image = overlay_heatmap(image, analysis, maps)
        return annotate(image, analysis, landmarks=landmarks, frames=frames, enlarged=enlarged)

    def draw(
        self,
        photo: Photo,
        analysis: ImageAnalysis,
        *,
        landmarks: bool = False,
        frames: bool = True,
        explained_by: Analyzer | None = None,
    ) -> bytes:
        """Return the annotated picture as a JPEG for the screen."""
        shown = {"landmarks": landmarks, "frames": frames}
        settings = (*shown.values(), explained_by is not None)
        return self.drawn.get(
            (*photo.key, analysis.provenance.config_digest, *settings),
            lambda: encode_for_screen(
                self.annotate(
                    photo, analysis, **shown, explained_by=explained_by, enlarged=ENLARGED
                )
            ),
        )

    def blur(self, photo: Photo, analysis: ImageAnalysis) -> RgbImage:
        """Return the photo with its faces made unrecognisable."""
        from core import blur_faces

        return blur_faces(self.decode_image(photo), analysis)


class _Visits:
    """All workspaces, whose decoded photos share one budget."""

    def __init__(self) -> None:
        self._used: WeakKeyDictionary[Workspace, None] = WeakKeyDictionary()
        """Least recently used first."""
        self._lock = RLock()

    def add(self, new: Workspace) -> None:
        """Count a new workspace too."""
        with self._lock:
            self._used[new] = None

    def list_photos(self) -> list[Photo]:
        """Return the photos of all workspaces as they were uploaded."""
        with self._lock:
            return [photo for each in list(self._used) for photo in (*each.uploads, *each.camera)]

    def note_use(self, newest: Workspace) -> None:
        """Drop photos of the least recently used workspaces while all take too much memory."""
        _IDLE_TASKS.note_activity()
        with self._lock:
            self._used.pop(newest, None)
            self._used[newest] = None
            held = {each: each.images.held for each in list(self._used)}
            total = sum(held.values())
            for each, bytes_held in held.items():
                if total <= _IMAGE_BYTES_OF_ALL or each is newest:
                    return
                each.images.clear()
                total -= bytes_held

    def drop_pictures(self) -> None:
        """Drop all decoded photos and drawn pictures; each is made again when it is needed."""
        with self._lock:
            for each in list(self._used):
                each.images.clear()
                each.drawn.clear()


_VISITS = _Visits()
_IDLE_TASKS = IdleTasks(IDLE_S, _VISITS.drop_pictures, free_memory)


def list_held_photos() -> list[bytes]:
    """Return the content of the photos of all visits."""
    return [photo.data for photo in _VISITS.list_photos()]
