"""The contract of engines as a check: what `nnp.engines.Engine` promises, on awkward structures.

Only the engine itself is asked, so that any engine can be checked where it runs; whether its
numbers are right is for `assert_engines_agree` and `assert_forces_match_energy`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnp.elements import SYMBOLS
from nnp.engines import Engine
from nnp.errors import NNPError, OptionError, StructureError
from nnp.evaluation import Evaluation
from nnp.structure import Structure
from nnp.testing.structures import structures
from nnp.testing.tolerances import DIFFERENCE_STEP, FORCE_RTOL_FLOAT32, FORCE_RTOL_FLOAT64

# Differences of functions in float64: four points, h⁴/30 of the fifth derivative against rounding.
_PRODUCT_RTOL = {"float64": 1e-6}
# Single precision loses three digits where functions nearly cancel, see tolerances.
_PRODUCT_RTOL_SINGLE = 1e-3


def check_engine(engine: Engine, without: Collection[str] = ()) -> None:
    """Test an engine against the contract, on structures of its potential's elements.

    It checks shapes, types and signs of the results; that only requested results are returned;
    that arguments are not modified; that repeated calls agree; forces and stress as derivatives of
    the energy; invariance under rotation, translation and renumbering; virials and products if the
    engine has them, and refusals otherwise; and kinds of errors.

    Args:
        engine: of any potential; made without options that suit one structure only.
        without: names of `nnp.testing.structures` to leave out, such as those where the functions
            of its potential have no derivative.

    Raises:
        AssertionError: the engine breaks the contract; names the structure.
    """
    _check_description(engine)
    for name, structure in structures(engine.potential.elements).items():
        if name in without:
            continue
        try:
            _check_results(engine, structure)
            _check_moves(engine, structure)
            _check_slopes(engine, structure)
            _check_products(engine, structure)
        except (AssertionError, NNPError) as error:
            raise AssertionError(f"engine {engine.name!r}, structure {name!r}: {error}") from error
    _check_errors(engine)


def _check_description(engine: Engine) -> None:
    _require(isinstance(engine, Engine), f"{type(engine).__name__} is not an nnp.engines.Engine")
    _require(bool(engine.name) and isinstance(engine.name, str), "an engine has a name")
    _require(isinstance(engine.target, str), "target is a text")
    _require(not engine.takes("positions"), "takes() takes a text for an array of a GPU")
    engine.prepare()
    dict(engine.statistics)


def _check_results(engine: Engine, structure: Structure) -> None:
    before = [array.copy() for array in _arrays(structure)]
    n, periodic = len(structure), bool(structure.pbc.all())
    found = engine.compute(structure, True, periodic)
    again = engine.compute(structure, True, periodic)
    plain = engine.compute(structure, False, False)
    _require(plain.forces is None and plain.stress is None, "forces or stress that nobody asked")
    _require(isinstance(found.energy, float), f"the energy is a {type(found.energy).__name__}")
    _expect("energies", found.energies, (n,))
    _expect("forces", found.forces, (n, 3))
    if periodic:
        _expect("stress", found.stress, (6,))
    scale = _rtol(engine) * max(1.0, float(np.abs(found.energies).max())) * n
    _close("sum of energies", found.energies.sum(), found.energy, scale)
    _close("net force", np.asarray(found.forces).sum(axis=0), 0, _force_atol(engine, found) * n)
    for name in ("energies", "forces"):
        same = np.array_equal(getattr(found, name), getattr(again, name))
        _require(same, f"{name} differ when asked twice")
    for got, kept in zip(_arrays(structure), before, strict=True):
        _require(np.array_equal(got, kept), "the structure was changed")
    _check_extrapolations(engine, structure, found)
    _check_virials(engine, structure, found)


def _check_extrapolations(engine: Engine, structure: Structure, found: Evaluation) -> None:
    outside = found.extrapolations
    order = np.lexsort((outside.functions, outside.atoms))
    _require(np.array_equal(order, np.arange(len(outside))), "extrapolations are not sorted")
    rows = engine.descriptors(structure)
    _require(len(rows) == len(structure), "descriptors: one array per atom")
    elements = engine.potential.element_indices(structure)
    for row, element in zip(rows, elements, strict=True):
        _expect("descriptors", row, (len(engine.potential.models[element].functions),))
    for k in range(len(outside)):
        atom, function = int(outside.atoms[k]), int(outside.functions[k])
        scaling = engine.potential.models[elements[atom]].scaling
        value, excess = rows[atom][function], outside.excess[k]
        edge = scaling.maximum[function] if excess > 0 else scaling.minimum[function]
        atol = _rtol(engine) * max(1.0, abs(value), abs(edge)) * 10
        _close(f"excess of function {function} of atom {atom}", value - edge, excess, atol)


def _check_virials(engine: Engine, structure: Structure, found: Evaluation) -> None:
    if not engine.capabilities.virials:
        _refuses(lambda: engine.compute(structure, virials=True), "virials")
        return
    virials = engine.compute(structure, True, False, virials=True).virials
    _expect("virials", virials, (len(structure), 3, 3))
    if found.stress is not None:
        total = np.asarray(virials).sum(axis=0)[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        atol = _force_atol(engine, found) * engine.potential.cutoff * len(structure)
        _close("sum of virials", total, found.stress * structure.volume, atol)


def _check_moves(engine: Engine, structure: Structure) -> None:
    """Turned, moved and renumbered atoms have the same energy; forces turn along."""
    found = engine.compute(structure)
    rng = np.random.default_rng(len(structure))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    order = rng.permutation(len(structure))
    moved = Structure(
        (structure.positions @ turn + rng.normal(size=3))[order],
        structure.atomic_numbers[order],
        structure.cell @ turn,
        structure.pbc,
    )
    other = engine.compute(moved)
    n = len(structure)
    atol = 10 * _rtol(engine) * max(1.0, float(np.abs(found.energies).max())) * n
    _close("energy of turned atoms", other.energy, found.energy, atol)
    forces = np.asarray(found.forces) @ turn
    _close("forces of turned atoms", other.forces, forces[order], 10 * _force_atol(engine, found))


def _check_slopes(engine: Engine, structure: Structure) -> None:
    """Forces are −dE/dr, and the stress dE/dε / V: one random direction each."""
    if engine.dtype != "float64":
        return  # single precision has too few digits for differences of energies
    rng = np.random.default_rng(7 * len(structure))
    periodic = bool(structure.pbc.all())
    found = engine.compute(structure, True, periodic)
    direction = rng.normal(size=structure.positions.shape)
    direction /= np.linalg.norm(direction)
    expected = -float(np.vdot(np.asarray(found.forces), direction))
    strain = np.zeros((3, 3))
    if found.stress is not None:
        strain = rng.normal(size=(3, 3)) / 20
        strain = strain + strain.T
        tensor = found.stress[[0, 5, 4, 5, 1, 3, 4, 3, 2]].reshape(3, 3)
        expected += structure.volume * float(np.vdot(tensor, strain))

    def energy(t: float) -> float:
        deformation = np.eye(3) + t * strain
        place = structure.positions @ deformation + t * direction
        cell = structure.cell @ deformation
        moved = Structure(place, structure.atomic_numbers, cell, structure.pbc)
        return engine.compute(moved, False).energy

    scale = max(1.0, abs(expected), float(np.abs(np.asarray(found.forces)).max()))
    _close("slope of the energy", _difference(energy), expected, 1e-6 * scale)


def _check_products(engine: Engine, structure: Structure) -> None:
    rng = np.random.default_rng(11 * len(structure))
    flat = np.concatenate(engine.descriptors(structure))
    weights, direction = rng.normal(size=len(flat)), rng.normal(size=structure.positions.shape)
    if not engine.capabilities.products:
        _refuses(lambda: engine.descriptor_vjp(structure, weights), "products")
        _refuses(lambda: engine.descriptor_jvp(structure, direction), "products")
        return
    pulled, no_strain = engine.descriptor_vjp(structure, weights)
    pushed = engine.descriptor_jvp(structure, direction)
    _expect("descriptor_vjp", pulled, (len(structure), 3))
    _require(no_strain is None, "descriptor_vjp returns a strain that nobody asked")
    _expect("descriptor_jvp", pushed, flat.shape)
    scale = max(1.0, float(np.abs(weights) @ np.abs(pushed)))
    rtol = _PRODUCT_RTOL.get(engine.dtype, _PRODUCT_RTOL_SINGLE)
    _close("w · J v", weights @ pushed, np.vdot(pulled, direction), rtol * scale)
    if engine.dtype == "float64":

        def values(t: float) -> float:
            place = structure.positions + t * direction
            moved = Structure(place, structure.atomic_numbers, structure.cell, structure.pbc)
            return float(weights @ np.concatenate(engine.descriptors(moved)))

        _close("slope of w · G", _difference(values), weights @ pushed, rtol * scale)


def _check_errors(engine: Engine) -> None:
    empty = Structure(np.empty((0, 3)), np.empty(0, np.int64), np.zeros((3, 3)), np.zeros(3, bool))
    known = {SYMBOLS.index(symbol) + 1 for symbol in engine.potential.elements}
    stranger = next(z for z in range(1, len(SYMBOLS) + 1) if z not in known)
    lone = Structure(np.zeros((1, 3)), np.array([stranger]), np.zeros((3, 3)), np.zeros(3, bool))
    mine = Structure(np.zeros((1, 3)), np.array([min(known)]), np.zeros((3, 3)), np.zeros(3, bool))
    cases: dict[str, Callable[[], object]] = {
        "no atoms": lambda: engine.compute(empty),
        "an unknown element": lambda: engine.compute(lone),
        "a stress without a volume": lambda: engine.compute(mine, True, True),
        "descriptors of an unknown element": lambda: engine.descriptors(lone),
    }
    for what, call in cases.items():
        try:
            call()
        except StructureError:
            continue
        raise AssertionError(f"engine {engine.name!r} takes {what}: it must raise StructureError")
    if not engine.capabilities.arrays:
        positions, numbers, cell, pbc = _arrays(mine)
        _refuses(lambda: engine.compute_arrays(positions, numbers, cell, pbc), "arrays")


def _refuses(call: Callable[[], object], what: str) -> None:
    try:
        call()
    except OptionError:
        return
    raise AssertionError(f"capabilities.{what} is False, but the engine does not refuse it")


def _arrays(structure: Structure) -> list[NDArray[Any]]:
    return [structure.positions, structure.atomic_numbers, structure.cell, structure.pbc]


def _difference(function: Callable[[float], float]) -> float:
    h = DIFFERENCE_STEP
    near, far = function(h) - function(-h), function(2 * h) - function(-2 * h)
    return (8 * near - far) / (12 * h)


def _rtol(engine: Engine) -> float:
    return 1e-12 if engine.dtype == "float64" else 1e-6


def _force_atol(engine: Engine, found: Evaluation) -> float:
    rtol = FORCE_RTOL_FLOAT64 if engine.dtype == "float64" else FORCE_RTOL_FLOAT32
    return rtol * max(1.0, float(np.abs(np.asarray(found.forces)).max()))


def _expect(name: str, array: object, shape: tuple[int, ...]) -> None:
    if not (isinstance(array, np.ndarray) and array.dtype == np.float64 and array.shape == shape):
        got = getattr(array, "shape", type(array).__name__)
        raise AssertionError(f"{name}: a float64 array {shape} is expected, got {got}")


def _close(name: str, got: object, wanted: object, atol: float) -> None:
    np.testing.assert_allclose(np.asarray(got), np.asarray(wanted), rtol=0, atol=atol, err_msg=name)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)
