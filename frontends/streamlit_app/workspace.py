"""What one visit remembers, so that nothing is computed twice; never shared between visitors."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from io import BytesIO
from threading import RLock
from typing import TYPE_CHECKING, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from core import Face, FaceAnalysis, ImageAnalysis, ProjectError, RgbImage
from frontends.admission import ADMISSION
from frontends.idle import IDLE_S, IdleTasks, free_memory
from frontends.streamlit_app.photos import Photo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core import Analyzer

    Float32Array = NDArray[np.float32]

V = TypeVar("V")

_SHOWN_PX = 2000
"""Longest side of a picture as shown: sharp on a wide screen, quick to send."""
_ENLARGED = 1.6
"""Lines and letters of a picture as shown, which takes half of the page beside its cards."""
_IMAGE_BYTES = 100_000_000
"""Decoded pictures: two of the largest that the reader returns."""
_IMAGE_BYTES_OF_ALL = 200_000_000
"""Decoded pictures of all visits together; whose visit rests longest decodes its own again."""
_SHOWN_BYTES = 40_000_000
"""Pictures as shown: about 40 of them."""
_ANSWERS = 400
"""Answers: ten settings for as many photos as are taken at once; about 20 kB a face."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A photo that could not be read, and what its owner can do."""

    message: str
    hint: str


Answer = ImageAnalysis | Refusal


