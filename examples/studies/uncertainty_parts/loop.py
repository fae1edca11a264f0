"""Train a committee, heat it until it is lost, label what it was least sure of, train again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.md.langevin import Langevin

import nnp
from nnp.ase import NNPCalculator
from nnp.io.structures import write_structures
from nnp.teachers.ase import StillingerWeber
from nnp.train import Dataset, TrainingSettings, evaluate, train_committee
from nnp.train.data.sampling import SampleSettings, sample
from nnp.train.data.select import Candidate, choose
from nnp.train.data.sets import DataSettings
from nnp.train.fit.initial import NetworkSettings
from nnp.train.fit.optimizers import OptimizerSettings
from nnp.train.fit.optimizers.kalman import KalmanSettings
from nnp.train.fit.settings import RunSettings
from nnp.train.inputs.functions import (
    AngularSettings,
    FunctionSettings,
    GeneratedFunctions,
    RadialSettings,
)

START_K = 300.0
FIRST_LABELS = 6  # frames of the crystal at `START_K`, which is all that is known at first


@dataclass(frozen=True)
class Plan:
    """How far and how often.

    Attributes:
        end: temperature at the end of heating, K.
        steps: of a heating run, 2 fs each.
        check: steps between looks at the committee.
        members: of a committee.
        updates: Kalman updates per fit, however much data there is.
        labels: per round.
        rounds: at most.
        seeds: repetitions of everything.
        lost: eV/Å; where members differ by more a run has left physics and is stopped.
        most: eV/Å; frames where they differ by more are not labelled: they would spoil the fit.
        quiet_disagreement: eV/Å; largest disagreement of a run that counts as quiet.
        quiet_flags: largest share of flagged atoms over a run that counts as quiet.
    """

    end: float = 1000.0
    steps: int = 1000
    check: int = 10
    members: int = 3
    updates: int = 160
    labels: int = 5
    rounds: int = 10
    seeds: int = 5
    lost: float = 1.0
    most: float = 3.0
    quiet_disagreement: float = 0.5
    quiet_flags: float = 0.01

    def temperature(self, step: int) -> float:
        """The thermostat's, K."""
        return START_K + (self.end - START_K) * step / self.steps


def crystal() -> Atoms:
    """Where every run starts: 32 atoms, 7.7 × 7.7 × 10.9 Å."""
    return bulk("Si", a=5.431, orthorhombic=True).repeat(2)


@dataclass(eq=False)
class Heating:
    """What was seen along a heating run; one entry per look.

    Attributes:
        temperature: K, of the thermostat.
        flagged: share of atoms with a function outside its training range, of any member.
        disagreement: largest force deviation over atoms, eV/Å.
        error: largest error of the mean's force over atoms, eV/Å.
        frames: with the teacher's labels.
        reached: share of the run that was made before the committee was lost.
    """

    temperature: list[float] = field(default_factory=list)
    flagged: list[float] = field(default_factory=list)
    disagreement: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    frames: list[Atoms] = field(default_factory=list)
    reached: float = 0.0

    def quiet(self, plan: Plan) -> bool:
        """Whether there is nothing left to label."""
        return (
            self.reached == 1.0
            and max(self.disagreement) <= plan.quiet_disagreement
            and float(np.mean(self.flagged)) <= plan.quiet_flags
        )

    def candidates(self, plan: Plan) -> list[Candidate]:
        """Frames worth a label, the most uncertain first."""
        found = [
            Candidate(i, d, 0.0, f)
            for i, (d, f) in enumerate(zip(self.disagreement, self.flagged, strict=True))
            if d <= plan.most
        ]
        return sorted(found, key=lambda c: -c.force_deviation)


def labelled(atoms: Atoms) -> Atoms:
    """A copy with the teacher's energy and forces."""
    copy = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    copy.calc = StillingerWeber()
    energy, forces = copy.get_potential_energy(), copy.get_forces()
    copy.calc = SinglePointCalculator(copy, energy=energy, forces=forces)
    return copy


def first_labels(seed: int) -> list[Atoms]:
    """Dynamics of the teacher at the lowest temperature."""
    settings = SampleSettings((START_K,), snapshots=FIRST_LABELS, interval=30, seed=seed)
    return sample([crystal()], StillingerWeber, settings)


def train_on(frames: Sequence[Atoms], plan: Plan, seed: int, folder: Path) -> nnp.Committee:
    """A committee, by about the same number of updates whatever the number of frames."""
    folder.mkdir(parents=True, exist_ok=True)
    write_structures(frames, folder / "train.extxyz", force=True)
    functions = GeneratedFunctions(
        4.2,
        radial=(RadialSettings(count=6, r_first=1.6),),
        angular=(AngularSettings(widths=(4.0, 2.0), zetas=(1.0, 2.0, 4.0)),),
    )
    epochs = max(4, round(plan.updates / len(frames)))
    settings = TrainingSettings(
        DataSettings((str(folder / "train.extxyz"),)),
        FunctionSettings(generate=functions),
        network=NetworkSettings((10, 10)),
        optimizer=OptimizerSettings("kalman", kalman=KalmanSettings(candidates=32)),
        run=RunSettings(
            epochs=epochs,
            seed=100 * seed,
            output=str(folder / "fit"),
            evaluate_every=epochs,
            checkpoint_every=epochs,
        ),
    )
    train_committee(settings, plan.members, force=True, quiet=True)
    return nnp.load(folder / "fit")


