// One atom's neighbours in local memory, and sums over the threads of its work-group.
//
// CAPACITY slots per work-group. An atom whose list fits is done in one go; a longer list is cut into tiles of half the
// slots, and every pair of tiles (a, b) is visited: tile a in the lower half, tile b in the upper half.
//
//   slots   | H H H H H O O O . . . . |   range = [0, 5, 8]: first slot of each element, end

// Arrays over slots
#define LANE(array, slot) lane[(array) * CAPACITY + (slot)]
#define LANE_X(slot) LANE(0, slot)
#define LANE_Y(slot) LANE(1, slot)
#define LANE_Z(slot) LANE(2, slot)
#define LANE_R(slot) LANE(3, slot)
#define LANE_INVERSE(slot) LANE(4, slot)
#define LANE_FACTOR(slot) LANE(5, slot) // cutoff (or compact function) of the angular group at hand, times the charge
#define LANE_SLOPE(slot) LANE(6, slot)  // its derivative over r
#define LANES 7
// What a slot's atom and the atom itself do apart when atoms move (tangent.cc)
#define MOVED_X(slot) moved[slot]
#define MOVED_Y(slot) moved[CAPACITY + (slot)]
#define MOVED_Z(slot) moved[2 * CAPACITY + (slot)]
#define SUM_ROWS 8
#define COUNT_BLOCKS (GROUP_SIZE / 8)

// Slots of one element, or of all
#define FIRST_SLOT(range, element) range[(element) == ANY_ELEMENT ? 0 : (element)]
#define END_SLOT(range, element) range[(element) == ANY_ELEMENT ? N_ELEMENTS : (element) + 1]

// One atom's list.
typedef struct {
    int atom, first, end; // of its entries
    GLOBAL const nnp_point* points;
    GLOBAL const nnp_entry* entries;
    GLOBAL const int* starts; // [N_ELEMENTS + 1] of this atom
    GLOBAL const real* frame;
} nnp_list;

// Threads that share one row when there are `rows`: a power of two.
NNP_FN int nnp_split(int rows)
{
    int split = 1;
    while (2 * split * rows <= GROUP_SIZE && 2 * split <= 8)
        split *= 2;
    return split;
}

// Sum of `value` over the threads before this one, and over all of them (`found`). By eights.
NNP_FN int nnp_before(int value, LOCAL_ARG int* counts, int* found)
{
    counts[LOCAL_ID] = value;
    SYNC_THREADS
    if (LOCAL_ID < COUNT_BLOCKS) {
        int sum = 0;
        for (int t = 8 * LOCAL_ID; t < 8 * LOCAL_ID + 8; ++t)
            sum += counts[t];
        counts[GROUP_SIZE + LOCAL_ID] = sum;
    }
    SYNC_THREADS
    int before = 0, all = 0;
    for (int b = 0; b < COUNT_BLOCKS; ++b) {
        before += b < LOCAL_ID / 8 ? counts[GROUP_SIZE + b] : 0;
        all += counts[GROUP_SIZE + b];
    }
    for (int t = LOCAL_ID / 8 * 8; t < LOCAL_ID; ++t)
        before += counts[t];
    SYNC_THREADS
    *found = all;
    return before;
}

// Entries first to last within the cutoff go to the slots from `slot` on, in their order.
DEVICE void nnp_stage(nnp_list list, int first, int last, int slot, LOCAL_ARG int* range, LOCAL_ARG int* counts,
                      LOCAL_ARG int* owner, LOCAL_ARG int* failed, LOCAL_ARG real* lane)
{
    nnp_point centre = list.points[list.atom];
    for (int e = 0; e < N_ELEMENTS; ++e) {
        int begin = list.starts[e] > first ? list.starts[e] : first;
        int end = list.starts[e + 1] < last ? list.starts[e + 1] : last;
        if (LOCAL_ID == 0)
            range[e] = slot;
        for (int base = begin; base < end; base += GROUP_SIZE) {
            int at = base + LOCAL_ID, atom = 0, found, mine = 0;
            real x = 0, y = 0, z = 0, r2 = 0;
            if (at < end) {
                atom = list.entries[at].atom;
                nnp_displacement(centre, list.points[atom], list.entries[at].shifts, list.frame, &x, &y, &z);
                r2 = x * x + y * y + z * z;
                mine = r2 < (real)CUTOFF2;
            }
            int to = slot + nnp_before(mine, counts, &found);
            if (mine) {
                real r = sqrt(r2);
                owner[to] = atom;
                if (r2 < (real)OVERLAP2)
                    failed[1] = 1;
                LANE_X(to) = x;
                LANE_Y(to) = y;
                LANE_Z(to) = z;
                LANE_R(to) = r;
                LANE_INVERSE(to) = (real)1 / r;
            }
            slot += found;
        }
    }
    if (LOCAL_ID == 0)
        range[N_ELEMENTS] = slot;
    SYNC_THREADS
}

// Nuclear charge of the neighbour in a slot, for functions that see all elements.
NNP_FN real nnp_charge(int slot, LOCAL_ARG const int* range)
{
    const int charges[N_ELEMENTS] = ATOMIC_NUMBERS;
    int charge = charges[0];
    for (int e = 1; e < N_ELEMENTS; ++e)
        charge = slot >= range[e] ? charges[e] : charge;
    return charge;
}

// Sums of up to SUM_ROWS rows of one number per thread; the result stands at the head of each row.
DEVICE void nnp_sum_rows(int rows, LOCAL_ARG mixed* scratch)
{
    int width = GROUP_SIZE / SUM_ROWS, row = LOCAL_ID / width, column = LOCAL_ID % width;
    mixed sum = 0;
    SYNC_THREADS
    if (row < rows) {
        for (int t = column; t < GROUP_SIZE; t += width)
            sum += scratch[row * GROUP_SIZE + t];
    }
    SYNC_THREADS
    if (row < rows)
        scratch[row * GROUP_SIZE + column] = sum;
    SYNC_THREADS
    if (LOCAL_ID < rows) {
        sum = 0;
        for (int t = 0; t < width; ++t)
            sum += scratch[LOCAL_ID * GROUP_SIZE + t];
        scratch[LOCAL_ID * GROUP_SIZE] = sum;
    }
    SYNC_THREADS
}

// total[m] += sum over the threads of sums[m]. n is a constant where this is inlined.
NNP_FN void nnp_collect(const real* sums, int n, LOCAL_ARG mixed* total, LOCAL_ARG mixed* scratch)
{
#pragma unroll
    for (int first = 0; first < n; first += SUM_ROWS) {
        int rows = n - first < SUM_ROWS ? n - first : SUM_ROWS;
#pragma unroll
        for (int m = 0; m < SUM_ROWS; ++m) {
            if (first + m < n)
                scratch[m * GROUP_SIZE + LOCAL_ID] = sums[first + m];
        }
        nnp_sum_rows(rows, scratch);
        if (LOCAL_ID < rows)
            total[first + LOCAL_ID] += scratch[LOCAL_ID * GROUP_SIZE];
        SYNC_THREADS
    }
}
