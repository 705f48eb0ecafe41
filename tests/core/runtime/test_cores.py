"""The operating system chooses the processor cores that networks run on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Checked while it runs, because OpenVINO releases the cores between calls.
ASK = """
import os, threading
import numpy as np
from core.classifiers.network import network_of
from core.runtime.openvino_engine import openvino_runner
from core.weights import read_spec

network = network_of(read_spec("mobilenet_v2"))
runner = openvino_runner(network)
batch = np.zeros((16, *network.input_shape[1:]), np.float32)

def work():
    for _ in range(20):
        runner.run(batch)

working = threading.Thread(target=work)
working.start()
fewest = os.cpu_count()
while working.is_alive():
    for thread in os.listdir("/proc/self/task"):
        try:
            fewest = min(fewest, len(os.sched_getaffinity(int(thread))))
        except ProcessLookupError:
            pass
print(fewest)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_no_thread_is_pinned_to_a_core(root, threads):
    cores = len(os.sched_getaffinity(0))
    if cores < 2:
        pytest.skip("a single core")
    shown = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": threads},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(shown.stdout) == cores
