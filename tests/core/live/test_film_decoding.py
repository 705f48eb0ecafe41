"""Films of every kind are decoded upright, with their own times, and damage is counted."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from core import FilmLimits, ImageTooLarge, UnreadableImage
from core.live.film_decoding import FilmDecoder
from core.live.orientation import turn_upright
from tests.films import corners, damage, is_upright, make_film, noisy


def decode(path, **limits):
    """Return the decoder, and its frames."""
    with path.open("rb", buffering=0) as file:
        decoder = FilmDecoder(file, FilmLimits(**limits))
        return decoder, list(decoder.read_frames())


def times(frames):
    return [frame.time_s for frame in frames]


KINDS = [
    ("film.mp4", {"codec": "libx264"}),
    ("film.mov", {"codec": "mpeg4", "rate": 24}),
    ("film.mkv", {"codec": "libx264", "pixel_format": "yuv420p10le", "rate": 60}),
    ("film.webm", {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "deadline": "realtime"}}),
    ("vp8.webm", {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "8"}}),
    ("film.wmv", {"codec": "wmv2", "rate": 25}),
    ("film.ts", {"codec": "mpeg2video", "rate": 25}),
    ("film.m2ts", {"form": "mpegts", "container": {"mpegts_m2ts_mode": "1"}, "rate": 25}),
    ("film.mts", {"form": "mpegts", "rate": Fraction(30000, 1001)}),
    ("film.3gp", {"codec": "mpeg4", "rate": 15}),
    ("film.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p", "rate": 15}),
    ("raw.avi", {"codec": "rawvideo", "pixel_format": "bgr24"}),
    ("film.flv", {"codec": "flv"}),
    ("film.gif", {"codec": "gif", "pixel_format": "rgb8"}),
    ("film.mpg", {"codec": "mpeg1video", "rate": 25}),
    ("prores.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}),
]


@pytest.mark.parametrize(("name", "kind"), KINDS, ids=[name for name, _ in KINDS])
def test_film_of_every_kind_is_read_by_its_content(tmp_path, name, kind):
    made = make_film(tmp_path / name, [corners()] * 12, **kind)
    path = made.rename(tmp_path / "no ending")
    decoder, frames = decode(path)
    assert len(frames) == 12
    assert all(is_upright(frame.pixels) for frame in frames)
    rate = float(kind.get("rate", 10))
    assert times(frames) == pytest.approx([n / rate for n in range(12)], abs=2e-3)
    assert (decoder.losses.frames, decoder.losses.of) == (0, 0)
    assert frames[-1].done >= frames[0].done


def test_av1_is_decoded(tmp_path):
    made = make_film(
        tmp_path / "film.mp4", [corners()] * 3, codec="libsvtav1", options={"preset": "12"}
    )
    _, frames = decode(made)
    assert [is_upright(frame.pixels) for frame in frames] == [True] * 3


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film.mkv"])
@pytest.mark.parametrize(
    ("turned", "mirrored"), list(itertools.product((0, 90, 180, 270), (False, True)))
)
def test_film_of_a_phone_is_upright_however_it_was_held(tmp_path, name, turned, mirrored):
    made = make_film(tmp_path / name, [corners()] * 2, turned=turned, mirrored=mirrored)
    decoder, frames = decode(made)
    assert (decoder.facts.width, decoder.facts.height) == (160, 120)
    assert all(is_upright(frame.pixels) for frame in frames)


def test_display_matrix_of_nothing_changes_nothing():
    picture = corners()
    for matrix in (None, b"", bytes(36), b"\1" * 35):
        assert turn_upright(picture, matrix) is picture


@pytest.mark.parametrize(
    ("name", "codec"), [("film.mp4", "libx264"), ("film.mkv", "libx264"), ("film.webm", "libvpx")]
)
def test_each_frame_has_its_own_time(tmp_path, name, codec):
    shown_s = [0.0, 0.033, 0.5, 0.533, 2.0, 2.033]
    made = make_film(
        tmp_path / name, [corners()] * 6, codec=codec, rate=1000, times=[3 + s for s in shown_s]
    )
    _, frames = decode(made)
    assert times(frames) == pytest.approx(shown_s, abs=2e-3)


def test_recording_of_a_browser_has_neither_duration_nor_rate(tmp_path):
    """Frames come when they come, and the header was written before the first."""
    shown_s = [0.0, 0.1, 0.4, 0.45, 1.2]
    made = make_film(
        tmp_path / "film.webm",
        [corners()] * 5,
        codec="libvpx",
        rate=1000,
        times=shown_s,
        container={"live": "1"},
    )
    decoder, frames = decode(made)
    assert decoder.facts.duration_s is None
    assert times(frames) == pytest.approx(shown_s, abs=2e-3)
    assert 0 < frames[-1].done <= 1
    assert decoder.losses.frames == 0


def test_clock_that_starts_anew_goes_on(tmp_path):
    """Two broadcasts in one file: the second one's times begin at zero again."""
    one = make_film(tmp_path / "one.ts", [corners()] * 40, codec="mpeg2video", rate=25)
    both = tmp_path / "both.ts"
    both.write_bytes(one.read_bytes() * 2)
    decoder, frames = decode(both)
    assert len(frames) == 80
    assert times(frames) == pytest.approx([n / 25 for n in range(80)], abs=5e-3)
    assert decoder.losses.frames == 0


