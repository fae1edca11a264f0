// Between the engine's buffers and arrays of a caller that lie on the same device. OpenMM has kernels of its own for that.

// Positions out of an array of floats or doubles; the other is not looked at. Where elements, cell or periodicity are not
// those of the list (`known`: nine numbers of the cell, three flags), the list is too old.
KERNEL void nnp_take(int n, int what, GLOBAL const float* given_single, GLOBAL const double* given_double,
                     GLOBAL const mm_long* numbers, GLOBAL const double* cell, GLOBAL const unsigned char* periodic,
                     GLOBAL const double* known, GLOBAL const int* elements, GLOBAL double* positions,
                     GLOBAL int* state)
{
    int table[N_ELEMENTS] = ATOMIC_NUMBERS;
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        for (int c = 3 * i; c < 3 * i + 3; ++c)
            positions[c] = what & TRANSFER_SINGLE ? (double)given_single[c] : given_double[c];
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

// One column of `partial`, in a fixed order.
DEVICE double nnp_total(GLOBAL const double* partial, int column)
{
    double sum = 0;
    for (int row = 0; row < FINISH_GROUPS; ++row)
        sum += partial[PARTIALS * row + column];
    return sum;
}

// Results into arrays: forces as floats or doubles, energies, their sum, the stress. All are NaN where the report says that
// the evaluation does not stand: what nobody checked cannot pass for a result.
KERNEL void nnp_give(int n, int what, GLOBAL const mm_ulong* forces, GLOBAL const double* energies,
                     GLOBAL const double* partial, GLOBAL const double* box, GLOBAL const real* frame,
                     GLOBAL const int* report, GLOBAL float* out_single, GLOBAL double* out_double,
                     GLOBAL double* out_energies, GLOBAL double* out_energy, GLOBAL double* out_stress)
{
    double unit = 1 / (double)frame[FRAME_SCALE];
    int stands = report[STATE_REBUILD] == 0 && report[STATE_FAILED] == 0;
    double nothing = stands ? 0 : sqrt(-1.0);
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        out_energies[i] = energies[i] + nothing;
        for (int c = 3 * i; c < 3 * i + 3; ++c) {
            double force = (double)(mm_long)forces[c] * unit + nothing;
            if (what & TRANSFER_SINGLE)
                out_single[c] = (float)force;
            else
                out_double[c] = force;
        }
    }
    double volume = box[0] * (box[4] * box[8] - box[5] * box[7]) + box[1] * (box[5] * box[6] - box[3] * box[8]) +
                    box[2] * (box[3] * box[7] - box[4] * box[6]);
    for (int c = GLOBAL_ID; c < PARTIALS; c += GLOBAL_SIZE) {
        double sum = nothing + nnp_total(partial, c);
        if (c == 0)
            out_energy[0] = sum;
        else if (what & TRANSFER_STRESS)
            out_stress[c - 1] = sum / fabs(volume);
    }
}

// The gradient of a product, minus the forces, and the strain's, a full tensor out of xx, yy, zz, yz, xz, xy.
KERNEL void nnp_give_gradient(int n, int what, GLOBAL const mm_ulong* forces, GLOBAL const double* partial,
                              GLOBAL const real* frame, GLOBAL float* out_single, GLOBAL double* out_double,
                              GLOBAL double* out_strain)
{
    int six[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
    double unit = -1 / (double)frame[FRAME_SCALE];
    for (int c = GLOBAL_ID; c < 3 * n; c += GLOBAL_SIZE) {
        double slope = (double)(mm_long)forces[c] * unit;
        if (what & TRANSFER_SINGLE)
            out_single[c] = (float)slope;
        else
            out_double[c] = slope;
    }
    for (int c = GLOBAL_ID; c < 9 && (what & TRANSFER_STRESS); c += GLOBAL_SIZE)
        out_strain[c] = nnp_total(partial, 1 + six[c]);
}

// Functions of all atoms, one after the other (`flat`, `size` numbers), into rows of MOST_FUNCTIONS. `order`, one row per
// element: the place among the atom's of each function of a row, or -1; `first_function`: of each atom. Nothing is read
// beyond a vector that is too short.
KERNEL void nnp_pad(int n, int size, GLOBAL const int* order, GLOBAL const int* first_function,
                    GLOBAL const int* elements, GLOBAL double* rows, GLOBAL const double* flat)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        int atom = i / MOST_FUNCTIONS;
        int place = order[elements[atom] * MOST_FUNCTIONS + i % MOST_FUNCTIONS];
        if (place >= 0 && first_function[atom] + place < size)
            rows[i] = flat[first_function[atom] + place];
    }
}

// The way back.
KERNEL void nnp_flatten(int n, int size, GLOBAL const int* order, GLOBAL const int* first_function,
                        GLOBAL const int* elements, GLOBAL const double* rows, GLOBAL double* flat)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        int atom = i / MOST_FUNCTIONS;
        int place = order[elements[atom] * MOST_FUNCTIONS + i % MOST_FUNCTIONS];
        if (place >= 0 && first_function[atom] + place < size)
            flat[first_function[atom] + place] = rows[i];
    }
}
