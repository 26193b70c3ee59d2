"""Importing this makes the end-to-end tests' modules (model, log, stack, compare, ...) importable here."""
import pathlib
import sys

# poison records are nested a thousand deep, and the model reads them too
sys.setrecursionlimit(20_000)

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "EndToEndTests"
if str(FOLDER) not in sys.path:
    sys.path.insert(1, str(FOLDER))