def test_narrow_pixels_are_stretched(tmp_path):
    made = make_film(tmp_path / "film.mp4", [corners()] * 2, pixel_ratio=Fraction(3, 2))
    _, frames = decode(made)
    assert frames[1].pixels.shape == (120, 240, 3)
    assert is_upright(frames[1].pixels)


def test_frames_of_another_size_fit_into_the_first(tmp_path):
    large = make_film(tmp_path / "large.ts", [corners()] * 40, codec="mpeg2video", rate=25)
    small = make_film(tmp_path / "small.ts", [corners((80, 120))] * 40, codec="mpeg2video", rate=25)
    both = tmp_path / "both.ts"
    both.write_bytes(large.read_bytes() + small.read_bytes())
    _, frames = decode(both)
    assert {frame.pixels.shape for frame in frames} == {(120, 160, 3)}
    assert len(frames) >= 79  # a decoder may drop the one before the change
    assert is_upright(frames[-1].pixels[:, 40:120])
    assert frames[-1].pixels[:, :36].max() < 20  # black beside it


def test_transparent_parts_are_white(tmp_path):
    from PIL import Image

    first = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    path = tmp_path / "film.gif"
    first.save(path, save_all=True, append_images=[first.copy()], duration=100)
    _, frames = decode(path)
    assert frames[0].pixels.min() > 250


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("film.mp4", {}),
        ("film.mkv", {}),
        ("film.ts", {}),
        ("film.avi", {"codec": "mpeg4"}),
        ("film.flv", {"codec": "flv"}),
        ("film.wmv", {"codec": "wmv2"}),
    ],
)
def test_film_goes_on_behind_a_damage_and_says_what_is_missing(tmp_path, name, kind):
    options = {"g": "10", "b": "3000000"}  # no frame is so large that the film is one
    made = make_film(tmp_path / name, noisy(60), rate=25, options=options, **kind)
    decoder, frames = decode(damage(made, count=made.stat().st_size // 20))
    lost = decoder.losses
    assert times(frames)[-1] == pytest.approx(59 / 25, abs=0.15)  # AVI counts its frames
    assert 1 <= lost.frames <= 25
    assert lost.of == pytest.approx(60, abs=3)
    assert lost.of == len(frames) + lost.frames


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("film.mp4", {"container": {"movflags": "+faststart"}}),
        ("film.mkv", {}),
        ("film.webm", {"codec": "libvpx"}),
        ("film.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
        ("film.flv", {"codec": "flv"}),
    ],
)
def test_film_that_was_cut_off_says_what_is_missing(tmp_path, name, kind):
    path = make_film(tmp_path / name, noisy(75), rate=25, options={"b": "3000000"}, **kind)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    decoder, frames = decode(path)
    assert 10 < len(frames) < 60
    assert decoder.losses.of == pytest.approx(75, abs=3)


def test_gif_that_was_cut_off_says_so(tmp_path):
    path = make_film(tmp_path / "film.gif", noisy(10), codec="gif", pixel_format="rgb8")
    path.write_bytes(path.read_bytes()[:-3000])
    decoder, _ = decode(path)
    assert decoder.losses.frames >= 1


def test_edited_film_is_not_damaged(tmp_path):
    """An edit leaves frames in the file that are not to be shown."""
    import av

    made = make_film(tmp_path / "film.mp4", [corners()] * 30, options={"g": "30"})
    edited = tmp_path / "edited.mp4"
    with av.open(str(made)) as source, av.open(str(edited), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is None:
                continue
            # Times below zero become an edit list.
            shift = int(1 / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = stream
            target.mux(packet)
    decoder, frames = decode(edited)
    assert decoder.losses.frames == 0
    assert 0 < len(frames) <= 30


@pytest.mark.parametrize(
    "content",
    [
        b"just text " * 50,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://localhost/film.ts\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n%s\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile %s\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        bytes(5000),
    ],
)
def test_lists_of_films_and_other_files_are_refused(tmp_path, content):
    inner = make_film(tmp_path / "inner.ts", [corners()] * 3, codec="mpeg2video", rate=25)
    path = tmp_path / "film.mp4"
    path.write_bytes(content.replace(b"%s", str(inner).encode()))
    with pytest.raises(UnreadableImage, match="not a readable video") as caught:
        decode(path)
    assert "MP4" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\0\x18ftypisom\0\0\0\0isomiso2" + b"\0" * 400,
        b"\x1aE\xdf\xa3" + b"\xff" * 400,
    ],
)
def test_film_that_cannot_be_opened_is_damaged(tmp_path, content):
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage, match="damaged or was cut off"):
        decode(path)


