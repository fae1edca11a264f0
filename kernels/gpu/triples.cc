// Which pairs of slots make triples, and lists of them. Neighbours of neighbours differ in number so much that threads
// which walk through rows of pairs mostly wait for each other; a list is cut into equal shares.
//
//   masks: a row of bits per slot; bit k of row j: slots j and k are within the cutoff of each other
//   pairs: j and k in one number, by rising j, then k

#define MASK_WORDS ((CAPACITY + 31) / 32)
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

// Two blocks of the square of slots, rows j to j_end and columns k to k_end. `upper`: of the first one only k > j.
typedef struct {
    int j, j_end, k, k_end, j_2, j_2_end, k_2, k_2_end, upper;
} nnp_blocks;

// Where a list goes on: the task at hand, and pairs before it.
typedef struct {
    int base, before;
} nnp_cursor;

// Which of 32 slots are near slot j; bits of slots not in use, and j's own, mean nothing.
NNP_FN unsigned int nnp_near(int j, int word, LOCAL_ARG const real* lane)
{
    real x = LANE_X(j), y = LANE_Y(j), z = LANE_Z(j);
    unsigned int bits = 0;
#pragma unroll
    for (int b = 0; b < 32; ++b) {
        int k = 32 * word + b;
        real dx = LANE_X(k) - x, dy = LANE_Y(k) - y, dz = LANE_Z(k) - z;
        bits |= dx * dx + dy * dy + dz * dz < (real)CUTOFF2 ? 1u << b : 0u;
    }
    return bits;
}

// Rows of tile a with columns of tile b and the other way round.
DEVICE void nnp_mask(LOCAL_ARG const int* range_a, LOCAL_ARG const int* range_b, int diagonal,
                     LOCAL_ARG const real* lane, LOCAL_ARG unsigned int* masks)
{
    for (int pass = 0; pass < (diagonal ? 1 : 2); ++pass) {
        LOCAL_ARG const int* rows = pass ? range_b : range_a;
        LOCAL_ARG const int* columns = pass ? range_a : range_b;
        int n = rows[N_ELEMENTS] - rows[0], first = columns[0] / 32, words = (columns[N_ELEMENTS] + 31) / 32 - first;
        for (int t = LOCAL_ID; t < n * words; t += GROUP_SIZE) {
            int j = rows[0] + t % n, word = first + t / n;
            masks[j * MASK_WORDS + word] = nnp_near(j, word, lane);
        }
    }
    SYNC_THREADS
}

// What is wanted of one word of a row: columns k to k_end without j itself.
NNP_FN unsigned int nnp_columns(unsigned int bits, int j, int word, int k, int k_end)
{
    int low = k - 32 * word, high = k_end - 32 * word, self = j - 32 * word;
    bits = low > 0 ? (low < 32 ? bits >> low << low : 0) : bits;
    bits = high < 32 ? bits & ((1u << high) - 1) : bits;
    return self >= 0 && self < 32 ? bits & ~(1u << self) : bits;
}

NNP_FN int nnp_words(int k, int k_end)
{
    return k < k_end ? (k_end + 31) / 32 - k / 32 : 0;
}

// The pairs of two blocks from number `first` on into `pairs`, PAIRS at most; returns how many those are, and in `all`
// whether they are the last. One task is one word of one row.
DEVICE int nnp_list_pairs(nnp_blocks b, int narrow, int first, LOCAL_ARG const unsigned int* masks,
                          LOCAL_ARG nnp_pair* pairs, LOCAL_ARG int* counts, nnp_cursor* cursor, int* all)
{
    int words = nnp_words(b.k, b.k_end), words_2 = nnp_words(b.k_2, b.k_2_end);
    int tasks = (b.j_end - b.j) * words, n = tasks + (b.j_2_end - b.j_2) * words_2;
    int base = cursor->base, before = cursor->before;
    SYNC_THREADS
    for (; base < n && before < first + PAIRS; base += GROUP_SIZE) {
        int task = base + LOCAL_ID, j = 0, word = 0, found;
        unsigned int bits = 0;
        cursor->base = base;
        cursor->before = before;
        if (task < n) {
            int second = task >= tasks, t = second ? task - tasks : task, width = second ? words_2 : words;
            int k = second ? b.k_2 : b.k, k_end = second ? b.k_2_end : b.k_end;
            j = (second ? b.j_2 : b.j) + t / width;
            word = k / 32 + t % width;
            bits = nnp_columns(narrow ? masks[j * MASK_WORDS + word] : ~0u, j, word,
                               b.upper && !second && k <= j ? j + 1 : k, k_end);
        }
        int to = before - first + nnp_before(NNP_COUNT_BITS(bits), counts, &found);
        for (; bits != 0 && to < PAIRS; bits &= bits - 1, ++to) {
            if (to >= 0)
                pairs[to] = (nnp_pair)(j << PAIR_BITS | (32 * word + NNP_LOWEST_BIT(bits)));
        }
        before += found;
    }
    SYNC_THREADS
    *all = before <= first + PAIRS && base >= n;
    return before - first < PAIRS ? before - first : PAIRS;
}

// Adds what threads have of rows that began with an earlier thread (`counts`: the row, or -1): the first of them for all.
NNP_FN void nnp_gather_carried(LOCAL_ARG const int* counts, LOCAL_ARG real* pulls)
{
    int row = counts[LOCAL_ID];
    if (row >= 0 && (LOCAL_ID == 0 || counts[LOCAL_ID - 1] != row)) {
        real x = 0, y = 0, z = 0;
        for (int t = LOCAL_ID; t < GROUP_SIZE && counts[t] == row; ++t) {
            x += PULL_X(CAPACITY + t);
            y += PULL_Y(CAPACITY + t);
            z += PULL_Z(CAPACITY + t);
        }
        PULL_X(row) += x;
        PULL_Y(row) += y;
        PULL_Z(row) += z;
    }
}
