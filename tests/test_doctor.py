"""The doctor: what is looked at, and one fix for each thing that is wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from plastogen._base.machine import cores, in_bytes
from plastogen.cli import doctor
from plastogen.cli.doctor import empty_cache, examine


def test_a_machine_that_runs_these_tests_is_looked_at_in_full() -> None:
    found = {finding.what: finding for finding in examine()}
    assert {
        "Python",
        "Brian2 and numpy",
        "C++ compiler",
        "Network runs in",
        "Cache",
        "Cores",
    } <= set(found)
    assert found["Python"].well
    assert found["Brian2 and numpy"].well
    assert "brian2" in found["Brian2 and numpy"].seen


def test_no_compiler_is_a_finding_with_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "compiler", lambda: None)
    monkeypatch.setattr(doctor, "default_backend", lambda: "numpy")
    monkeypatch.setattr(doctor, "_pair", lambda: doctor.Finding("Brian2 and numpy", True, "well"))
    found = {finding.what: finding for finding in examine()}
    assert not found["C++ compiler"].well
    assert "g++" in found["C++ compiler"].fix or "xcode" in found["C++ compiler"].fix
    assert not found["Network runs in"].well
    assert "small circuit" in found["Network runs in"].seen


def test_a_compiler_that_cannot_compile_is_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "g++"
    broken.write_text("#!/bin/sh\necho 'fatal error: no headers' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(doctor, "compiler", lambda: str(broken))
    finding = doctor._compiler()
    assert not finding.well
    assert "no headers" in finding.seen


def test_a_pair_that_does_not_import_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*args: Any, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(args, 1, "", "AttributeError")

    monkeypatch.setattr(subprocess, "run", dies)
    finding = doctor._pair()
    assert not finding.well
    assert "brian2" in finding.seen
    assert finding.fix.startswith("pip install")


def test_a_cache_that_cannot_be_made_is_found_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path / "file" / "cache"))
    (finding,) = doctor._cache()
    assert not finding.well
    assert "PLASTOGEN_CACHE" in finding.fix


def test_the_cache_is_emptied_and_the_bytes_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLASTOGEN_CACHE", str(tmp_path))
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "main").write_bytes(b"x" * 3000)
    assert empty_cache() == (tmp_path, 3000)
    assert list(tmp_path.iterdir()) == []


def test_there_is_a_core() -> None:
    assert cores() >= 1


@pytest.mark.parametrize(
    ("n", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 kB"), (5 * 2**20, "5.0 MB"), (2**50, "1024.0 TB")],
)
def test_bytes_are_written_for_people(n: int, text: str) -> None:
    assert in_bytes(n) == text
