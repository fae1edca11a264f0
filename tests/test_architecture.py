"""Imports point one way; optional libraries are imported only in the files about them."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import nnp

ROOT = Path(nnp.__file__).parent

# A module may import from modules of its own layer and of those above it in this list.
LAYERS = [
    ["errors", "interrupt"],
    ["units", "elements", "values", "terminal"],
    ["structure", "cutoffs", "networks", "scaling", "evaluation", "limits"],
    ["neighbors", "symmetry_functions", "baseline"],
    ["potential"],
    ["mean_network"],
    ["reference"],
    ["engines"],
    ["committee"],
    ["io", "testing", "descriptor_ops"],
    ["ops", "torchscript", "teachers", "metrics", "data"],
    ["ase", "openmm", "rdf", "train"],
    ["md", "bench", "mlpotential"],
    ["pictures"],
    ["cli", "__main__"],
]
# What the package itself re-exports, at the top.
FACADE = "__init__"

# Allowed in spite of the layers: imported inside a function, when it is called.
LAZY = {("potential", "engines"), ("potential", "io")}

OPTIONAL = {
    "torch": {
        "reference",
        "engines/reference",
        "ops",
        "descriptor_ops",
        "torchscript",
        "openmm",
        "train",
    },
    "openmm": {"openmm", "md", "cli"},
    "openmmtorch": {"openmm"},
    "matplotlib": {"pictures"},
    "ase": {
        "ase",
        "io/structures",
        "io/lammps",
        "train/data/sampling",
        "teachers",
        "md",
        "cli",
        "openmm",
        "rdf",
        "bench",
    },
}


def modules():
    for path in sorted(ROOT.rglob("*.py")):
        yield str(path.relative_to(ROOT).with_suffix("")), ast.parse(path.read_text())


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# Folders of `nnp.train`, each of which imports from those before it only.
TRAIN = ["data", "inputs", "fit", "config"]


def layer_of(name):
    return next((i for i, names in enumerate(LAYERS) if name in names), None)


def test_every_module_has_a_layer():
    top = {name.split("/")[0] for name, _ in modules()} - {FACADE}
    assert {name for name in top if layer_of(name) is None} == set()


def test_imports_point_one_way():
    wrong = []
    for name, tree in modules():
        top = name.split("/")[0]
        if top == FACADE:
            continue
        for target in imported(tree):
            parts = target.split(".")
            if parts[0] != "nnp" or len(parts) < 2 or layer_of(parts[1]) is None:
                continue
            if layer_of(parts[1]) > layer_of(top) and (top, parts[1]) not in LAZY:
                wrong.append(f"{name} imports {target}")
    assert wrong == []


def test_train_has_no_circle_and_one_direction():
    names = {name for name, _ in modules() if name.startswith("train/")} - {"train/__init__"}
    graph = {}
    for name, tree in modules():
        found = {target.replace(".", "/").removeprefix("nnp/") for target in imported(tree)}
        graph[name] = (found | {f"{part}/__init__" for part in found}) & names - {name}
    tuple(TopologicalSorter({name: graph[name] for name in names}).static_order())  # or CycleError
    rank = {name: TRAIN.index(name.split("/")[1]) for name in names if name.count("/") > 1}
    wrong = [(a, b) for a in rank for b in graph[a] if rank[b] > rank[a]]
    assert wrong == []


@pytest.mark.parametrize("library", OPTIONAL)
def test_optional_libraries_are_imported_only_where_they_belong(library):
    allowed = OPTIONAL[library]
    wrong = [
        name
        for name, tree in modules()
        if any(target.split(".")[0] == library for target in imported(tree))
        and not any(name == place or name.startswith(f"{place}/") for place in allowed)
    ]
    assert wrong == []


@pytest.mark.parametrize("library", ["torch", "openmm", "matplotlib", "scipy"])
def test_import_is_light(library):
    """``import nnp`` loads none of the heavy libraries."""
    script = f"import nnp, sys; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