def test_recording_without_its_end_is_damaged(tmp_path):
    """The list of frames stands at the end of an MP4 file, so that all of it is lost."""
    path = make_film(tmp_path / "film.mp4", noisy(10))
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(UnreadableImage, match="damaged or was cut off"):
        decode(path)


def test_frames_that_damage_brings_out_of_order_are_left_out(tmp_path):
    options = {"g": "5", "qp": "4"}
    path = make_film(tmp_path / "film.mp4", [corners()] * 40, options=options)
    decoder, frames = decode(damage(path, count=path.stat().st_size // 10))
    assert decoder.losses.frames == 40 - len(frames) > 0
    assert len(set(times(frames))) == len(frames)


def test_film_without_a_decoder_is_named(tmp_path):
    path = make_film(tmp_path / "film.mp4", [corners()] * 3)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"avs3"))
    with pytest.raises(UnreadableImage, match=r"avs3.* can't decode"):
        decode(path)


def test_recording_without_a_picture_is_refused(tmp_path):
    import av

    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("aac", rate=8000)
        for number in range(5):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            sound.rate, sound.pts = 8000, 1024 * number
            film.mux(stream.encode(sound))
        film.mux(stream.encode(None))
    with pytest.raises(UnreadableImage, match="sound but no film"):
        decode(path)


def test_limits_are_checked_before_a_frame_is_decoded(tmp_path):
    path = make_film(tmp_path / "film.mp4", [corners()] * 30)
    with pytest.raises(ImageTooLarge, match="160 x 120 pixels"):
        decode(path, longest_side_px=159)
    with pytest.raises(ImageTooLarge, match="lasts 3 seconds"):
        decode(path, max_seconds=2.0)


def test_film_of_unknown_duration_is_left_at_the_longest_one(tmp_path):
    path = make_film(
        tmp_path / "film.webm", [corners()] * 30, codec="libvpx", container={"live": "1"}
    )
    decoder, frames = decode(path, max_seconds=1.5)
    assert len(frames) == 16
    assert decoder.losses.too_long
