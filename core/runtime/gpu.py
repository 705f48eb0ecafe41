"""Checking for a GPU, without torch if possible."""

from __future__ import annotations

import ctypes
import sys


def has_gpu() -> bool:
    """Return whether torch can use a CUDA GPU.

    Torch takes seconds to import, so it is used only if it is loaded already or NVIDIA's driver is
    installed, without which it finds no GPU.
    """
    if "torch" not in sys.modules and not _has_driver():
        return False
    import torch

    return bool(torch.cuda.is_available())


def _has_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
