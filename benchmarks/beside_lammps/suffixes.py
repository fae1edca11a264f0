"""Accelerated variants of LAMMPS's pair styles."""

from __future__ import annotations

# Suffix → its command line; THREADS is replaced. Many-body styles of KOKKOS want half lists.
_SUFFIXES = {
    "": "",
    "opt": "-sf opt",
    "omp": "-sf omp -pk omp THREADS",
    "intel": "-sf intel -pk intel 0 omp THREADS",
    "gpu": "-sf gpu -pk gpu 1",
    "kk": "-k on g 1 -sf kk",
    "kk-threads": "-k on t THREADS -sf kk",
}
SUFFIXES = tuple(suffix for suffix in _SUFFIXES if suffix)
ON_DEVICES = ("gpu", "kk")
MIXED = ("gpu", "intel")  # in mixed precision, as LAMMPS is usually built
THREADED = ("omp", "intel", "kk-threads")
_HALF_LISTS = "-pk kokkos newton on neigh half"


def suffix_arguments(suffix: str, threads: int, many_body: bool) -> list[str]:
    """The command line that asks for a suffix, as LAMMPS's "Accelerator packages" pages say."""
    words = _SUFFIXES[suffix].replace("THREADS", str(threads)).split()
    if suffix.startswith("kk") and many_body:
        words += _HALF_LISTS.split()
    return words
