"""Whatever CXX and the compiler say, or do not say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from plastogen.model.circuit import network, program


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    program.compiler_version.cache_clear()
    yield
    program.compiler_version.cache_clear()


def fake(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(script)
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("given", "called"),
    [("", "g++"), ("  ", "g++"), ("-O2", "g++"), ("ccache mine -m64", "mine"), ("mine", "mine")],
)
def test_the_compiler_is_the_word_that_is_no_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, called: str
) -> None:
    for name in ("g++", "mine", "ccache", "make"):
        fake(tmp_path, name, "#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", given)
    assert program.compiler() == str(tmp_path / called)


def test_an_empty_name_of_a_compiler_does_not_reach_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, "make", '#!/bin/sh\necho "called with $CXX"\nexit 2\n')
    (tmp_path / "makefile").write_text("")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CXX", " ")
    assert network.make(tmp_path) == (2, "called with g++\n")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\n", "quiet, which says no version"),
        ("#!/bin/sh\nprintf '\\377\\n'\n", "�"),
        ("\x7fELF nonsense", "quiet, which does not answer"),
    ],
)
def test_a_compiler_may_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    fake(tmp_path, "quiet", script)
    monkeypatch.setenv("CXX", str(tmp_path / "quiet"))
    assert program.compiler_version() == said