class Cache(Generic[V]):
    """Keeps the values used last, as many as their cost allows, and always the newest.

    Downloads are made in a thread of their own beside the page, hence the lock.
    """

    def __init__(self, budget: int, cost: Callable[[V], int]) -> None:
        self._budget = budget
        self._cost = cost
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._lock = RLock()
        self.held = 0
        """Cost of all values, to be read without waiting for one that is being made."""

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of ``key``, made if it is not there."""
        with self._lock:
            if key not in self._values:
                self._values[key] = made = make()
                self.held += self._cost(made)
            self._values.move_to_end(key)
            while len(self) > 1 and self.held > self._budget:
                _, gone = self._values.popitem(last=False)
                self.held -= self._cost(gone)
            return self._values[key]

    def get_admitted(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of ``key``; to make it takes a turn, because networks are asked for it.

        ProjectError where too many visitors are waiting for theirs.
        """
        if key in self:
            return self.get(key, make)
        # Outside `make`: to be turned away is no value, and is not kept as one.
        with ADMISSION.admit():
            return self.get(key, make)

    def clear(self) -> None:
        """Keep nothing, unless a value is being made or fetched just now."""
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
    """One visitor's photos and the answers to them."""

    uploads: tuple[Photo, ...] = ()
    left_out: int = 0
    """Uploads beyond the limits."""
    camera: tuple[Photo, ...] = ()
    _answers: Cache[Answer] = field(default_factory=lambda: Cache(_ANSWERS, lambda _: 1))
    _images: Cache[RgbImage] = field(
        default_factory=lambda: Cache(_IMAGE_BYTES, lambda image: image.pixels.nbytes)
    )
    _others: Cache[object] = field(default_factory=lambda: Cache(_ANSWERS, lambda _: 1))
    _shown: Cache[bytes] = field(default_factory=lambda: Cache(_SHOWN_BYTES, len))

    def remember(self, key: Hashable, make: Callable[[], object]) -> object:
        """Anything else that networks are asked for, made the first time it is wanted.

        ProjectError where too many visitors are waiting for theirs.
        """
        return self._others.get_admitted(key, make)

    def get_picture(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """A picture for the screen, drawn the first time it is asked for."""
        return self._shown.get(key, make)

    def has_answer(self, photo: Photo, settings: str) -> bool:
        """Whether the answer is there already."""
        return _key(photo, settings) in self._answers

    def answer(self, photo: Photo, analyzer: Analyzer) -> Answer:
        """The answer to ``photo``; an input that cannot be answered gives the reason instead.

        ProjectError where too many visitors are waiting for theirs.
        """

        def make() -> Answer:
            try:
                return analyzer.analyze(self.image(photo))
            except ProjectError as error:
                return Refusal(error.message, error.hint)

        return self._answers.get_admitted(_key(photo, analyzer.config.digest()), make)

    def image(self, photo: Photo) -> RgbImage:
        """The picture itself; InputError if it cannot be read."""
        from core import read_image

        key = (photo.name, photo.digest)
        image = self._images.get(key, lambda: read_image(photo.data, name=photo.name))
        _VISITS.used(self)
        return image

    def image_bytes(self) -> int:
        """What its decoded pictures take."""
        return self._images.held

    def forget_images(self) -> None:
        """Let its decoded pictures go; each is decoded again when it is asked for."""
        self._images.clear()

    def forget_pictures(self) -> None:
        """Let its pictures as shown go too; each is drawn again when it is asked for."""
        self.forget_images()
        self._shown.clear()

    def maps(
        self, photo: Photo, analysis: ImageAnalysis, analyzer: Analyzer
    ) -> tuple[Float32Array, ...]:
        """What drew the network, for each face (48, 48) in 0..1."""
        key = ("maps", *_key(photo, analysis.provenance.config_digest))
        found = self.remember(key, lambda: analyzer.explain(analysis))
        return cast("tuple[Float32Array, ...]", found)

    def detections(self, photo: Photo, analyzer: Analyzer) -> tuple[Face, ...]:
        """What ``analyzer`` takes for a face; InputError if the picture cannot be read."""
        key = ("candidates", *_key(photo, analyzer.config.digest()))
        found = self.remember(key, lambda: analyzer.detect(self.image(photo)))
        return cast("tuple[Face, ...]", found)

    def add_per_model_answers(
        self, photo: Photo, analysis: ImageAnalysis, everyone: Analyzer
    ) -> tuple[FaceAnalysis, ...]:
        """The faces with what each network of ``everyone`` says of them; their answers stay."""

        def ask() -> tuple[FaceAnalysis, ...]:
            answers = everyone.analyze_faces(
                self.image(photo), [each.face for each in analysis.faces]
            )
            return tuple(
                replace(face, per_model=each.per_model)
                for face, each in zip(analysis.faces, answers, strict=True)
            )

        settings = (analysis.provenance.config_digest, everyone.config.digest())
        found = self.remember(("opinions", photo.name, photo.digest, *settings), ask)
        return cast("tuple[FaceAnalysis, ...]", found)

    def annotated(
        self,
        photo: Photo,
        analysis: ImageAnalysis,
        *,
        landmarks: bool = False,
        explained_by: Analyzer | None = None,
        enlarged: float = 1.0,
    ) -> RgbImage:
        """The framed faces; with ``explained_by`` also what drew the network."""
        from core import annotate, overlay_heatmap

        # The maps first: who is turned away there shall not have the picture decoded.
        maps = None if explained_by is None else self.maps(photo, analysis, explained_by)
        image = self.image(photo)
        if maps is not None:
            image = overlay_heatmap(image, analysis, maps)
        return annotate(image, analysis, landmarks=landmarks, enlarged=enlarged)

    def shown(
        self,
        photo: Photo,
        analysis: ImageAnalysis,
        *,
        landmarks: bool = False,
        explained_by: Analyzer | None = None,
    ) -> bytes:
        """The annotated picture as a JPEG for the screen."""
        looks = (landmarks, explained_by is not None)
        return self._shown.get(
            (*_key(photo, analysis.provenance.config_digest), looks),
            lambda: for_screen(
                self.annotated(
                    photo,
                    analysis,
                    landmarks=landmarks,
                    explained_by=explained_by,
                    enlarged=_ENLARGED,
                )
            ),
        )

    def blurred_png(self, photo: Photo, analysis: ImageAnalysis) -> bytes:
        """The picture in full size with its faces made unrecognisable, to be saved."""
        from core import blur_faces, encode_png

        return encode_png(blur_faces(self.image(photo), analysis))

    def png(self, photo: Photo, analysis: ImageAnalysis) -> bytes:
        """The annotated picture in full size, to be saved."""
        from core import encode_png

        return encode_png(self.annotated(photo, analysis))


class _Visits:
    """All workspaces that there are, whose pictures share one budget."""

    def __init__(self) -> None:
        self._used: WeakKeyDictionary[Workspace, None] = WeakKeyDictionary()
        """Those that rest longest first."""
        self._lock = RLock()

    def used(self, newest: Workspace) -> None:
        """Let pictures of visits that rest longest go while there are too many."""
        _IDLE_TASKS.note_activity()
        with self._lock:
            self._used.pop(newest, None)
            self._used[newest] = None
            held = {each: each.image_bytes() for each in list(self._used)}
            total = sum(held.values())
            for each, bytes_held in held.items():
                if total <= _IMAGE_BYTES_OF_ALL or each is newest:
                    return
                each.forget_images()
                total -= bytes_held

    def forget(self) -> None:
        """Let all pictures go."""
        with self._lock:
            for each in list(self._used):
                each.forget_pictures()


_VISITS = _Visits()
_IDLE_TASKS = IdleTasks(IDLE_S, _VISITS.forget, free_memory)


def _key(photo: Photo, settings: str) -> tuple[str, str, str]:
    return photo.name, photo.digest, settings


def for_screen(image: RgbImage) -> bytes:
    """A JPEG, not larger than a wide screen shows."""
    from PIL import Image

    picture = Image.fromarray(image.pixels)
    picture.thumbnail((_SHOWN_PX, _SHOWN_PX), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    # Full chroma keeps the thin coloured frames and the lettering clean.
    picture.save(buffer, format="JPEG", quality=92, subsampling=0)
    return buffer.getvalue()
