"""Reference answers from beside the checkout: shared/vectors."""

import csv
import json
import os
import unittest

import numpy as np

FOLDER = os.path.normpath(os.path.join(os.path.dirname(__file__), "../../../../shared/vectors"))


def path(name):
    """The file of that name; without it the test fails in CI, and is skipped elsewhere."""
    file = os.path.join(FOLDER, name)
    if not os.path.exists(file):
        if os.environ.get("CI"):
            raise AssertionError(f"{file} is missing: lay shared/vectors beside the checkout")
        raise unittest.SkipTest(f"{file} is missing")
    return file


def read(name):
    """A file of JSON."""
    with open(path(name), encoding="utf-8") as file:
        return json.load(file)


def columns(name):
    """A table whose first line names its columns."""
    with open(path(name), encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    numbers = np.array([[float(cell) for cell in row] for row in rows[1:]])
    return {column: numbers[:, at] for at, column in enumerate(rows[0])}


def table(name, dtype=np.float64):
    """A table of numbers alone."""
    return np.loadtxt(path(name), delimiter=",", dtype=dtype, ndmin=2)


def array(name):
    """An array that NumPy saved."""
    return np.load(path(name))
