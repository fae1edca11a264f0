"""Energy over volume, elastic constants and phonons of one crystal, as an `Analysis`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnp.analysis.eos.crystal import at_rest, require_crystal
from nnp.analysis.eos.elastic import ElasticConstants, elastic_constants, require_strain
from nnp.analysis.eos.energy_volume import (
    EnergyVolume,
    energy_volume,
    require_points,
    require_span,
)
from nnp.analysis.eos.phonons import IMAGINARY, Phonons, phonons, require_supercell
from nnp.analysis.results import Analysis, Curve, Quantity
from nnp.errors import OptionError, UnavailableError
from nnp.md.relaxation import with_results

_ROOM = 300.0  # K
_POINTS_OF_A_CURVE = 101
_DIGITS_OF_THZ = 4  # acoustic modes at Γ are zero to these
_VOIGT = ("xx", "yy", "zz", "yz", "xz", "xy")


@dataclass(frozen=True)
class EosSettings:
    """What is computed, and how.

    Attributes:
        relax: whether the cell comes to rest first; without it, strains start from the given one.
        span: largest relative change of the volume.
        points: how many volumes.
        elastic: whether elastic constants are wanted.
        strain: of the strained cells.
        with_phonons: whether phonons are wanted; where phonopy is missing, a note says so.
        supercell: for phonons; None: edges of at least 10 Å.

    Raises:
        OptionError: values that are not allowed, all of them in one message.
    """

    relax: bool = True
    span: float = 0.06
    points: int = 9
    elastic: bool = True
    strain: float = 1e-3
    with_phonons: bool = True
    supercell: Sequence[int] | None = None

    def __post_init__(self) -> None:
        wrong = [*_refused(require_span, self.span), *_refused(require_points, self.points)]
        if self.elastic:
            wrong += _refused(require_strain, self.strain)
        if self.supercell is not None:
            wrong += _refused(require_supercell, self.supercell)
            if not self.with_phonons:
                wrong.append(
                    f"supercell={list(self.supercell)} belongs to phonons, which are left out"
                )
        if wrong:
            raise OptionError("; ".join(wrong))


def _refused(check: Callable[[Any], Any], value: Any) -> list[str]:
    try:
        check(value)
    except OptionError as error:
        return [str(error)]
    return []


def equation_of_state(
    model: Any,
    atoms: Any,
    settings: EosSettings | None = None,
    name: str = "potential",
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Analysis, Any]:
    """All of it.

    Args:
        model: an ASE calculator with stresses.
        atoms: the crystal; it stays as it is.
        settings: see there.
        name: what pictures call it.
        say: told what is done next.

    Returns:
        What was found, and the crystal at rest, with its results and without the model: others
        were evaluated behind it.

    Raises:
        NNPError: no crystal, or one whose relaxation does not converge.
    """
    settings = settings or EosSettings()
    require_crystal(atoms)
    say("relaxing positions and cell" if settings.relax else "relaxing positions")
    crystal = at_rest(model, atoms, settings.relax)
    found = Analysis(name)
    found.about = {"atoms": len(crystal), "formula": str(crystal.symbols)}
    found.quantities += _lattice(crystal)
    say(f"energies of {settings.points} volumes")
    _add_curve(found, energy_volume(model, crystal, settings.span, settings.points))
    if settings.elastic:
        say("stresses of 12 strains")
        _add_elastic(found, elastic_constants(model, crystal, settings.strain))
    if settings.with_phonons:
        say("forces of displaced atoms")
        try:
            _add_phonons(found, phonons(model, crystal, settings.supercell))
        except UnavailableError as error:
            found.notes.append(str(error))
    return found, with_results(crystal, stress=True)


def _lattice(crystal: Any) -> list[Quantity]:
    lengths, angles = crystal.cell.lengths(), crystal.cell.angles()
    found = [
        Quantity(f"cell {axis}", float(x), np.nan, "Å")
        for axis, x in zip("abc", lengths, strict=True)
    ]
    names = ("alpha", "beta", "gamma")
    return found + [
        Quantity(f"cell {axis}", float(x), np.nan, "°")
        for axis, x in zip(names, angles, strict=True)
    ]


def _add_curve(found: Analysis, one: EnergyVolume) -> None:
    how = "Birch-Murnaghan"
    found.quantities += [
        Quantity("volume", one.volume, np.nan, "Å³/atom", how),
        Quantity("energy", one.energy, np.nan, "eV/atom", how),
        Quantity("bulk modulus", one.bulk_modulus, np.nan, "GPa", how),
        Quantity("dB/dP", one.derivative, np.nan, "", how),
        Quantity("residual of the curve", 1000 * one.residual, np.nan, "meV/atom", how),
    ]
    energies = {"energy_eV_per_atom": one.energies}
    found.curves["energy_volume"] = Curve("volume_A3_per_atom", one.volumes, energies)
    between = np.linspace(one.volumes[0], one.volumes[-1], _POINTS_OF_A_CURVE)
    energies = {"energy_eV_per_atom": one.curve(between)}
    found.curves["birch_murnaghan"] = Curve("volume_A3_per_atom", between, energies)


def _add_elastic(found: Analysis, one: ElasticConstants) -> None:
    constants = {f"C{i + 1}{j + 1}": one.constants[i, j] for i in range(6) for j in range(i, 6)}
    if one.cubic is not None:
        constants = dict(zip(("C11", "C12", "C44"), one.cubic, strict=True))
    how = "strains, ions at rest"
    found.quantities += [Quantity(n, float(c), np.nan, "GPa", how) for n, c in constants.items()]
    found.quantities += [
        Quantity("bulk modulus (elastic)", one.bulk_modulus, np.nan, "GPa", "Hill"),
        Quantity("shear modulus", one.shear_modulus, np.nan, "GPa", "Hill"),
        Quantity("Young's modulus", one.young_modulus, np.nan, "GPa", "polycrystal"),
        Quantity("Poisson's ratio", one.poisson_ratio, np.nan, "", "polycrystal"),
    ]
    found.curves["elastic"] = Curve(
        "voigt",
        np.arange(1.0, 7.0),
        {f"C_{name}_GPa": one.constants[:, j] for j, name in enumerate(_VOIGT)},
    )
    if not one.stable:
        found.notes.append(
            "unstable: some strain lowers the energy (an eigenvalue of C is not positive): the "
            "structure is not a minimum of this potential"
        )
    if one.asymmetry > 0.02 * np.abs(one.constants).max():
        found.notes.append(
            f"C_ij and C_ji differ by up to {one.asymmetry:.3g} GPa: take another --strain"
        )


def _add_phonons(found: Analysis, one: Phonons) -> None:
    found.about["supercell of phonons"] = list(one.supercell)
    found.about["special points"] = dict(
        zip((f"{k} {n}" for k, n in enumerate(one.labels)), one.label_places.tolist(), strict=True)
    )
    for name in ("G", "X"):
        if name in one.special:
            found.quantities.append(
                Quantity(f"highest phonon at {name}", float(one.special[name][-1]), np.nan, "THz")
            )
    lowest = round(one.lowest, _DIGITS_OF_THZ) + 0.0  # without rounding's sign
    warm = float(np.interp(_ROOM, one.temperatures, one.heat_capacity))
    found.quantities += [
        Quantity("lowest phonon", lowest, np.nan, "THz", "imaginary ones negative"),
        Quantity("zero-point energy", 1000 * float(one.free_energy[0]), np.nan, "meV/atom"),
        Quantity("heat capacity C_V at 300 K", warm, np.nan, "J/(mol K)", "harmonic, of atoms"),
    ]
    modes = {f"mode_{k + 1}_THz": one.bands[:, k] for k in range(one.bands.shape[1])}
    found.curves["phonon_bands"] = Curve("path_1_per_A", one.places, modes)
    found.curves["phonon_density"] = Curve(
        "frequency_THz", one.frequencies, {"states_per_THz_atom": one.density}
    )
    found.curves["phonon_thermodynamics"] = Curve(
        "temperature_K",
        one.temperatures,
        {"C_V_J_per_mol_K": one.heat_capacity, "free_energy_eV_per_atom": one.free_energy},
    )
    if one.lowest < IMAGINARY:
        found.notes.append(
            f"imaginary phonons down to {one.lowest:.2f} THz: the structure is not a minimum of "
            "this potential, or the supercell is too small for its forces (--supercell)"
        )
