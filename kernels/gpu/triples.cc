// Lists of the pairs of slots that make triples. Neighbours of neighbours differ in number so much that threads which
// walk through rows of pairs mostly wait for each other; a list is cut into equal shares.
//
// A block is a rectangle of the square of slots: rows of one element, columns of another one, each pair once. Rows and
// columns of the same slots: row j has the half of them behind it, cyclically. One task is up to 32 columns of one row.
//
//   pairs   | block 0: j0 k k k  j1 k k  j2 k .. | block 1 | ..     starts: where each block begins
//
// A list that is longer than PAIRS is visited in windows.

#if CAPACITY <= 256
typedef unsigned short nnp_pair;
#define PAIR_BITS 8
#else
typedef unsigned int nnp_pair;
#define PAIR_BITS 16
#endif
#define PAIR_J(pair) ((int)(pair) >> PAIR_BITS)
#define PAIR_K(pair) ((int)(pair) & ((1 << PAIR_BITS) - 1))

#if defined(__OPENCL_VERSION__)
#define NNP_COUNT_BITS(x) ((int)popcount(x))
#define NNP_LOWEST_BIT(x) (31 - (int)clz((x) & (0u - (x))))
#else
#define NNP_COUNT_BITS(x) __popc(x)
#define NNP_LOWEST_BIT(x) (__ffs((int)(x)) - 1)
#endif

// Numbers of one block, in local memory
#define BLOCK_TASK 0    // its first task
#define BLOCK_J 1       // first row
#define BLOCK_N_J 2
#define BLOCK_K 3       // first column
#define BLOCK_N_K 4
#define BLOCK_COUNT 5   // columns that a row meets: all, or half of them
#define BLOCK_CHUNKS 6  // tasks of a row
#define BLOCK_NARROW 7  // whether two neighbours must be near each other
#define BLOCK_FIELDS 8
#define BLOCK(b, field) table[(b) * BLOCK_FIELDS + (field)]
#define NOT_YET 0x7fffffff

// Part of a list: pairs first to first + n of it, and where it goes on.
typedef struct {
    int first, n, last; // last: the list ends here
    int base, before;   // task to go on with, pairs before it
} nnp_window;

// Block b: rows j to j_end, columns k to k_end. By one thread, in order.
NNP_FN void nnp_set_block(LOCAL_ARG int* table, int b, int j, int j_end, int k, int k_end, int same, int narrow)
{
    int n_j = j_end - j, n_k = k_end - k, count = same ? n_k / 2 : n_k;
    BLOCK(b, BLOCK_J) = j;
    BLOCK(b, BLOCK_N_J) = n_j;
    BLOCK(b, BLOCK_K) = k;
    BLOCK(b, BLOCK_N_K) = n_k;
    BLOCK(b, BLOCK_COUNT) = count;
    BLOCK(b, BLOCK_CHUNKS) = (count + 31) / 32;
    BLOCK(b, BLOCK_NARROW) = narrow;
    BLOCK(b + 1, BLOCK_TASK) = BLOCK(b, BLOCK_TASK) + n_j * ((count + 31) / 32);
}

// Blocks b and b + 1: the pairs of two elements in two tiles, or in one (`diagonal`).
NNP_FN void nnp_set_blocks(LOCAL_ARG int* table, int b, int element_1, int element_2, int narrow,
                           LOCAL_ARG const int* range_a, LOCAL_ARG const int* range_b, int diagonal)
{
    int same = element_1 == element_2, j = FIRST_SLOT(range_b, element_1);
    nnp_set_block(table, b, FIRST_SLOT(range_a, element_1), END_SLOT(range_a, element_1),
                  FIRST_SLOT(range_b, element_2), END_SLOT(range_b, element_2), same && diagonal, narrow);
    nnp_set_block(table, b + 1, j, same || diagonal ? j : END_SLOT(range_b, element_1), FIRST_SLOT(range_a, element_2),
                  END_SLOT(range_a, element_2), 0, narrow);
}

// A task: columns k + (at + 0 .. size - 1) % n_k of row j.
typedef struct {
    int j, k, n_k, at, size, narrow;
} nnp_task;

