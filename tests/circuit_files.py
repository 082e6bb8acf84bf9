"""Circuits for tests: those that ship, and their classes and numbers of a drive."""

from __future__ import annotations

from plastogen._base.library import Library
from plastogen.model.circuit import Circuit

SMALL = Library().load("circuits", "small", Circuit)
CLASSES, NUMBERS = SMALL.classes, SMALL.drive_numbers