def heat(committee: nnp.Committee, plan: Plan, seed: int, stop: bool = True) -> Heating:
    """Langevin dynamics of the committee's mean under a rising temperature.

    Args:
        committee: what moves the atoms, and is watched.
        plan: of the run.
        seed: of velocities and noise.
        stop: whether the run ends where the committee is lost.
    """
    rng = np.random.default_rng(seed)
    atoms = crystal()
    atoms.calc = NNPCalculator(committee.mean(), "cpu", threads=1)
    # Twice the kinetic energy: half of it goes into the crystal, which starts at rest
    width = np.sqrt(2 * atoms.get_masses() * units.kB * START_K)
    atoms.set_momenta(width[:, None] * rng.normal(size=(len(atoms), 3)))
    dynamics = Langevin(
        atoms,
        2 * units.fs,
        temperature_K=START_K,
        friction=0.01 / units.fs,
        fixcm=False,
        rng=rng,
    )
    seen = Heating()
    for step in range(plan.check, plan.steps + 1, plan.check):
        dynamics.set_temperature(temperature_K=plan.temperature(step))
        dynamics.run(plan.check)
        _look(seen, committee, atoms, plan.temperature(step))
        if stop and seen.disagreement[-1] > plan.lost:
            break
        seen.reached = step / plan.steps
    return seen


def _look(seen: Heating, committee: nnp.Committee, atoms: Atoms, temperature: float) -> None:
    found, truth = committee.evaluate(atoms, "cpu", threads=1), labelled(atoms)
    error = found.forces - truth.get_forces()
    seen.temperature.append(temperature)
    seen.flagged.append(found.extrapolations.n_atoms / len(atoms))
    seen.disagreement.append(_longest(found.forces_deviation))
    seen.error.append(_longest(error))
    seen.frames.append(truth)


def _longest(vectors: np.ndarray) -> float:
    return float(np.linalg.norm(vectors, axis=1).max())


def heated_teacher(plan: Plan, seed: int, count: int) -> Dataset:
    """The test set: dynamics of the teacher at ``count`` temperatures of the heating run."""
    temperatures = np.linspace(START_K, plan.end, count)
    settings = SampleSettings(
        tuple(map(float, temperatures)), snapshots=1, interval=1, timestep_fs=2.0, seed=seed
    )
    return Dataset.from_atoms(sample([crystal()], StillingerWeber, settings))


@dataclass(frozen=True)
class Round:
    """One turn of the loop.

    Attributes:
        labels: known before training.
        error: force RMSE of the mean over the test set, eV/Å.
        reached, disagreement, flagged: of the heating run: share made, largest, mean.
        quiet: whether the loop may end.
        seconds: CPU time of training and heating.
    """

    labels: int
    error: float
    reached: float
    disagreement: float
    flagged: float
    quiet: bool
    seconds: float


def refine(
    plan: Plan, selection: str, seed: int, test: Dataset, folder: Path
) -> tuple[list[Round], nnp.Committee]:
    """Rounds until the heating run is quiet, and the last committee.

    Args:
        plan: of everything.
        selection: ``"disagreement"`` or ``"random"``; both choose among the same kind of frames.
        seed: of data, weights and dynamics.
        test: what the error is taken over; has no influence.
        folder: scratch.
    """
    known, rounds = first_labels(seed), []
    for number in range(plan.rounds):
        start = time.process_time()
        committee = train_on(known, plan, seed, folder)
        run = heat(committee, plan, seed=1000 * seed + number)
        seconds = time.process_time() - start
        error = evaluate(committee.mean(), test, "cpu").comparisons["forces"].statistics()
        rounds.append(
            Round(
                len(known),
                error["rmse"],
                run.reached,
                max(run.disagreement),
                float(np.mean(run.flagged)),
                run.quiet(plan),
                seconds,
            )
        )
        if rounds[-1].quiet:
            break
        known += pick(run, plan, selection, np.random.default_rng((seed, number)))
    return rounds, committee


def pick(run: Heating, plan: Plan, selection: str, rng: np.random.Generator) -> list[Atoms]:
    """Frames to label."""
    candidates = run.candidates(plan)
    if selection == "random":
        drawn = rng.permutation(len(candidates))[: plan.labels]
        return [run.frames[candidates[i].index] for i in drawn]
    chosen = choose(candidates, plan.labels, apart=3)
    return [run.frames[c.index] for c in chosen]
