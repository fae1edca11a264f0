"""Potentials as ASE calculators; ASE's units are ours: Å and eV."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.io.trajectory import Trajectory

from nnp.committee import Committee, CommitteeEvaluation
from nnp.engines import Engine, engine_for, make_engine
from nnp.errors import OptionError
from nnp.evaluation import Evaluation, Extrapolations
from nnp.io import load
from nnp.potential import Potential
from nnp.structure import Structure, as_structure
from nnp.units import UnitSystem

_DEVIATIONS = ("energy_deviation", "forces_deviation", "stress_deviation")


class NNPCalculator(Calculator):
    """ASE calculator: energy, free energy, energies, forces and (three periodic axes) stress.

    Every evaluation gives forces; the stress is computed once it has been requested. A committee
    gives its mean, and in ``results`` (also by ``get_property``) ``energy_deviation`` (eV),
    ``forces_deviation`` (n, 3) and, with a stress, ``stress_deviation`` (6,): standard deviations
    over its members.

    Args:
        potential: a `Potential`, or the path of one, see `nnp.load`.
        engine: name of the engine, see `Potential.engine`.
        units: units of an n2p2 directory, see `nnp.load`.
        **engine_options: options of the engine.

    Raises:
        OptionError: an unknown engine, option or unit, or units for a `Potential`.
        FileFormatError: the path cannot be read.

    Examples:
        >>> from ase.build import bulk
        >>> silicon = bulk("Si")
        >>> silicon.calc = NNPCalculator("silicon.nnp")  # doctest: +SKIP
        >>> silicon.get_potential_energy()  # doctest: +SKIP
    """

    name = "nnp"
    implemented_properties = [  # noqa: RUF012  ASE declares it so
        "energy",
        "free_energy",
        "energies",
        "forces",
        "stress",
    ]
    ignored_changes = {"initial_charges", "initial_magmoms"}  # noqa: RUF012

    def __init__(
        self,
        potential: Potential | str | Path,
        engine: str = "cpu",
        units: str | tuple[str, str] | UnitSystem | None = None,
        **engine_options: Any,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if not isinstance(potential, Potential):
            potential = load(potential, units)
        elif units is not None:
            raise OptionError(f"units={units!r}: a Potential has its units already; leave it out")
        self.potential = potential
        if isinstance(potential, Committee):
            self.implemented_properties = [*self.implemented_properties, *_DEVIATIONS]
        self._engine_arguments = (engine, engine_options)
        self._engine: Engine | None = make_engine(potential, engine, **engine_options)
        self._with_stress = False
        self._structure: Structure | None = None  # of the last evaluation
        self._evaluation: Evaluation | None = None

    @classmethod
    def train(
        cls,
        images: str | Path | Iterable[str | Path | Atoms],
        engine: str | None = None,
        resume: bool = False,
        force: bool = False,
        quiet: bool = False,
        **settings: Any,
    ) -> NNPCalculator:
        """Fit a potential to labelled images: `nnp.train` in one call.

        Models, log and checkpoint are written to ``run["output"]``, by default the folder
        ``training``. For defaults see docs/training_settings.md.

        Args:
            images: one file of structures or several, or ``ase.Atoms`` with the energy, forces and
                stress that their calculators have computed.
            engine: of the returned calculator; None: ``cpu``, or ``reference`` if compiled engines
                lack the functions.
            resume: whether to continue from the checkpoint in the folder.
            force: whether to overwrite an earlier run in the folder.
            quiet: whether to hide progress bars.
            **settings: tables of a settings file: ``functions``, ``network``, ``run``, …, and
                ``committee``, which makes the calculator one of a committee.

        Returns:
            A calculator of the best model.

        Raises:
            OptionError: unknown settings, or values that are not allowed.
            FileFormatError: a file cannot be read.
            StructureError: no images, no labels, or unusable ones; names the image.
            OutputExistsError: the folder holds a run and neither ``resume`` nor ``force`` is set.
            UnavailableError: torch is missing.

        Examples:
            >>> argon = NNPCalculator.train(  # doctest: +SKIP
            ...     images="training.traj",
            ...     network={"hidden": [10, 10]},
            ...     run={"epochs": 20, "output": "argon"},
            ... )
        """
        with _as_files(images) as files:
            potential = _trained(files, settings, resume, force, quiet)
        return cls(potential, engine or engine_for(potential))

    @property
    def extrapolations(self) -> Extrapolations | None:
        """Functions outside their training range in the last evaluation; None before the first."""
        return None if self._evaluation is None else self._evaluation.extrapolations

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Fill ``results``; called by ASE.

        Raises:
            StructureError: the atoms cannot be evaluated, or a stress without three periodic axes.
            NumericalError: the energy or a force is not finite.
        """
        super().calculate(  # type: ignore[no-untyped-call]
            atoms, list(properties), list(system_changes)
        )
        current: Any = self.atoms
        last, self._structure = self._structure, None
        if last is not None and set(system_changes) <= {"positions"}:
            structure = last.moved(current.positions)
        else:
            structure = as_structure(current)
        asked = not {"stress", "stress_deviation"}.isdisjoint(properties)
        self._with_stress = self._with_stress or asked
        stress = asked or (self._with_stress and bool(structure.pbc.all()))
        self._evaluation = None
        self._evaluation = found = self._warm_engine().compute(structure, True, stress)
        self._structure = structure
        self.results = {
            "energy": found.energy,
            "free_energy": found.energy,
            "energies": found.energies,
            "forces": found.forces,
        }
        if found.stress is not None:
            self.results["stress"] = found.stress
        if isinstance(found, CommitteeEvaluation):
            deviations = {name: getattr(found, name) for name in _DEVIATIONS}
            self.results |= {name: d for name, d in deviations.items() if d is not None}

    def _warm_engine(self) -> Engine:
        if self._engine is None:
            name, options = self._engine_arguments
            self._engine = make_engine(self.potential, name, **options)
        return self._engine

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle without the engine, which holds threads and library handles."""
        return {**vars(self), "_engine": None}


@contextlib.contextmanager
def _as_files(images: str | Path | Iterable[str | Path | Atoms]) -> Iterator[list[str]]:
    """Names of files with all images; those in memory are written into one for the while."""
    given = [images] if isinstance(images, str | Path | Atoms) else list(images)
    kinds = {Atoms if isinstance(image, Atoms) else str for image in given}
    if not given or len(kinds) > 1 or not all(isinstance(i, str | Path | Atoms) for i in given):
        names = ", ".join(sorted({type(image).__name__ for image in given})) or "nothing"
        raise OptionError(
            f"images holds {names}: a file, several files, or ase.Atoms with labels are expected"
        )
    if kinds == {str}:
        yield [str(path) for path in given]
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "images.traj")
        with Trajectory(path, "w") as trajectory:  # type: ignore[no-untyped-call]
            for image in given:
                trajectory.write(image)
        yield [path]


def _trained(
    files: list[str], tables: dict[str, Any], resume: bool, force: bool, quiet: bool
) -> Potential:
    from nnp import train
    from nnp.train.config.tables import from_table

    data = tables.get("data", {})
    if isinstance(data, dict):
        if "train" in data:
            raise OptionError(
                f"data.train = {data['train']!r}: leave it out, the structures to train on are "
                "`images`"
            )
        data = {**data, "train": files}
    settings = from_table(train.TrainingSettings, {**tables, "data": data}, "")
    if settings.committee.members == 1:
        return train.train(settings, resume, force, quiet).potential
    results = train.train_committee(settings, None, resume, force, quiet)
    return Committee.of([result.potential for result in results])
