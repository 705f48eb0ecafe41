"""The choices that commands offer are there before anything heavy is."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_options_loads_nothing_heavy(root):
    heavy = {"torch", "numpy", "cv2", "lightning", "albumentations", "sklearn", "matplotlib"}
    code = (
        "import sys; from training.data.splits import Split; "
        "from training.learning.precision import Precision;"
        f"sys.exit(','.join({heavy!r} & set(sys.modules)) or None)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert (shown.returncode, shown.stderr) == (0, "")
