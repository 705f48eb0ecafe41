"""The HTML report: one file with the main counts, and no part of a photo unless wanted."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from core import AnalyzerConfig, Emotion, Reading
from tests.core.batch.batch_parts import fill_folder, run
from tests.fakes import picture, png


class Page(HTMLParser):
    """The tables of a page as lists of cells, its links, and its tags."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.links, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href", "action")]
        self.tags.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_data(self, data):
        if self.tables and self.tables[-1] and self.tables[-1][-1] and self.lasttag != "footer":
            self.tables[-1][-1][-1] += data.strip()


def write_page(photos, tmp_path, **options):
    run(photos, tmp_path / "table.csv", report=tmp_path / "page.html", **options)
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_report_shows_counts_emotions_and_folders(tmp_path):
    folder = tmp_path / "photos"
    (folder / "a").mkdir(parents=True)
    (folder / "one.png").write_bytes(png(picture(Emotion.HAPPY, Emotion.SAD)))
    (folder / "a" / "two.png").write_bytes(png(picture(Emotion.HAPPY, unsure=[Emotion.FEAR])))
    (folder / "a" / "none.png").write_bytes(png(picture()))
    (folder / "a" / "bad.png").write_bytes(b"nothing")
    text = write_page(folder, tmp_path)
    answers, folders, unsure, reasons, failures = Page(text).tables
    assert ["happy", "2", "50.0 %"] in [row[:3] for row in answers]
    assert ["fear", "0", "0.0 %"] in [row[:3] for row in answers]
    assert ["not sure", "1", "25.0 %"] in [row[:3] for row in answers]
    # "Not sure" is no emotion: it has a column, and no part of the bar with its numbers.
    assert [row[:4] for row in folders] == [
        ["Folder", "Files", "Faces", "Not sure"],
        ["(the folder itself)", "1", "2", "0"],
        ["a", "3", "2", "1"],
    ]
    assert 'aria-label="happy 1, sad 1"' in text
    assert re.findall(r"flex: .*>(.*)</i>", text) == ["1", "1", "1"]
    assert answers[-1][0] == "not sure"
    assert text.index("</tbody>\n<tbody>") < text.index("not sure</td>")
    assert unsure[0][2] == "People would say"
    assert [row[:3] for row in unsure[1:]] == [
        ["a/two.png", "2 of 2", "3 of 10 fear, 1 angry, 1 disgust"]
    ]
    assert reasons[1][1] == "1"
    assert failures[1][0] == "a/bad.png"
    counts = re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", text)
    assert dict(counts) == {
        "photos with a face": "2",
        "photos without a face": "1",
        "files not read": "1",
        "faces found": "4",
        "faces with the answer not sure": "1",
    }


def test_report_says_which_reading_it_shows(photos, tmp_path):
    pages = {}
    for reading in Reading:
        config = AnalyzerConfig(reading=reading)
        pages[reading] = write_page(photos, tmp_path, config=config, fresh=True)
    assert "What people who look at the faces would see" in pages[Reading.PEOPLE]
    assert "FER-2013" not in pages[Reading.PEOPLE]
    assert "The label that each face would have in the data set FER-2013" in pages[Reading.FER2013]
    _, _, unsure, *_ = Page(pages[Reading.FER2013]).tables
    assert unsure[0][2] == "Most likely"
    assert {row[2] for row in unsure[1:]} == {"fear 31 %"}


def test_page_loads_nothing_and_shows_no_photo(photos, tmp_path):
    page = Page(write_page(photos, tmp_path))
    assert page.links == []
    assert not {"img", "script", "iframe", "link"} & set(page.tags)


def test_thumbnails_show_the_faces_if_wanted(photos, tmp_path):
    page = Page(write_page(photos, tmp_path, thumbnails=True))
    assert page.links
    assert all(link.startswith("data:image/jpeg;base64,") for link in page.links)


def test_same_rows_give_the_same_page(photos, tmp_path):
    first = write_page(photos, tmp_path)
    assert write_page(photos, tmp_path, fresh=True) == first


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("<script>alert(1)<x>.png", "&lt;script&gt;alert(1)&lt;x&gt;.png"),
        ("red\x1b[31m.png", "red\\x1b[31m.png"),
        ("gn\u202epj.png", "gn\\u202epj.png"),
        ('"onload="x.png', "&#34;onload=&#34;x.png"),
    ],
)
def test_names_that_could_change_the_page_are_escaped(tmp_path, name, escaped):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / name).write_bytes(b"no picture")
    text = write_page(tmp_path / "photos", tmp_path)
    assert escaped in text
    assert name not in text


def test_long_lists_are_shortened_and_say_so(tmp_path):
    folder = fill_folder(tmp_path / "photos", 2)
    for number in range(70):
        (folder / f"bad{number}").write_bytes(b"nothing")
        (folder / f"sub{number}").mkdir()
        (folder / f"sub{number}" / "x.png").write_bytes(b"nothing")
    text = write_page(folder, tmp_path)
    assert "the first 60 of 140" in text
    # Of folders, all are listed.
    assert len(Page(text).tables[1]) == 1 + 1 + 1 + 70
