"""Kernels between the engine's buffers and a caller's arrays, and their arguments.

Only Python callers have arrays of several types, so that the text stands here and not in
kernels/gpu: OpenMM's kernels have transfers of their own.
"""

from __future__ import annotations

# `what` of both kernels, bits: float32 arrays; numbers, cell, periodicity are on the device; a
# stress is wanted
SINGLE, NUMBERS, CELL, PERIODIC, STRESS = 1, 2, 4, 8, 16

_KERNELS = """
// Positions out of an array of floats (`single`) or doubles (`full`); the other is not looked at.
// Where elements, cell or periodicity are not those of the list (`known`: nine numbers of the cell,
// three flags), the list is too old.
KERNEL void nnp_take(int n, int what, GLOBAL const float* single, GLOBAL const double* full,
                     GLOBAL const mm_long* numbers, GLOBAL const double* cell,
                     GLOBAL const unsigned char* periodic, GLOBAL const double* known,
                     GLOBAL const int* elements, GLOBAL double* positions, GLOBAL int* state)
{
    int table[N_ELEMENTS] = ATOMIC_NUMBERS;
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        for (int c = 3 * i; c < 3 * i + 3; ++c)
            positions[c] = what & TRANSFER_SINGLE ? (double)single[c] : full[c];
        if ((what & TRANSFER_NUMBERS) && numbers[i] != table[elements[i]])
            state[STATE_REBUILD] = 1;
    }
    for (int c = GLOBAL_ID; c < 9; c += GLOBAL_SIZE)
        if ((what & TRANSFER_CELL) && cell[c] != known[c])
            state[STATE_REBUILD] = 1;
    for (int a = GLOBAL_ID; a < 3; a += GLOBAL_SIZE)
        if ((what & TRANSFER_PERIODIC) && (periodic[a] != 0) != (known[9 + a] != 0))
            state[STATE_REBUILD] = 1;
}

// Results into arrays: forces as floats or doubles, energies, their sum, the stress. All are NaN
// where the report says that the evaluation does not stand: what nobody checked cannot pass for a
// result.
KERNEL void nnp_give(int n, int what, GLOBAL const mm_ulong* forces, GLOBAL const double* energies,
                     GLOBAL const double* partial, int rows, GLOBAL const double* box,
                     GLOBAL const real* frame, GLOBAL const int* report, GLOBAL float* single,
                     GLOBAL double* full, GLOBAL double* atomic, GLOBAL double* energy,
                     GLOBAL double* stress)
{
    double unit = 1 / (double)frame[FRAME_SCALE];
    int stands = report[STATE_REBUILD] == 0 && report[STATE_FAILED] == 0;
    double nothing = stands ? 0 : sqrt(-1.0);
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        atomic[i] = energies[i] + nothing;
        for (int c = 3 * i; c < 3 * i + 3; ++c) {
            double force = (double)(mm_long)forces[c] * unit + nothing;
            if (what & TRANSFER_SINGLE)
                single[c] = (float)force;
            else
                full[c] = force;
        }
    }
    double volume = box[0] * (box[4] * box[8] - box[5] * box[7]) +
                    box[1] * (box[5] * box[6] - box[3] * box[8]) +
                    box[2] * (box[3] * box[7] - box[4] * box[6]);
    for (int c = GLOBAL_ID; c < 7; c += GLOBAL_SIZE) {
        double sum = nothing;
        for (int row = 0; row < rows; ++row)
            sum += partial[7 * row + c];
        if (c == 0)
            energy[0] = sum;
        else if (what & TRANSFER_STRESS)
            stress[c - 1] = sum / fabs(volume);
    }
}

// The gradient of a product, minus the forces, and the strain's, a full tensor out of xx, yy, zz,
// yz, xz, xy.
KERNEL void nnp_give_gradient(int n, int what, GLOBAL const mm_ulong* forces,
                              GLOBAL const double* partial, int rows, GLOBAL const real* frame,
                              GLOBAL float* single, GLOBAL double* full, GLOBAL double* strain)
{
    int six[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
    double unit = -1 / (double)frame[FRAME_SCALE];
    for (int c = GLOBAL_ID; c < 3 * n; c += GLOBAL_SIZE) {
        double slope = (double)(mm_long)forces[c] * unit;
        if (what & TRANSFER_SINGLE)
            single[c] = (float)slope;
        else
            full[c] = slope;
    }
    for (int c = GLOBAL_ID; c < 9 && (what & TRANSFER_STRESS); c += GLOBAL_SIZE) {
        double sum = 0;
        for (int row = 0; row < rows; ++row)
            sum += partial[7 * row + 1 + six[c]];
        strain[c] = sum;
    }
}

// Functions of all atoms, one after the other (`flat`, `size` numbers), into rows of
// MOST_FUNCTIONS. `order`, one row per element: the place among the atom's of each function of a
// row, or -1; `starts`: of each atom. Nothing is read beyond a vector that is too short.
KERNEL void nnp_pad(int n, int size, GLOBAL const int* order, GLOBAL const int* starts,
                    GLOBAL const int* elements, GLOBAL double* rows, GLOBAL const double* flat)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        int atom = i / MOST_FUNCTIONS;
        int place = order[elements[atom] * MOST_FUNCTIONS + i % MOST_FUNCTIONS];
        if (place >= 0 && starts[atom] + place < size)
            rows[i] = flat[starts[atom] + place];
    }
}

// The way back.
KERNEL void nnp_flatten(int n, int size, GLOBAL const int* order, GLOBAL const int* starts,
                        GLOBAL const int* elements, GLOBAL const double* rows, GLOBAL double* flat)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        int atom = i / MOST_FUNCTIONS;
        int place = order[elements[atom] * MOST_FUNCTIONS + i % MOST_FUNCTIONS];
        if (place >= 0 && starts[atom] + place < size)
            flat[starts[atom] + place] = rows[i];
    }
}
"""


def text() -> str:
    """Source text, to stand behind the generated program."""
    bits = {
        "SINGLE": SINGLE,
        "NUMBERS": NUMBERS,
        "CELL": CELL,
        "PERIODIC": PERIODIC,
        "STRESS": STRESS,
    }
    defines = [f"#define TRANSFER_{name} {value}" for name, value in bits.items()]
    return "\n".join(["// ---- transfer", *defines]) + _KERNELS
