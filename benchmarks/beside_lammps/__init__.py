"""The same molecular dynamics in OpenMM and in any LAMMPS; ``bench_lammps.py`` is the command."""
