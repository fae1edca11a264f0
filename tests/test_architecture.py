"""Imports point one way; optional libraries are imported only in the files about them."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import nnp

ROOT = Path(nnp.__file__).parent

# A module may import from modules of its own layer and of those above it in this list.
LAYERS = [
    ["distribution", "errors", "finalize", "interrupt"],
    ["outside"],
    ["units", "elements", "processor", "memory", "values", "terminal"],
    ["structure", "cutoffs", "networks", "scaling", "limits"],
    ["evaluation", "registry", "neighbors", "functions", "baseline"],
    ["symmetry_functions", "terms"],
    ["potential"],
    ["mean_network"],
    ["committee", "reference"],
    ["engines"],
    ["io", "testing", "descriptor_ops"],
    ["ops", "torchscript", "teachers", "metrics", "data"],
    ["ase", "openmm", "train"],
    ["md", "bench", "mlpotential"],
    ["analysis", "rdf"],
    ["pictures"],
    ["cli", "__main__"],
]
# What the package itself re-exports, at the top.
FACADE = "__init__"

OPTIONAL = {
    "torch": {
        "functions",
        "reference",
        "engines/reference",
        "engines/reference_products",
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
        "baseline",
        "ase",
        "io/structures",
        "io/lammps",
        "train/data/sampling",
        "teachers",
        "md",
        "cli",
        "openmm",
        "analysis",
        "bench",
    },
    "MDAnalysis": {"analysis/trajectories"},
    "pymbar": {"analysis/equilibration"},
    "phonopy": {"analysis/eos"},
}


@cache
def modules():
    paths = sorted(ROOT.rglob("*.py"))
    return [(str(p.relative_to(ROOT).with_suffix("")), ast.parse(p.read_text())) for p in paths]


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# Folders of `nnp.train`, each of which imports from those before it only.
TRAIN = ["data", "inputs", "fit", "config"]
TRAIN_PARTS = tuple(f"nnp.train.{part}." for part in TRAIN)


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
            if layer_of(parts[1]) > layer_of(top):
                wrong.append(f"{name} imports {target}")
    assert wrong == []


def test_train_has_one_direction():
    graph = imports_between_files()
    rank = {name: TRAIN.index(name.split(".")[2]) for name in graph if name.startswith(TRAIN_PARTS)}
    wrong = [(a, b) for a in rank for b in graph[a] if rank.get(b, -1) > rank[a]]
    assert rank
    assert wrong == []


@cache
def imports_between_files():
    """{file: files it imports}, at the top or inside a function; a package is its __init__."""
    trees = {dotted(name): tree for name, tree in modules()}
    graph = {}
    for name, tree in trees.items():
        found = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                whole = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                found |= {w if w in trees else node.module for w in whole.values()}
            elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
                found |= {a.value for a in node.args if isinstance(a, ast.Constant)}
        graph[name] = (found & set(trees)) - {name}
    return graph


def dotted(name):
    """engines/gpu/__init__ → nnp.engines.gpu"""
    return f"nnp.{name}".replace("/", ".").removesuffix(f".{FACADE}")


def within(graph, package):
    """The same between what lies directly in a package: its files, and folders each as one."""
    start = f"{package}."
    parts = {}
    for name, targets in graph.items():
        if name.startswith(start):
            part = name.removeprefix(start).split(".")[0]
            found = {t.removeprefix(start).split(".")[0] for t in targets if t.startswith(start)}
            parts.setdefault(part, set()).update(found - {part})
    return parts


def circle(graph):
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return error.args[1]
    return []


def test_no_file_imports_itself_in_the_end():
    assert circle(imports_between_files()) == []


@pytest.mark.parametrize("package", [dotted(n) for n, _ in modules() if n.endswith(FACADE)])
def test_no_circle_within_a_folder(package):
    """Of its files, and of its folders each taken as one."""
    assert circle(within(imports_between_files(), package)) == []


def test_a_circle_is_found():
    graph = {"nnp.a.x": {"nnp.b"}, "nnp.b": {"nnp.a.y"}, "nnp.a.y": set()}
    assert circle(graph) == []
    assert circle(within(graph, "nnp")) != []
    assert circle({"nnp.a": {"nnp.b"}, "nnp.b": {"nnp.a"}}) != []


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
