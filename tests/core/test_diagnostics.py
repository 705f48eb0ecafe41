"""The diagnosis finds each problem and suggests a fix."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import NamedTuple

import pytest

from core.diagnostics import (
    Finding,
    Status,
    check_window_libraries,
    diagnose,
    prepare_networks,
)
from core.diagnostics.packages import check_packages
from core.diagnostics.system import check_camera, check_libraries, check_python
from core.diagnostics.trials import FORMATS, check_formats, check_trials, run_trials
from core.diagnostics.weights import check_weights


class Package(NamedTuple):
    """An installed distribution."""

    version: str
    requires: tuple[str, ...] = ()


@pytest.fixture
def lists(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(
        "# Faces\n"
        "mediapipe==0.10.21  # last release whose wheel carries the face mesh\n"
        "protobuf<5  # mediapipe 0.10.21 fails with protobuf 5\n"
        "opencv-python==4.11.0.86  # one version\n"
        "typer\n",
        encoding="utf-8",
    )
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(
        "mediapipe==0.10.21\nprotobuf==4.25.9\nopencv-python==4.11.0.86\ntyper==0.29.2\n",
        encoding="utf-8",
    )
    return requirements, constraints


def installed(**changes):
    packages = {
        "mediapipe": Package("0.10.21", ("protobuf<5,>=4.25.3", "jax; extra == 'gpu'")),
        "protobuf": Package("4.25.9"),
        "opencv-python": Package("4.11.0.86"),
        "typer": Package("0.29.2"),
    }
    for name, package in changes.items():
        packages[name.replace("_", "-")] = package
    return {name: package for name, package in packages.items() if package is not None}


def not_ok(findings):
    return [finding for finding in findings if finding.status is not Status.OK]


def test_window_libraries_are_checked_only_where_its_packages_are_installed():
    assert not list(check_window_libraries(installed=lambda: False, system="linux"))
    assert not list(check_window_libraries(installed=lambda: True, system="darwin"))
    has = {"libxcb-icccm.so.4": False, "libxcb-keysyms.so.1": False}
    (found,) = check_window_libraries(
        installed=lambda: True,
        loads=lambda soname: has.get(soname, True),
        system="linux",
        manager="apt-get",
    )
    assert (found.status, found.debian_packages) == (
        "warning",
        ("libxcb-icccm4", "libxcb-keysyms1"),
    )
    assert found.remedy.endswith("apt-get install -y libxcb-icccm4 libxcb-keysyms1")
    (fine,) = check_window_libraries(
        installed=lambda: True, loads=lambda _: True, system="linux", manager="dnf"
    )
    assert (fine.status, fine.remedy) == ("ok", "")


def test_all_packages_ok_gives_one_good_finding(lists):
    (finding,) = check_packages(*lists, installed())
    assert finding == Finding("packages", Status.OK, "4 direct requirements are met.")


def test_absent_package_is_a_problem_with_the_command_that_installs_it(lists):
    (finding,) = check_packages(*lists, installed(typer=None))
    assert finding == Finding("typer", Status.PROBLEM, "It is not installed.", "make install")


def test_protobuf_5_is_a_problem_with_its_reason(lists):
    problem, clash = check_packages(*lists, installed(protobuf=Package("5.29.1")))
    assert problem.name == "protobuf"
    assert problem.is_problem
    assert "5.29.1 is installed, needed is <5" in problem.detail
    assert "mediapipe 0.10.21 fails with protobuf 5" in problem.detail
    assert clash.status is Status.WARNING
    assert "mediapipe needs protobuf" in clash.detail


def test_several_opencv_versions_are_a_problem(lists):
    (finding,) = not_ok(
        check_packages(*lists, installed(opencv_python_headless=Package("4.12.0.88")))
    )
    assert finding.name == "OpenCV"
    assert finding.is_problem
    assert "opencv-python 4.11.0.86, opencv-python-headless 4.12.0.88" in finding.detail
    assert finding.remedy == "make clean install"


def test_untested_version_within_bounds_is_a_warning(lists):
    (finding,) = not_ok(check_packages(*lists, installed(typer=Package("0.30.0"))))
    assert finding.status is Status.WARNING
    assert "typer 0.30.0 (tested: 0.29.2)" in finding.detail


def test_another_build_of_the_tested_version_is_fine(lists):
    assert not not_ok(check_packages(*lists, installed(typer=Package("0.29.2+cpu"))))


def test_version_of_what_only_installs_does_not_matter(lists, tmp_path):
    requirements, constraints = lists
    listed = tmp_path / "constraints.txt"
    listed.write_text(f"{constraints.read_text(encoding='utf-8')}\nsetuptools==84.2.1\n", "utf-8")
    assert not not_ok(check_packages(requirements, listed, installed(setuptools=Package("65.5.0"))))


def test_missing_indirect_requirement_is_named(lists):
    broken = installed(typer=Package("0.29.2", ("click>=8",)))
    (finding,) = not_ok(check_packages(*lists, broken))
    assert "typer needs click, which is not installed" in finding.detail


def test_long_list_of_packages_is_shortened(lists):
    requirements, constraints = lists
    names = [f"package-{number}" for number in range(8)]
    constraints.write_text("".join(f"{name}==1\n" for name in names), encoding="utf-8")
    requirements.write_text("", encoding="utf-8")
    findings = check_packages(requirements, constraints, {name: Package("2") for name in names})
    assert not_ok(findings)[0].detail.endswith(" and 3 more.")


def test_missing_requirements_file_is_a_problem(tmp_path, lists):
    (finding,) = check_packages(tmp_path / "absent.txt", lists[1], installed())
    assert finding.is_problem
    assert finding.remedy == "git checkout -- absent.txt"


@pytest.mark.parametrize("version", [(3, 11), (3, 12)])
def test_supported_python_is_fine(version):
    assert check_python(version).status is Status.OK


@pytest.mark.parametrize("version", [(3, 10), (3, 13), (4, 0)])
def test_other_python_is_a_problem(version):
    finding = check_python(version)
    assert finding.is_problem
    assert finding.remedy


def libraries(*, missing=(), works=False, system="linux", manager="apt-get"):
    return list(
        check_libraries(
            opencv_works=works,
            loads=lambda soname: soname not in missing,
            system=system,
            manager=manager,
        )
    )


def test_all_libraries_present_gives_one_good_finding():
    (finding,) = libraries()
    assert finding.status is Status.OK


def test_missing_library_is_a_problem_with_the_debian_package_that_fixes_it():
    (finding,) = libraries(missing=["libGL.so.1"])
    assert finding.name == "libGL.so.1"
    assert finding.is_problem
    assert finding.debian_packages == ("libgl1",)
    assert finding.remedy.endswith("apt-get install -y libgl1")


def test_missing_library_that_opencv_does_not_use_is_a_warning():
    (finding,) = libraries(missing=["libGL.so.1"], works=True)
    assert finding.status is Status.WARNING


@pytest.mark.parametrize(
    ("manager", "remedy"),
    [("dnf", "dnf install -y glib2"), ("pacman", "pacman -S --needed glib2"), ("", "Install what")],
)
def test_other_systems_get_their_own_command(manager, remedy):
    (finding,) = libraries(missing=["libgthread-2.0.so.0"], manager=manager)
    assert remedy in finding.remedy
    assert finding.debian_packages == ()


def test_libraries_are_checked_on_linux_only():
    assert libraries(missing=["libGL.so.1"], system="darwin") == []


def test_failed_import_is_reported_with_the_last_line_of_its_error():
    trials = {"good": "pass", "bad": "raise RuntimeError('operator nms does not exist')"}
    failed = run_trials(trials)
    assert failed == {"bad": "RuntimeError: operator nms does not exist"}
    (finding,) = check_trials(failed, known=())
    assert finding.is_problem
    assert "operator nms does not exist" in finding.detail


def test_import_that_crashes_the_interpreter_is_reported():
    assert "status" in run_trials({"bad": "import os; os._exit(3)"})["bad"]


@pytest.mark.parametrize(
    ("name", "broken", "detail", "remedy"),
    [
        ("HEIC", "import sys; sys.modules['pillow_heif'] = None", "pillow_heif", "make install"),
        (
            "HEIC",
            "import pillow_heif; pillow_heif.libheif_info = lambda: {'decoders': {}}",
            "without a decoder",
            "make clean install",
        ),
        (
            "AVIF",
            "from PIL import features; features.check = lambda name: False",
            "without AVIF",
            "make clean install",
        ),
    ],
)
def test_photos_that_this_build_cannot_read_are_a_warning(name, broken, detail, remedy):
    failed = run_trials({name: f"{broken}\n{FORMATS[name]}"})
    (finding,) = check_formats(failed)
    assert finding.status is Status.WARNING
    assert finding.name == f"{name} photos"
    assert detail in finding.detail
    assert finding.remedy == remedy


def test_photos_of_phones_can_be_read_here():
    (finding,) = check_formats(run_trials(FORMATS))
    assert finding.status is Status.OK


def test_failed_import_is_not_reported_again_if_its_cause_is_known():
    failed = {"cv2": "ImportError: libGL.so.1: cannot open shared object file"}
    assert list(check_trials(failed, known=libraries(missing=["libGL.so.1"]))) == []


def test_warning_does_not_hide_a_failed_import():
    known = [Finding("packages", Status.WARNING, "")]
    failed = {"cv2": "ImportError: in site-packages/cv2"}
    assert [finding.name for finding in check_trials(failed, known)] == ["cv2"]


@pytest.fixture
def weights(tmp_path):
    content = b"weights"
    (tmp_path / "mobilenet_v2.safetensors").write_bytes(content)
    entry = {
        "file": "mobilenet_v2.safetensors",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    manifest = {"schema_version": 1, "models": {"mobilenet_v2": entry}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return tmp_path


def test_unchanged_weights_are_fine(weights):
    (finding,) = check_weights(weights, ("mobilenet_v2",))
    assert finding.status is Status.OK
    assert finding.name == "weights mobilenet_v2"


@pytest.mark.parametrize("content", [b"weighty", b"weight", b""])
def test_changed_weights_are_a_problem(weights, content):
    (weights / "mobilenet_v2.safetensors").write_bytes(content)
    (finding,) = check_weights(weights)
    assert finding.is_problem
    assert finding.remedy == "git checkout -- weights/mobilenet_v2.safetensors"


@pytest.mark.parametrize("kind", ["detectors", "checks", "published"])
def test_weights_that_are_no_emotion_network_are_checked_too(weights, kind):
    file = weights / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest[kind] = {"other": {**manifest["models"]["mobilenet_v2"], "file": "other.safetensors"}}
    file.write_text(json.dumps(manifest), encoding="utf-8")
    (weights / "other.safetensors").write_bytes(b"weights")
    assert [each.status for each in check_weights(weights)] == [Status.OK] * 2
    (weights / "other.safetensors").write_bytes(b"weighty")
    (_, finding) = check_weights(weights)
    assert finding.is_problem
    assert finding.name == "weights other"


def test_file_of_another_size_is_a_problem(weights):
    manifest = (weights / "manifest.json").read_text(encoding="utf-8")
    changed = manifest.replace('"bytes": 7', '"bytes": 8')
    (weights / "manifest.json").write_text(changed, encoding="utf-8")
    (finding,) = check_weights(weights)
    assert finding.is_problem


def test_absent_weights_are_a_problem(weights):
    (weights / "mobilenet_v2.safetensors").unlink()
    (finding,) = check_weights(weights)
    assert finding.is_problem
    assert "missing" in finding.detail


def test_untrained_network_is_a_warning_with_the_training_command(weights):
    _, finding = check_weights(weights, ("mobilenet_v2", "resnet50"))
    assert finding.status is Status.WARNING
    assert finding.remedy.startswith("emotion train --model resnet50 ")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"models": []}', '{"models": {"a": {}}}'])
def test_manifest_that_cannot_be_understood_is_a_problem(weights, text):
    (weights / "manifest.json").write_text(text, encoding="utf-8")
    (finding,) = check_weights(weights)
    assert finding.is_problem
    assert finding.remedy == "git checkout -- weights/"


def test_absent_manifest_is_a_problem(tmp_path):
    (finding,) = check_weights(tmp_path, ("mobilenet_v2",))
    assert finding.is_problem


def test_missing_camera_is_only_a_warning(tmp_path):
    assert check_camera(tmp_path, "linux").status is Status.WARNING
    (tmp_path / "video0").touch()
    assert check_camera(tmp_path, "linux").status is Status.OK
    assert check_camera(tmp_path / "absent", "darwin").status is Status.OK


def test_diagnosis_imports_only_the_standard_library():
    code = (
        "import sys; before = set(sys.modules); import core; core.diagnose;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names) - {'core'}))"
    )
    # -S leaves out site-packages, so that other packages cannot be found.
    shown = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


def test_networks_that_load_are_ok():
    assert prepare_networks("pass").status is Status.OK


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("raise SystemExit('Weights are missing.')", "Weights are missing."),
        ("import os; os.abort()", "ended with status"),
        ("raise ImportError('no torch')", "no torch"),
    ],
)
def test_networks_that_do_not_load_are_a_warning_with_the_reason(program, why):
    finding = prepare_networks(program)
    assert finding.status is Status.WARNING
    assert why in finding.detail


def test_preparing_networks_caches_their_compiled_copies(tmp_path, monkeypatch):
    monkeypatch.setenv("PHOTO_EMOTION_CACHE", str(tmp_path / "kept"))
    assert prepare_networks().status is Status.OK
    # The classifier; the check for covered faces; our detector for any size and three sizes; the
    # second of MTCNN's networks; the judge; the mesh's two.
    assert len(list((tmp_path / "kept").glob("*.blob"))) == 10


def test_this_installation_is_diagnosed(root):
    findings = diagnose(root)
    by_name = {finding.name: finding for finding in findings}
    assert by_name["Python"].status is Status.OK
    assert by_name["packages"].status is Status.OK
    assert by_name["imports"].status is Status.OK
