"""TorchScript modules in OpenMM's units, as TorchForce wants them.

    forward(positions_nm[, box_nm]) → energy_kj_mol, forces_kj_mol_nm

of shapes (n, 3), (3, 3) if periodic, () and (n, 3).

This module needs torch: import it where torch is needed.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nnp import ops
from nnp.engines import DEFAULT_ENGINE, create_engine
from nnp.errors import OptionError
from nnp.io.files import replacing
from nnp.openmm.species import Species, element_indices, read_species
from nnp.potential import Potential, require_potential
from nnp.torchscript import PortableModel
from nnp.units import KJ_PER_MOL, NANOMETRE


class EngineModule(nn.Module):
    """Calls an engine through ``nnp::energy_forces``; loads only after ``import nnp.ops``.

    Args:
        potential: what to evaluate.
        species: the atoms.
        engine: name of the engine.
        options: of the engine.
    """

    if TYPE_CHECKING:  # TorchScript cannot read the annotation
        no_cell: Tensor

    def __init__(
        self, potential: Potential, species: Species, engine: str, options: dict[str, Any]
    ) -> None:
        super().__init__()
        create_engine(potential, engine, **options)  # refuse now what this engine refuses
        model, self.key, self.options = ops.operands(potential, **options)
        self.engine = engine
        self.periodic = species.periodic
        self.in_angstrom: float = NANOMETRE
        self.in_kj_mol: float = 1 / KJ_PER_MOL
        self.register_buffer("model", model)
        self.register_buffer("numbers", torch.from_numpy(species.atomic_numbers.copy()))
        self.register_buffer("pbc", torch.full((3,), species.periodic))
        self.register_buffer("no_cell", torch.zeros(3, 3, dtype=torch.float64))

    def forward(self, positions_nm: Tensor, box_nm: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Energy, kJ/mol, and forces, kJ/mol/nm."""
        cell = self.no_cell
        if self.periodic:
            if box_nm is None:
                raise ValueError("this module was exported for a periodic system: pass the box")
            cell = box_nm * self.in_angstrom
        with torch.no_grad():
            energy, forces = torch.ops.nnp.energy_forces(
                positions_nm * self.in_angstrom,
                cell,
                self.pbc,
                self.numbers,
                self.model,
                self.key,
                self.engine,
                self.options,
            )
            return energy * self.in_kj_mol, forces * (self.in_kj_mol * self.in_angstrom)


class PortableModule(nn.Module):
    """The reference model of plain torch operators; loads wherever torch does.

    Args:
        potential: what to evaluate.
        species: the atoms.
    """

    if TYPE_CHECKING:  # TorchScript cannot read the annotation
        no_cell: Tensor

    def __init__(self, potential: Potential, species: Species) -> None:
        super().__init__()
        elements = torch.from_numpy(element_indices(potential, species))
        self.model = PortableModel(potential, elements)
        self.periodic = species.periodic
        self.in_angstrom: float = NANOMETRE
        self.in_kj_mol: float = 1 / KJ_PER_MOL
        self.register_buffer("no_cell", torch.zeros(3, 3, dtype=torch.float64))

    def forward(self, positions_nm: Tensor, box_nm: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Energy, kJ/mol, and forces, kJ/mol/nm."""
        cell = self.no_cell
        if self.periodic:
            if box_nm is None:
                raise ValueError("this module was exported for a periodic system: pass the box")
            cell = box_nm.to(cell.dtype) * self.in_angstrom
        positions = positions_nm.to(cell.dtype) * self.in_angstrom
        energy, forces = self.model(positions, cell, self.periodic)
        forces = forces * (self.in_kj_mol * self.in_angstrom)
        return energy * self.in_kj_mol, forces.to(positions_nm.dtype)


def scripted(module: nn.Module) -> torch.jit.ScriptModule:
    """The module in TorchScript, which is what TorchForce reads whatever torch says of its age."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(module.eval())


def export_torchscript(
    potential: Potential,
    species: Any,
    path: str | Path,
    portable: bool = False,
    periodic: bool | None = None,
    engine: str | None = None,
    force: bool = False,
    **options: Any,
) -> None:
    """Write a TorchScript file for ``openmmtorch.TorchForce(path)`` or ``torch.jit.load(path)``.

    It takes positions (and the box if periodic) in nm and returns energy and forces in kJ/mol and
    kJ/mol/nm: call ``setOutputsForces(True)`` and ``setUsesPeriodicBoundaryConditions``.

    Args:
        potential: what to evaluate.
        species: the atoms, see `create_force`.
        path: the file; the customary ending is ``.pt``.
        portable: whether plain torch operators compute (slow; the file needs only torch), or the
            engine does (the file needs ``import nnp.ops`` before it is loaded).
        periodic: see `create_force`.
        engine: name of the engine, ``cpu`` unless told; not for ``portable=True``.
        force: whether an existing file is overwritten.
        **options: of the engine.

    Raises:
        OptionError: an unknown engine or option, or one for ``portable=True``.
        StructureError: an element without a model, mixed pbc, no atoms.
        OutputExistsError: the file is there and ``force`` is False.
    """
    require_potential(potential)
    found = read_species(species, periodic)
    element_indices(potential, found)
    module: nn.Module
    if portable:
        if engine is not None or options:
            raise OptionError(
                f"portable=True runs no engine, so engine={engine!r} and options {sorted(options)} "
                "do not apply: leave them out"
            )
        module = PortableModule(potential, found)
    else:
        module = EngineModule(potential, found, engine or DEFAULT_ENGINE, options)
    with replacing(path, force) as scratch:
        scripted(module).save(str(scratch))
