"""`emotion live`: faces and their emotions over time, in a video file or before a camera."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import DEFAULT_MODEL, DetectorOption, DeviceOption, ModelOption
from cli.terminal import printable
from cli.timeline import Moment, Timeline
from core import Device, Preset

if TYPE_CHECKING:
    from core import ImageAnalysis, Video


def live(
    video: Annotated[
        Path | None,
        typer.Argument(metavar="[VIDEO]", help="A video file; the camera if none is named."),
    ] = None,
    *,
    camera: Annotated[int, typer.Option("--camera", min=0, help="Which camera, from 0.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.mp4", help="Write the video with its faces marked."),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE.csv", help="Write every face of every frame as a row."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE.png", help="Draw each face's emotions over time."),
    ] = None,
    every: Annotated[
        int,
        typer.Option(
            "--every", min=1, help="Search every n-th frame for faces; they are followed between."
        ),
    ] = 5,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="End after so much of the video.")
    ] = None,
    model: ModelOption = DEFAULT_MODEL,
    detector: DetectorOption = None,
    device: DeviceOption = Device.AUTO,
) -> None:
    """Follow the faces in a video, or before the camera, and read their emotions over time.

    Ctrl-C ends it; what was written until then is whole. No frame is kept, and nothing leaves
    this computer. Ends with 0 when there was a frame to answer.
    """
    from core import Analyzer, AnalyzerConfig, FaceFollower, UnreadableImage, annotate

    timeline = Timeline()
    with ExitStack() as open_things:
        source = open_things.enter_context(_source(video, camera))
        # Every output is opened before the networks are loaded, so that a wrong name is told soon.
        write = open_things.enter_context(_marked(out, source)) if out else None
        rows = open_things.enter_context(timeline.rows(csv)) if csv else None
        config = AnalyzerConfig(
            model=model, detector=detector, preset=Preset.FAST, device=device, threads=1
        )
        follower = FaceFollower(Analyzer.from_config(config), every=every)
        began = time.perf_counter()
        frames = 0
        with _status(source) as tell:
            try:
                for frame in source.frames:
                    if seconds is not None and frame.time_s >= seconds:
                        break
                    answer = follower.answer(frame)
                    frames += 1
                    moment = Moment(frame.time_s, answer)
                    timeline.add(moment)
                    if rows is not None:
                        rows(moment)
                    if write is not None:
                        write(annotate(frame.image, answer))
                    tell(frames, frame.time_s, answer)
            except KeyboardInterrupt:
                typer.echo("Ended.", err=True)
        taken = time.perf_counter() - began
        if not frames:
            raise UnreadableImage(
                f"There is no frame to read in {source.name}.",
                hint="Save the video as MP4 (H.264), or try another camera.",
            )
    if plot is not None:
        timeline.draw(plot)
    for written in filter(None, (out, csv, plot)):
        typer.echo(printable(f"Wrote {written}"), err=True)
    typer.echo(f"{frames} frames in {taken:.1f} s: {frames / taken:.0f} a second.", err=True)
    timeline.show()


def _source(video: Path | None, camera: int) -> Any:
    from core import open_camera, open_video

    return open_camera(camera, time.perf_counter) if video is None else open_video(video)


def _marked(out: Path, source: Video) -> Any:
    from core import video_writer

    return video_writer(
        out, size_wh=(source.width, source.height), frames_per_s=source.frames_per_s
    )


@contextmanager
def _status(source: Video) -> Iterator[Any]:
    """Shows on a terminal, at most five times a second, what was read last; silent in a pipe."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda *_: None
        return
    shown = 0.0
    with console.status("Loading") as status:

        def tell(frames: int, time_s: float, answer: ImageAnalysis) -> None:
            nonlocal shown
            now = time.perf_counter()
            if now - shown < 0.2:
                return
            shown = now
            share = f" of {source.length}" if source.length else ""
            said = ", ".join(
                f"{face.index} {face.emotions.top if face.emotions.certain else 'not sure'}"
                for face in answer.faces
            )
            status.update(f"{time_s:.1f} s, frame {frames}{share}: {said or 'no face'}")

        yield tell
