"""Photos that stay while another page is shown, and those that are added after that."""

from __future__ import annotations

import pytest

from core import Emotion
from frontends.streamlit_app.photos import MAX_PHOTOS
from frontends.streamlit_app.views.sources import SAMPLE, UPLOAD
from tests.fakes import picture, png
from tests.frontends.streamlit_pages import open_page, upload

pytestmark = pytest.mark.usefixtures("made", "catalog")

HAPPY, SAD = png(picture(Emotion.HAPPY)), png(picture(Emotion.SAD))


def names(app):
    return [photo.name for photo in app.session_state["workspace"].uploads]


def look_elsewhere(app):
    """Choose another source and come back: the uploader has forgotten its files."""
    app.button_group(key="source").set_value(SAMPLE).run()
    return app.button_group(key="source").set_value(UPLOAD).run()


def labels(app):
    return [each.label for each in app.button]


def click(app, label):
    [button] = [each for each in app.button if each.label == label]
    return button.click().run()


def test_photos_added_after_coming_back_join_those_from_before():
    app = upload(open_page("analyze"), ("a.png", HAPPY))
    assert r"a\.png" not in labels(app)
    upload(look_elsewhere(app), ("b.png", SAD))
    assert not app.exception
    assert names(app) == ["a.png", "b.png"]
    # The uploader lists the second one itself.
    assert r"a\.png" in labels(app)
    assert r"b\.png" not in labels(app)


def test_photo_replaced_in_the_uploader_goes_and_those_from_before_stay():
    app = look_elsewhere(upload(open_page("analyze"), ("a.png", HAPPY)))
    upload(app, ("b.png", SAD))
    upload(app, ("c.png", SAD))
    assert names(app) == ["a.png", "c.png"]


def test_kept_photo_is_removed_by_its_button():
    app = upload(open_page("analyze"), ("a.png", HAPPY), ("b_.png", SAD))
    click(look_elsewhere(app), r"a\.png")
    assert names(app) == ["b_.png"]
    assert r"b\_\.png" in labels(app)


def test_all_kept_photos_are_removed_and_new_ones_stay():
    app = look_elsewhere(upload(open_page("analyze"), ("a.png", HAPPY), ("b.png", SAD)))
    upload(app, ("c.png", HAPPY))
    click(app, "Remove all")
    assert names(app) == ["c.png"]
    assert "Remove all" not in labels(app)


def test_same_photo_given_again_counts_once():
    app = look_elsewhere(upload(open_page("analyze"), ("a.png", HAPPY)))
    upload(app, ("a.png", HAPPY))
    assert names(app) == ["a.png"]


def test_too_many_photos_name_the_command_for_folders():
    files = [(f"{n}.png", png(picture(size_wh=(20 + n, 20), side=5))) for n in range(MAX_PHOTOS)]
    app = look_elsewhere(upload(open_page("analyze"), *files))
    assert not app.warning
    upload(app, ("one more.png", HAPPY))
    assert len(names(app)) == MAX_PHOTOS
    assert app.warning[0].value.startswith("1 of the photos are left out")
    assert "`emotion batch`" in app.warning[0].value
