// The neighbour list: atoms in bins of half a reach, sorted by index within a bin, so that every list, and with it every
// rounding of every sum, repeats bit for bit. Images: a bin beyond the cell is the bin within, shifted.

DEVICE double nnp_fraction(GLOBAL const double* r, GLOBAL const double* box, int axis)
{
    double f = 0;
    for (int c = 0; c < 3; ++c)
        f += (r[c] - box[BOX_ORIGIN + c]) * box[BOX_INVERSE + 3 * c + axis];
    return f;
}

NNP_FN coordinate nnp_coordinate(double fraction, double units)
{
#if defined(USE_DOUBLE_PRECISION)
    return fraction;
#else
    return (int)rint(fraction * units);
#endif
}

// Every step: points from positions, relative to the list's home cells; whether the list still holds; forces cleared.
KERNEL void nnp_place(int n, GLOBAL const double* RESTRICT positions, GLOBAL const double* RESTRICT box,
                      GLOBAL const double* RESTRICT built, GLOBAL nnp_point* RESTRICT points,
                      GLOBAL mm_ulong* RESTRICT forces, GLOBAL int* RESTRICT state)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        double at[3], moved[3], moved2 = 0;
        for (int a = 0; a < 3; ++a) {
            double change = nnp_fraction(positions + 3 * i, box, a) - built[3 * i + a];
            moved[a] = box[BOX_PERIODIC + a] != 0 ? change - rint(change) : change;
            at[a] = built[3 * i + a] + moved[a];
            forces[3 * i + a] = 0;
        }
        for (int c = 0; c < 3; ++c) {
            double d = moved[0] * box[c] + moved[1] * box[3 + c] + moved[2] * box[6 + c];
            moved2 += d * d;
        }
        if (!(moved2 <= 1e300))
            ATOMIC_ADD(&state[STATE_LOST], 1);
        if (!(moved2 <= box[BOX_MOVED2])) {
            state[STATE_REBUILD] = 1;
            continue;
        }
        points[i].a = nnp_coordinate(at[0], box[BOX_UNITS]);
        points[i].b = nnp_coordinate(at[1], box[BOX_UNITS + 1]);
        points[i].c = nnp_coordinate(at[2], box[BOX_UNITS + 2]);
    }
}

KERNEL void nnp_clear(int n, GLOBAL int* RESTRICT cleared)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE)
        cleared[i] = 0;
}

NNP_FN int nnp_axis_bin(double fraction, int bins)
{
    int bin = (int)floor(fraction * bins);
    return bin < 0 ? 0 : bin >= bins ? bins - 1 : bin;
}

// Home cells and bins. grid: bins along the three axes.
KERNEL void nnp_wrap(int n, GLOBAL const double* RESTRICT positions, GLOBAL const double* RESTRICT box,
                     GLOBAL const int* RESTRICT grid, GLOBAL double* RESTRICT built, GLOBAL int* RESTRICT bin_of,
                     GLOBAL int* RESTRICT bin_counts, GLOBAL int* RESTRICT state)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        int bin = 0;
        for (int a = 0; a < 3; ++a) {
            double f = nnp_fraction(positions + 3 * i, box, a);
            if (!(fabs(f) <= 1e300)) {
                ATOMIC_ADD(&state[STATE_LOST], 1);
                f = 0;
            }
            f = box[BOX_PERIODIC + a] != 0 ? f - floor(f) : f;
            built[3 * i + a] = f;
            bin = bin * grid[a] + nnp_axis_bin(f, grid[a]);
        }
        bin_of[i] = bin;
        ATOMIC_ADD(&bin_counts[bin], 1);
    }
}

// Exclusive sums of n numbers, one work-group; `sums` has n + 1 places. Largest sum of `stride` numbers: STATE_MOST; all of
// them: STATE_TOTAL.
KERNEL void nnp_scan(int n, int stride, GLOBAL const int* RESTRICT scanned, GLOBAL int* RESTRICT sums,
                     GLOBAL int* RESTRICT state)
{
    LOCAL int shares[GROUP_SIZE];
    LOCAL int most[GROUP_SIZE];
    int rows = n / stride, share = (rows + GROUP_SIZE - 1) / GROUP_SIZE;
    int first = LOCAL_ID * share, last = first + share < rows ? first + share : rows;
    int sum = 0, largest = 0;
    for (int row = first; row < last; ++row) {
        int before = sum;
        for (int c = 0; c < stride; ++c)
            sum += scanned[row * stride + c];
        largest = sum - before > largest ? sum - before : largest;
    }
    shares[LOCAL_ID] = sum;
    most[LOCAL_ID] = largest;
    SYNC_THREADS
    int start = 0;
    for (int t = 0; t < LOCAL_ID; ++t)
        start += shares[t];
    for (int at = first * stride; at < last * stride; ++at) {
        sums[at] = start;
        start += scanned[at];
    }
    if (LOCAL_ID == GROUP_SIZE - 1) {
        sums[n] = start;
        for (int t = 0; t < GROUP_SIZE; ++t)
            largest = most[t] > largest ? most[t] : largest;
        state[STATE_MOST] = largest;
        state[STATE_TOTAL] = start;
    }
}

// Atoms into their bins, in any order. bin_counts comes in full and leaves at 0.
KERNEL void nnp_drop(int n, GLOBAL const int* RESTRICT bin_of, GLOBAL const int* RESTRICT bin_starts,
                     GLOBAL int* RESTRICT bin_counts, GLOBAL int* RESTRICT dropped)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE)
        dropped[bin_starts[bin_of[i]] + ATOMIC_ADD(&bin_counts[bin_of[i]], -1) - 1] = i;
}

