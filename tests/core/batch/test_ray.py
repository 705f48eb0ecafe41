"""The same rows from Ray Data; takes a minute, most of it Ray's own start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import ProjectError
from tests.core.batch.batch_parts import opener, run
from tests.core.batch.faulty_analyzers import QuickAnalyzer, refused

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module", autouse=True)
def _ray():
    pytest.importorskip("ray", reason="needs Ray: pip install -r requirements-ray.txt")


def ray_of(make):
    from core.batch.ray_pool import RayPool

    return lambda work, *_: RayPool(replace(work, make=make), 2)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_ray_gives_the_rows_of_the_local_engine(photos, tmp_path, ending):
    run(photos, tmp_path / f"local.{ending}", pool=opener(make=QuickAnalyzer))
    summary = run(photos, tmp_path / f"ray.{ending}", pool=ray_of(QuickAnalyzer))
    assert (tmp_path / f"ray.{ending}").read_bytes() == (tmp_path / f"local.{ending}").read_bytes()
    assert (summary.files, summary.failed) == (20, 4)
    again = run(photos, tmp_path / f"ray.{ending}", pool=ray_of(QuickAnalyzer))
    assert again.already_done == 20


def test_ray_reads_from_an_address(photos, tmp_path):
    address = photos.resolve().as_uri()
    run(address, tmp_path / "local.csv", pool=opener(make=QuickAnalyzer))
    run(address, tmp_path / "ray.csv", pool=ray_of(QuickAnalyzer))
    assert (tmp_path / "ray.csv").read_bytes() == (tmp_path / "local.csv").read_bytes()
    assert len((tmp_path / "ray.csv").read_text().splitlines()) == 21


def test_error_of_a_worker_s_start_is_the_error_it_was(photos, tmp_path):
    with pytest.raises(ProjectError, match="weights are absent"):
        run(photos, tmp_path / "table.csv", pool=ray_of(refused))
