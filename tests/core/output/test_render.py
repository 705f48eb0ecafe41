"""The answer drawn onto a copy of the picture: framed, numbered, named, inside."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from core import (
    Box,
    Emotion,
    Face,
    RgbImage,
    annotate,
    annotate_detections,
    blur_faces,
    encode_png,
    overlay_heatmap,
)
from core.output import render
from core.output.render import format_label, format_score
from core.output.tags import overlaps
from tests.core.pipeline_parts import face_analysis, image_analysis, scores


def plain(width=640, height=480, value=128):
    return RgbImage(np.full((height, width, 3), value, np.uint8), "plain.png", ("A note.",))


def draw(image, *faces, **options):
    size_wh = (image.width, image.height)
    return annotate(image, image_analysis(*faces, size_wh=size_wh), **options)


def compare(image, other):
    return (image.pixels != other.pixels).any(axis=2)


@pytest.fixture
def labels(monkeypatch):
    """Where labels are drawn and what they say."""
    seen = []
    rectangle, text = ImageDraw.ImageDraw.rectangle, ImageDraw.ImageDraw.text

    def spot(self, xy, *args, **options):
        seen.append([Box(*xy)])
        return rectangle(self, xy, *args, **options)

    def words(self, xy, said, *args, **options):
        seen[-1].append(said)
        return text(self, xy, said, *args, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "rectangle", spot)
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", words)
    return seen


def test_picture_without_faces_is_not_changed():
    image = plain()
    made = draw(image)
    assert not compare(image, made).any()
    assert made is not image
    assert (made.name, made.notes) == (image.name, image.notes)


def test_input_is_never_changed(photo):
    before = photo.pixels.copy()
    face = face_analysis(1, Box(179, 60, 268, 176))
    answer = image_analysis(face, size_wh=(512, 512))
    annotate(photo, answer, landmarks=True)
    overlay_heatmap(photo, answer, [np.ones((48, 48), np.float32)])
    assert (photo.pixels == before).all()


def test_frame_follows_the_box_in_the_emotion_s_colour():
    image = plain()
    made = draw(image, face_analysis(1, Box(200, 150, 400, 350)))
    for x, y in ((200, 250), (400, 250), (300, 150), (300, 350)):
        assert tuple(made.pixels[y, x]) == Emotion.HAPPY.colour
    assert not compare(image, made)[200:300, 250:350].any()


def test_lines_and_letters_are_larger_in_a_picture_that_is_shown_small(labels):
    image, face = plain(1600, 1200), face_analysis(1, Box(200, 150, 400, 350))
    usual, enlarged = draw(image, face), draw(image, face, enlarged=2.0)
    (small, _), (large, _) = labels
    assert large.height > 1.8 * small.height
    # Across the left side, below the label.
    usual_px, enlarged_px = (compare(image, made)[320, 150:250].sum() for made in (usual, enlarged))
    assert enlarged_px > 1.5 * usual_px


def test_uncertain_answer_has_a_dashed_frame():
    image, box = plain(), Box(200, 150, 400, 350)
    certain = draw(image, face_analysis(1, box))
    unsure = draw(image, face_analysis(1, box, scores(0.9, happy=0.6, sad=0.4)))
    whole, broken = (compare(image, made)[350, 210:390] for made in (certain, unsure))
    assert whole.all()
    assert 0.3 < broken.mean() < 0.7
    assert np.abs(np.diff(broken.astype(int))).sum() > 10


def test_label_shows_number_emotion_and_probability():
    assert format_label(face_analysis(3, Box(0, 0, 9, 9))) == "3  happy 75 %"
    unsure = face_analysis(12, Box(0, 0, 9, 9), scores(0.9, happy=0.6, sad=0.4))
    assert format_label(unsure) == "12  not sure (happy? 60 %)"


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 60, 60),
        Box(580, 0, 640, 60),
        Box(0, 420, 60, 480),
        Box(580, 420, 640, 480),
        Box(0, 0, 640, 480),
        Box(300, 0, 360, 480),
        Box(0, 200, 640, 230),
        Box(639, 479, 640, 480),
    ],
)
@pytest.mark.parametrize("certain_from", [0.0, 0.99])
def test_label_stays_inside_the_picture(labels, box, certain_from):
    emotions = scores(certain_from, surprise=0.7, neutral=0.3)
    draw(plain(), face_analysis(1, box, emotions))
    ((spot, said),) = labels
    assert "surprise" in said
    assert spot.x1 >= 0
    assert spot.y1 >= 0
    assert spot.x2 <= 640
    assert spot.y2 <= 480


def test_labels_of_neighbours_do_not_overlap(labels):
    boxes = [Box(100, 200, 180, 280), Box(120, 205, 230, 285), Box(140, 200, 280, 280)]
    draw(plain(), *(face_analysis(index + 1, box) for index, box in enumerate(boxes)))
    spots = [spot for spot, _ in labels]
    for index, one in enumerate(spots):
        for other in spots[:index]:
            assert not overlaps(one, other)


def test_each_of_sixty_faces_has_a_label(labels):
    boxes = [
        Box(x * 60 + 5, y * 75 + 5, x * 60 + 50, y * 75 + 60) for y in range(6) for x in range(10)
    ]
    draw(plain(), *(face_analysis(index + 1, box) for index, box in enumerate(boxes)))
    assert [said.split()[0] for _, said in labels] == [str(number) for number in range(1, 61)]
    assert not any(
        overlaps(one, other) for index, (one, _) in enumerate(labels) for other, _ in labels[:index]
    )


@pytest.mark.parametrize(
    ("width", "expected"), [(400, "1  not sure (fear? 50 %)"), (100, "1  fear?"), (40, "1?")]
)
def test_label_is_as_long_as_fits_into_the_picture(labels, width, expected):
    face = face_analysis(1, Box(2, 40, 38, 76), scores(0.99, fear=0.5, neutral=0.5))
    draw(plain(width, 100), face)
    ((spot, said),) = labels
    assert said == expected
    assert spot.x2 < width


@pytest.mark.parametrize("size_wh", [(1, 1), (2, 5), (20, 20), (48, 48), (4000, 10), (10, 4000)])
@pytest.mark.parametrize("certain_from", [0.0, 0.99])
def test_pictures_of_odd_sizes_can_be_annotated(size_wh, certain_from):
    image = plain(*size_wh)
    face = face_analysis(
        1, Box(0, 0, *map(float, size_wh)), scores(certain_from, sad=0.5, fear=0.5)
    )
    made = draw(image, face, landmarks=True)
    assert made.pixels.shape == image.pixels.shape


@pytest.mark.parametrize("emotion", list(Emotion))
def test_text_contrasts_with_its_background(emotion):
    def luminance(colour):
        parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    one = luminance([v / 255 for v in emotion.colour])
    other = luminance([v / 255 for v in render._choose_text_colour(emotion.colour)])
    contrast = (max(one, other) + 0.05) / (min(one, other) + 0.05)
    assert contrast >= 4.5  # WCAG 2 AA


def test_landmarks_are_drawn_on_request():
    image, face = plain(), face_analysis(1, Box(200, 150, 400, 350))
    bare, dotted = draw(image, face), draw(image, face, landmarks=True)
    for x, y in face.face.landmarks.points:
        assert tuple(dotted.pixels[int(y), int(x)]) == (255, 255, 255)
        assert tuple(bare.pixels[int(y), int(x)]) == (128, 128, 128)


def test_heatmap_changes_only_pixels_near_the_face():
    image, box = plain(), Box(200, 150, 296, 246)
    answer = image_analysis(face_analysis(1, box))
    touched = compare(image, overlay_heatmap(image, answer, [np.ones((48, 48), np.float32)]))
    rows, columns = np.nonzero(touched)
    assert touched[152:244, 202:294].all()
    assert rows.min() >= 148
    assert rows.max() <= 248
    assert columns.min() >= 198
    assert columns.max() <= 298


def test_heatmap_of_zeros_does_not_change_the_photo(photo):
    answer = image_analysis(face_analysis(1, Box(179, 60, 268, 176)), size_wh=(512, 512))
    made = overlay_heatmap(photo, answer, [np.zeros((48, 48), np.float32)])
    assert (made.pixels == photo.pixels).all()


@pytest.mark.parametrize("scale", [0.5, 1, 4])
def test_heatmap_lies_where_the_crop_was_taken(scale):
    # One hot cell of the map belongs to one square of the photo.
    side = round(48 * scale)
    image = plain(300, 260, 0)
    box = Box(40, 30, 40 + side, 30 + side)
    heat = np.zeros((48, 48), np.float32)
    heat[20:24, 36:40] = 1
    made = overlay_heatmap(image, image_analysis(face_analysis(1, box)), [heat])
    weight = made.pixels.sum(axis=2).astype(float)
    rows, columns = np.indices(weight.shape) + 0.5
    centre = [(weight * columns).sum() / weight.sum(), (weight * rows).sum() / weight.sum()]
    assert centre == pytest.approx([40 + 38 * scale, 30 + 22 * scale], abs=0.5)


def test_heatmap_of_a_turned_crop_is_turned():
    face = face_analysis(1, Box(100, 100, 148, 148))
    turned = cv2.getRotationMatrix2D((124, 124), 90, 1.0)
    turned[:, 2] -= 100
    crop = type(face.crop)(face.crop.pixels, turned)
    face = replace(face, crop=crop)
    heat = np.zeros((48, 48), np.float32)
    heat[:10, 20:28] = 1  # the top of the crop
    image = plain(300, 260, 0)
    made = overlay_heatmap(image, image_analysis(face), [heat])
    columns = np.nonzero(compare(image, made))[1]
    assert columns.mean() > 135  # turned counter-clockwise, the photo's right side is on top


@pytest.mark.parametrize(
    "box", [Box(-90, -90, 30, 30), Box(280, 240, 500, 500), Box(900, 0, 950, 50)]
)
def test_heatmap_of_a_face_at_the_border_is_cut_off(box):
    image = plain(300, 260)
    made = overlay_heatmap(image, image_analysis(face_analysis(1, box)), [np.ones((48, 48), "f4")])
    assert made.pixels.shape == image.pixels.shape


def test_heatmaps_must_match_the_faces():
    with pytest.raises(ValueError, match="shorter"):
        overlay_heatmap(plain(), image_analysis(face_analysis(1, Box(0, 0, 9, 9))), [])


def test_png_holds_the_pixels_and_nothing_else(photo):
    data = encode_png(photo)
    with Image.open(io.BytesIO(data)) as file:
        assert (file.format, file.info) == ("PNG", {})
        assert (np.asarray(file) == photo.pixels).all()
    assert encode_png(photo) == data


@pytest.mark.parametrize(("score", "words"), [(0.99996, "0.999"), (1.0, "1.000"), (0.6, "0.600")])
def test_score_never_seems_to_reach_a_higher_threshold(score, words):
    assert format_score(score) == words


def test_detection_below_the_threshold_has_a_dashed_frame_of_another_colour():
    image = RgbImage(np.full((300, 300, 3), 128, np.uint8), "a.png")
    faces = [Face(Box(20, 20, 120, 120), 0.9), Face(Box(160, 160, 280, 280), 0.3)]
    drawn = annotate_detections(image, faces, 0.5).pixels.astype(int)
    full, dashed = drawn[60:115, 120], drawn[200:275, 280]
    assert (full[:, 2] > full[:, 0] + 60).all()
    vermilion = dashed[:, 0] > dashed[:, 2] + 60
    assert vermilion.any()
    assert not vermilion.all()


@pytest.mark.parametrize(
    "draw",
    [
        annotate,
        blur_faces,
        lambda image, answer: overlay_heatmap(image, answer, [np.ones((48, 48), np.float32)]),
    ],
    ids=["annotate", "blur", "heatmap"],
)
def test_photo_is_drawn_turned_as_it_was_for_its_answer(draw):
    noise = np.random.default_rng(0).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    image = RgbImage(noise)
    answer = replace(image_analysis(face_analysis(1, Box(10, 10, 60, 70))), turned=90)
    drawn = draw(image, answer)
    assert (drawn.width, drawn.height, drawn.turned) == (80, 120, 90)
    # Already turned, it is not turned again.
    assert np.array_equal(draw(image.turn_to(90), answer).pixels, drawn.pixels)