// The same, by index: an atom's rank is the number of smaller ones in its bin.
KERNEL void nnp_sort(int n, GLOBAL const int* RESTRICT bin_of, GLOBAL const int* RESTRICT bin_starts,
                     GLOBAL const int* RESTRICT dropped, GLOBAL int* RESTRICT sorted)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        int bin = bin_of[i], rank = 0;
        for (int q = bin_starts[bin]; q < bin_starts[bin + 1]; ++q)
            rank += dropped[q] < i;
        sorted[bin_starts[bin] + rank] = i;
    }
}

NNP_FN int nnp_floor_divide(int a, int b)
{
    return a >= 0 ? a / b : -((b - 1 - a) / b);
}

// What a search goes over.
typedef struct {
    GLOBAL const double* box;
    GLOBAL const real* frame;
    GLOBAL const int* grid;
    GLOBAL const double* built;
    GLOBAL const nnp_point* points;
    GLOBAL const int* starts;
    GLOBAL const int* sorted;
    GLOBAL const int* elements;
    int n_elements;
} nnp_search;

// One bin's atoms within reach of atom i: counted by element, or written where the row's counts say, from the back.
DEVICE void nnp_visit(nnp_search s, int i, int bin, int shifts, GLOBAL int* counts, GLOBAL const int* row_starts,
                      GLOBAL nnp_entry* entries)
{
    for (int q = s.starts[bin]; q < s.starts[bin + 1]; ++q) {
        int j = s.sorted[q];
        real x, y, z;
        nnp_displacement(s.points[i], s.points[j], shifts, s.frame, &x, &y, &z);
        if (!(x * x + y * y + z * z < (real)s.box[BOX_REACH2]) || (j == i && shifts == 0x808080))
            continue;
        int at = i * s.n_elements + s.elements[j];
        if (entries) {
            counts[at] -= 1;
            entries[row_starts[at] + counts[at]].atom = j;
            entries[row_starts[at] + counts[at]].shifts = shifts;
        } else {
            counts[at] += 1;
        }
    }
}

// All bins within reach of atom i, images included.
DEVICE void nnp_look_around(nnp_search s, int i, GLOBAL int* counts, GLOBAL const int* row_starts,
                            GLOBAL nnp_entry* entries)
{
    int low[3], high[3];
    for (int a = 0; a < 3; ++a) {
        double f = s.built[3 * i + a], reach = s.box[BOX_REACH + a] * (1 + 1e-6);
        low[a] = (int)floor((f - reach) * s.grid[a]);
        high[a] = (int)floor((f + reach) * s.grid[a]);
        if (s.box[BOX_PERIODIC + a] == 0) {
            low[a] = nnp_axis_bin(f - reach, s.grid[a]);
            high[a] = nnp_axis_bin(f + reach, s.grid[a]);
        }
    }
    for (int a = low[0]; a <= high[0]; ++a) {
        int sa = nnp_floor_divide(a, s.grid[0]);
        for (int b = low[1]; b <= high[1]; ++b) {
            int sb = nnp_floor_divide(b, s.grid[1]);
            for (int c = low[2]; c <= high[2]; ++c) {
                int sc = nnp_floor_divide(c, s.grid[2]);
                int bin = ((a - sa * s.grid[0]) * s.grid[1] + b - sb * s.grid[1]) * s.grid[2] + c - sc * s.grid[2];
                int shifts = (sa + 128) | (sb + 128) << 8 | (sc + 128) << 16;
                nnp_visit(s, i, bin, shifts, counts, row_starts, entries);
            }
        }
    }
}

// Neighbours of every atom by element: counts [n][n_elements], from 0.
KERNEL void nnp_count(int n, int n_elements, GLOBAL const double* RESTRICT box, GLOBAL const real* RESTRICT frame,
                      GLOBAL const int* RESTRICT grid, GLOBAL const double* RESTRICT built,
                      GLOBAL const nnp_point* RESTRICT points, GLOBAL const int* RESTRICT bin_starts,
                      GLOBAL const int* RESTRICT sorted, GLOBAL const int* RESTRICT elements, GLOBAL int* counts)
{
    nnp_search s = {box, frame, grid, built, points, bin_starts, sorted, elements, n_elements};
    for (int t = GLOBAL_ID; t < n; t += GLOBAL_SIZE)
        nnp_look_around(s, sorted[t], counts, 0, 0);
}

// The entries themselves, unless they would not fit: then the host makes room and calls again.
KERNEL void nnp_fill(int n, int n_elements, GLOBAL const double* RESTRICT box, GLOBAL const real* RESTRICT frame,
                     GLOBAL const int* RESTRICT grid, GLOBAL const double* RESTRICT built,
                     GLOBAL const nnp_point* RESTRICT points, GLOBAL const int* RESTRICT bin_starts,
                     GLOBAL const int* RESTRICT sorted, GLOBAL const int* RESTRICT elements, GLOBAL int* counts,
                     GLOBAL const int* RESTRICT row_starts, GLOBAL nnp_entry* entries,
                     GLOBAL const int* RESTRICT state)
{
    nnp_search s = {box, frame, grid, built, points, bin_starts, sorted, elements, n_elements};
    if (row_starts[n * n_elements] > state[STATE_ENTRY_ROOM])
        return;
    for (int t = GLOBAL_ID; t < n; t += GLOBAL_SIZE)
        nnp_look_around(s, sorted[t], counts, row_starts, entries);
}
