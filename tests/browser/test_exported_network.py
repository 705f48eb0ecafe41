"""The page in docs/export.md reads a face in the browser, with an exported network."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import expect

from core import ExportFormat, export_models
from core.portable.parity import make_faces
from tests.browser.pages import open_tab

pytestmark = [pytest.mark.slow, pytest.mark.browser]
RUNTIME = "onnxruntime-web@1.30.0"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page_address(root, tmp_path):
    """Serve the page with a network and the runtime, which npm installs."""
    pytest.importorskip("onnxruntime", reason="needs requirements-onnx.txt")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm to install onnxruntime-web")
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", RUNTIME]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    if result.returncode:
        pytest.skip(f"npm could not install {RUNTIME}: is there a network?")
    (tmp_path / "dist").symlink_to(tmp_path / "node_modules" / "onnxruntime-web" / "dist")
    export_models(["mobilenet_v2"], ExportFormat.ONNX, tmp_path / "exported", faces=make_faces(1))
    text = (root / "docs" / "export.md").read_text(encoding="utf-8")
    (page,) = re.findall(r"```html\n(.*?)```", text, flags=re.DOTALL)
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    handler = functools.partial(_Quiet, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_browser_reads_an_aligned_face(page_address, window, root):
    from core import Analyzer, read_image

    photo = root / "docs" / "images" / "astronaut.jpg"
    (face,) = Analyzer.from_config().analyze(read_image(photo)).faces
    crop = BytesIO()
    Image.fromarray(face.crop.pixels).save(crop, "PNG")
    page = open_tab(window)
    page.goto(page_address)
    field = page.locator("input[type=file]")
    field.set_input_files([{"name": "a.png", "mimeType": "image/png", "buffer": crop.getvalue()}])
    shown = f"happy, {face.emotions[face.emotions.top]:.3f}"
    expect(page.get_by_role("status")).to_have_text(shown)
    field.set_input_files([{"name": "b.png", "mimeType": "image/png", "buffer": b"no picture"}])
    expect(page.get_by_role("status")).to_have_text("This file could not be read.")
