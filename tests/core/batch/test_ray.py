"""Ray Data gives the same rows; takes a minute, most of it to start Ray."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import ProjectError
from tests.core.batch.batch_parts import inline_pool, run
from tests.core.batch.faulty_analyzers import QuickAnalyzer, raise_error

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module", autouse=True)
def _ray():
    pytest.importorskip("ray", reason="needs Ray: pip install -r requirements-ray.txt")


def ray_pool(make_analyzer):
    from core.batch.ray_pool import RayPool

    return lambda setup, *_: RayPool(replace(setup, make_analyzer=make_analyzer), 2)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_ray_gives_the_rows_of_the_local_engine(photos, tmp_path, ending):
    run(photos, tmp_path / f"local.{ending}", pool=inline_pool(make_analyzer=QuickAnalyzer))
    summary = run(photos, tmp_path / f"ray.{ending}", pool=ray_pool(QuickAnalyzer))
    assert (tmp_path / f"ray.{ending}").read_bytes() == (tmp_path / f"local.{ending}").read_bytes()
    assert (summary.files, summary.failed) == (20, 4)
    again = run(photos, tmp_path / f"ray.{ending}", pool=ray_pool(QuickAnalyzer))
    assert again.already_done == 20


def test_ray_reads_from_an_address(photos, tmp_path):
    address = photos.resolve().as_uri()
    run(address, tmp_path / "local.csv", pool=inline_pool(make_analyzer=QuickAnalyzer))
    run(address, tmp_path / "ray.csv", pool=ray_pool(QuickAnalyzer))
    assert (tmp_path / "ray.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()
    assert len((tmp_path / "ray.csv").read_text().splitlines()) == 21


def test_error_at_a_worker_s_start_is_raised_unwrapped(photos, tmp_path):
    with pytest.raises(ProjectError, match="weights are absent"):
        run(photos, tmp_path / "table.csv", pool=ray_pool(raise_error))
