"""Structures as a parallel MD program holds them: centres, ghosts, rows of neighbours."""

from __future__ import annotations

import ctypes as ct
from dataclasses import dataclass

import numpy as np

from nnp.engines import _library as c
from nnp.engines.cpu_arrays import address
from nnp.neighbors import neighbor_list


@dataclass
class Domain:
    """Atoms with positions of their own, and the rows of the centres.

    ``home`` is the atom of the structure that each is an image of, -1 for foreign ones.
    """

    positions: np.ndarray
    species: np.ndarray
    home: np.ndarray
    centres: np.ndarray
    rows: list[np.ndarray]
    mask: int = -1

    def arrays(self):
        """nnp_domain, and what it points to."""
        positions = np.ascontiguousarray(self.positions, float)
        species, centres = (np.ascontiguousarray(a, np.int32) for a in (self.species, self.centres))
        rows = [np.ascontiguousarray(row, np.int32) for row in self.rows]
        counts = np.array([len(row) for row in rows], np.int32)
        rows_p = (ct.POINTER(ct.c_int32) * max(1, len(rows)))(*map(int32_p, rows))
        arrays = c.DomainArrays(
            len(positions),
            double_p(positions),
            int32_p(species),
            len(centres),
            int32_p(centres),
            int32_p(counts),
            ct.cast(rows_p, ct.POINTER(ct.POINTER(ct.c_int32))),
            self.mask,
        )
        return arrays, (positions, species, centres, rows, counts, rows_p)


def double_p(array):
    return array.ctypes.data_as(ct.POINTER(ct.c_double))


def int32_p(array):
    return array.ctypes.data_as(ct.POINTER(ct.c_int32))


def domain_of(potential, structure, reach, centres=None, rng=None):
    """The domain of some atoms of a structure, all by default.

    Args:
        reach: of the rows, Å; not below the cutoff.
        centres: atoms of the structure; the others become ghosts where they are seen.
        rng: shuffles the atoms' numbers; None: centres first.
    """
    n = len(structure)
    centres = np.arange(n) if centres is None else np.asarray(centres)
    found = neighbor_list(structure, reach)
    keys = {(int(i), 0, 0, 0): k for k, i in enumerate(centres)}
    rows = {int(i): [] for i in centres}
    for i, j, shift in zip(found.i, found.j, found.shifts, strict=True):
        if int(i) in rows:
            rows[int(i)].append(keys.setdefault((int(j), *map(int, shift)), len(keys)))
    home = np.array([key[0] for key in keys], int)
    shifts = np.array([key[1:] for key in keys], float).reshape(-1, 3)
    positions = structure.positions[home] + shifts @ structure.cell
    elements = potential.element_indices(structure)[home]
    new = np.arange(len(keys)) if rng is None else rng.permutation(len(keys))
    order = np.argsort(new)
    all_rows = [np.array(rows[int(i)], int) for i in centres]
    all_rows += [np.empty(0, int)] * (len(keys) - len(centres))
    return Domain(
        positions[order],
        elements[order],
        home[order],
        new[: len(centres)],
        [new[all_rows[k]] for k in order],
    )


ALL = ("energy", "energies", "forces", "virial", "virials", "neighbor_virials")
SHAPES = {
    "energy": lambda _: (1,),
    "energies": lambda n: (n,),
    "forces": lambda n: (n, 3),
    "virial": lambda _: (3, 3),
    "virials": lambda n: (n, 3, 3),
    "neighbor_virials": lambda n: (n, 3, 3),
}


def results_of(n, wanted=ALL, start=0.0, add=False):
    """nnp_results, and its arrays by name."""
    found = {name: np.full(SHAPES[name](n), start) for name in wanted}
    return c.Results(**{name: address(a) for name, a in found.items()}, add=add), found


def compute_domain(engine, domain, wanted=ALL, start=0.0, add=False):
    """The results of `nnp_engine_compute_domain` by name.

    Raises:
        NNPError: with the failure of nnp.h as its attribute ``failure``.
    """
    arrays, keep = domain.arrays()
    results, found = results_of(len(domain.positions), wanted, start, add)
    call(engine, "nnp_engine_compute_domain", arrays, results)
    del keep
    return found


def compute_structure(engine, structure, wanted=ALL):
    """The same of a whole structure, by `nnp_engine_compute`."""
    numbers = structure.atomic_numbers.astype(np.int32)
    arrays = c.StructureArrays(
        len(structure),
        address(structure.positions),
        address(numbers),
        address(structure.cell),
        (ct.c_int32 * 3)(*map(int, structure.pbc)),
    )
    results, found = results_of(len(structure), wanted)
    call(engine, "nnp_engine_compute", arrays, results)
    return found


def call(engine, function, arrays, results):
    failure = c.Failure()
    getattr(c.load_library(), function)(
        engine._handle, ct.byref(arrays), ct.byref(results), ct.byref(failure)
    )
    try:
        failure.raise_any()
    except Exception as error:
        error.failure = failure
        raise


def sent_home(domain, values, n):
    """Sums over the images of each atom of the structure."""
    total = np.zeros((n, *values.shape[1:]))
    ours = domain.home >= 0
    np.add.at(total, domain.home[ours], values[ours])
    return total
