"""`emotion live`: follow faces and their emotions over time, in a video or from a camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from cli import options
from cli.stopping import StopBetweenSteps, handle_stop_signals
from cli.terminal import print_warning, print_written
from cli.timeline import print_film_table
from core import AnalyzerConfig, Device, OperatingPoint, Preset, Reading, UnreadableImage

if TYPE_CHECKING:
    from core import AnsweredFrame, Frame, ImageAnalysis, Video

    TakeFrame = Callable[[Frame, ImageAnalysis], None]
    """Takes each frame with its faces."""

ReadsOption = Annotated[
    float,
    typer.Option(
        "--reads-per-second",
        min=0.1,
        help="Read at most this many frames of each second; those between get their answers from "
        "the frames around them.",
    ),
]


def live(
    video: Annotated[
        Path | None,
        typer.Argument(metavar="[VIDEO]", help="A video file; without it, the camera."),
    ] = None,
    *,
    camera: Annotated[
        int, typer.Option("--camera", min=0, help="Number of the camera, from 0.")
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.mp4", help="Write the video with its faces marked."),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE.csv", help="Write a row for each face of each frame."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE.png",
            help="Plot each face's emotions over time (.png, .svg, .pdf).",
        ),
    ] = None,
    overwrite: options.OverwriteOption = False,
    every: Annotated[
        int,
        typer.Option(
            "--every",
            min=1,
            help="Look for faces in every n-th frame that is read, and follow them in between.",
        ),
    ] = 5,
    reads_per_second: ReadsOption = 15.0,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="Stop after this much of the video.")
    ] = None,
    model: options.ModelOption = options.DEFAULT_MODEL,
    detector: options.DetectorOption = None,
    reading: options.ReadingOption = Reading.PEOPLE,
    preset: options.PresetOption = Preset.FAST,
    operating_point: options.OperatingPointOption = OperatingPoint.BALANCED,
    detection_threshold: options.ThresholdOption = None,
    certain_from: options.CertainOption = None,
    device: options.DeviceOption = Device.AUTO,
) -> None:
    """Follow the emotions of faces in a video or from the camera.

    Stop with Ctrl-C: everything written so far is complete. No frame is kept, and nothing leaves
    this computer. Exit code: 0 if all frames were read, 1 if some were not, 2 if none was.
    """
    _check_outputs(video, out, csv, plot, overwrite=overwrite)
    config = AnalyzerConfig(
        model=model,
        detector=detector,
        reading=reading,
        preset=preset,
        operating_point=operating_point,
        detection_threshold=detection_threshold,
        certain_from=certain_from,
        device=device,
        threads=1,
    )
    stop = StopBetweenSteps()
    with handle_stop_signals(stop):
        problems = _analyze_video(
            video or camera,
            config,
            _Outputs(out, csv, plot),
            every=every,
            reads_per_s=reads_per_second,
            seconds=seconds,
            stop=stop,
        )
        for problem in problems:
            print_warning(problem)
    if problems:
        raise typer.Exit(1)


class _Outputs(NamedTuple):
    """The files to write."""

    out: Path | None
    csv: Path | None
    plot: Path | None


def _analyze_video(
    named: Path | int,
    config: AnalyzerConfig,
    wanted: _Outputs,
    *,
    every: int,
    reads_per_s: float,
    seconds: float | None,
    stop: StopBetweenSteps,
) -> Sequence[str]:
    """Follow the faces in a film, or of the camera with that number, and write the outputs.

    Return what could not be read, in sentences.
    """
    from core import (
        Analyzer,
        FaceFollower,
        FilmSummary,
        answer_video,
        open_camera,
        open_film_table,
        open_marked_film,
        open_video,
        plot_film,
    )

    summary = FilmSummary(config.reading)
    outputs: list[TakeFrame] = [summary.add]
    with ExitStack() as stack:
        source = stack.enter_context(
            open_video(named) if isinstance(named, Path) else open_camera(named, time.perf_counter)
        )
        # Opened before the networks are loaded, so that a full disk is reported soon.
        if wanted.out is not None:
            outputs.append(stack.enter_context(open_marked_film(wanted.out, source)))
        if wanted.csv is not None:
            outputs.append(stack.enter_context(open_film_table(wanted.csv)))
        follower = FaceFollower(Analyzer.from_config(config), every=every)
        began = time.perf_counter()
        answers = answer_video(
            source,
            follower,
            seconds=seconds,
            reads_per_s=reads_per_s,
            is_cancelled=stop.is_requested,
        )
        frames = _take_answers(source, answers, outputs, stop)
        elapsed_s = time.perf_counter() - began
    summary.finish()
    if wanted.plot is not None and (rest := plot_film(summary, wanted.plot)):
        typer.echo(rest[0].upper() + rest[1:], err=True)
    for path in filter(None, wanted):
        print_written(path)
    rate = f"{frames / elapsed_s:.0f} a second"
    typer.echo(f"{frames} frames in {elapsed_s:.1f} s: {rate}.", err=True)
    print_film_table(summary)
    return source.problems


def _check_outputs(
    video: Path | None, out: Path | None, csv: Path | None, plot: Path | None, *, overwrite: bool
) -> None:
    """Raise ConfigError for an output that is the video, exists, or cannot be written."""
    from core import (
        PLOT_ENDINGS,
        Output,
        check_outputs,
        is_csv_table,
        is_film_plot,
        is_marked_video,
    )

    wanted = [
        Output("--out", out, (".mp4",), is_marked_video) if out else None,
        Output("--csv", csv, is_ours=is_csv_table) if csv else None,
        Output("--plot", plot, PLOT_ENDINGS, is_film_plot) if plot else None,
    ]
    check_outputs(list(filter(None, wanted)), [video] if video else [], overwrite=overwrite)


def _take_answers(
    source: Video,
    answers: Iterator[AnsweredFrame],
    outputs: Sequence[TakeFrame],
    stop: StopBetweenSteps,
) -> int:
    """Give each frame to the outputs and return how many there were.

    UnreadableImage if there was none.
    """
    frames = 0
    with _open_status_line(source) as update_status:
        stop.begin()
        for answered in answers:
            frames += 1
            for output in outputs:
                output(answered.frame, answered.analysis)
            update_status(frames, answered)
    if stop.is_requested():
        typer.echo("Stopped.", err=True)
    if not frames:
        raise UnreadableImage(
            f"{source.name} has no readable frame.",
            hint="Save the video as MP4 (H.264), or try another camera.",
        )
    return frames


@contextmanager
def _open_status_line(source: Video) -> Iterator[Any]:
    """Yield a function that shows the latest answer on a terminal, at most five times a second."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda *_: None
        return
    updated_s = 0.0
    with console.status("Loading") as status:

        def update(frames: int, answered: AnsweredFrame) -> None:
            nonlocal updated_s
            now_s = time.perf_counter()
            if now_s - updated_s < 0.2:
                return
            updated_s = now_s
            total = f" of {source.length}" if source.length else ""
            faces = ", ".join(
                f"{face.index} {face.emotions.top if face.emotions.certain else 'not sure'}"
                for face in answered.analysis.faces
            )
            time_s = answered.frame.time_s
            status.update(f"{time_s:.1f} s, frame {frames}{total}: {faces or 'no face'}")

        yield update
