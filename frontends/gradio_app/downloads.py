"""Files that a visitor of the demo can save; the server deletes them within ten minutes."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

from core import FailedFile, ImageAnalysis, RgbImage, blur_faces, to_csv
from frontends.wording import safe_stem

BLURRED_HELP = "Faces without a frame are not blurred. Check the picture before you share it."


def build_buttons() -> list[gr.DownloadButton]:
    """Build the buttons whose files :func:`save_files` writes, hidden while there are none."""
    return [
        gr.DownloadButton(title, visible=False, size="sm")
        for title in ("Faces blurred (JPEG)", "Table (CSV)")
    ]


def save_files(image: RgbImage, analysis: ImageAnalysis) -> list[str | None]:
    """Write the blurred picture, if there is a face, and the table."""
    stem = safe_stem(analysis.name)
    picture = BytesIO()
    if analysis.faces:
        blurred = Image.fromarray(blur_faces(image, analysis).pixels)
        blurred.save(picture, format="JPEG", quality=92)
    return [
        save_bytes(picture.getvalue(), f"{stem}.blurred.jpg") if analysis.faces else None,
        save_table([analysis], f"{stem}.emotions.csv"),
    ]


def save_table(results: Sequence[ImageAnalysis | FailedFile], name: str) -> str:
    """Write the rows of all ``results`` and return the file's path."""
    return save_bytes(to_csv(results).encode(), name)


def save_bytes(data: bytes, name: str) -> str:
    """Write a file that the page may offer, and return its path."""
    return save_bytes_to_cache(data, name, cache_dir=get_upload_folder())
