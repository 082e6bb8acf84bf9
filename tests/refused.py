"""An experiment with one thing written otherwise, which `check` has to refuse in certain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plastogen.errors import InputError
from plastogen.experiment import open_experiment
from plastogen.experiment.validate import check


def assert_refused(mine: Path, text: str, old: str, new: str, message: str, **options: Any) -> None:
    """Where `new` stands in place of `old` in an experiment's `text`, kept at `mine`; `options` of
    opening it.
    """
    assert old in text
    mine.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=message):
        check(open_experiment(mine, **options))