NNP_FN void nnp_find_task(LOCAL_ARG const int* table, int task, nnp_task* t)
{
    int b = 0;
    while (b + 1 < N_BLOCKS && BLOCK(b + 1, BLOCK_TASK) <= task)
        b += 1;
    int chunks = BLOCK(b, BLOCK_CHUNKS), count = BLOCK(b, BLOCK_COUNT), size = (count + chunks - 1) / chunks;
    int row = (task - BLOCK(b, BLOCK_TASK)) / chunks, at = (task - BLOCK(b, BLOCK_TASK) - row * chunks) * size;
    t->n_k = BLOCK(b, BLOCK_N_K);
    t->k = BLOCK(b, BLOCK_K);
    t->j = BLOCK(b, BLOCK_J) + row;
    t->narrow = BLOCK(b, BLOCK_NARROW);
    int same = count < t->n_k;
    // opposite slots of an even number would meet twice
    count -= same && 2 * count == t->n_k && row >= count ? 1 : 0;
    t->size = at + size < count ? size : count - at;
    t->at = same ? at + row + 1 : at;
}

NNP_FN int nnp_column(nnp_task t, int bit)
{
    int k = t.at + bit;
    return t.k + (k < t.n_k ? k : k - t.n_k);
}

// Which of a task's columns make triples with its row.
NNP_FN unsigned int nnp_meet(nnp_task t, LOCAL_ARG const real* lane)
{
    real x = LANE_X(t.j), y = LANE_Y(t.j), z = LANE_Z(t.j), limit = t.narrow ? (real)CUTOFF2 : (real)1e30;
    unsigned int bits = 0;
    int k = nnp_column(t, 0), end = t.k + t.n_k;
    for (int bit = 0; bit < t.size; ++bit) {
        real dx = LANE_X(k) - x, dy = LANE_Y(k) - y, dz = LANE_Z(k) - z;
        bits |= (unsigned int)(dx * dx + dy * dy + dz * dz < limit) << bit;
        k = k + 1 < end ? k + 1 : t.k;
    }
    return bits;
}

NNP_FN void nnp_begin_list(nnp_window* w)
{
    w->first = w->n = w->last = w->base = w->before = 0;
}

// The next window of the list of N_BLOCKS blocks.
DEVICE void nnp_list_pairs(LOCAL_ARG const int* table, LOCAL_ARG const real* lane, LOCAL_ARG nnp_pair* pairs,
                           LOCAL_ARG int* starts, LOCAL_ARG int* counts, nnp_window* w)
{
    int tasks = BLOCK(N_BLOCKS, BLOCK_TASK), base = w->base, before = w->before, first = w->first + w->n;
    SYNC_THREADS
    for (int b = LOCAL_ID; first == 0 && b <= N_BLOCKS; b += GROUP_SIZE)
        starts[b] = BLOCK(b, BLOCK_TASK) == 0 ? 0 : NOT_YET;
    SYNC_THREADS
    for (; base < tasks && before < first + PAIRS; base += GROUP_SIZE) {
        int task = base + LOCAL_ID, found;
        unsigned int bits = 0;
        nnp_task t = {0, 0, 1, 0, 0, 0};
        w->base = base;
        w->before = before;
        if (task < tasks) {
            nnp_find_task(table, task, &t);
            bits = nnp_meet(t, lane);
        }
        int to = before + nnp_before(NNP_COUNT_BITS(bits), counts, &found);
        for (int b = 1; b < N_BLOCKS; ++b) {
            if (task < tasks && BLOCK(b, BLOCK_TASK) == task)
                starts[b] = to;
        }
        for (to -= first; bits != 0 && to < PAIRS; bits &= bits - 1, ++to) {
            if (to >= 0)
                pairs[to] = (nnp_pair)(t.j << PAIR_BITS | nnp_column(t, NNP_LOWEST_BIT(bits)));
        }
        before += found;
    }
    w->last = before <= first + PAIRS && base >= tasks;
    w->first = first;
    w->n = before - first < PAIRS ? before - first : PAIRS;
    for (int b = 1 + LOCAL_ID; b <= N_BLOCKS; b += GROUP_SIZE) {
        if (w->last && BLOCK(b, BLOCK_TASK) == tasks)
            starts[b] = before;
    }
    SYNC_THREADS
}

// Where a window has the pairs of a group, whose blocks are b and b + 1.
NNP_FN int nnp_place_in(nnp_window w, int start)
{
    int at = start - w.first;
    return at < 0 ? 0 : at < w.n ? at : w.n;
}
