// An atom's list in tiles, and what it reports.

typedef struct {
    int size, n, n_pairs; // entries per tile, tiles, pairs of tiles
} nnp_tiles;

NNP_FN nnp_tiles nnp_cut(nnp_list list)
{
    nnp_tiles t;
    int entries = list.end - list.first;
    t.size = N_BLOCKS == 0 ? CAPACITY : entries <= CAPACITY ? CAPACITY : CAPACITY / 2;
    t.n = (entries + t.size - 1) / t.size;
    t.n_pairs = N_BLOCKS == 0 ? t.n : t.n * (t.n + 1) / 2;
    return t;
}

// Stages a pair of tiles, all (0,0), (0,1) .. (0,n-1), (1,1) ..; 1 when it is one tile with itself. Where nothing looks
// at pairs of neighbours only these are pairs of tiles. `there`: the only pair there is, staged already.
DEVICE int nnp_load_tiles(nnp_list list, nnp_tiles tiles, int pair, int there, LOCAL_ARG int* range,
                          LOCAL_ARG int* counts, LOCAL_ARG int* owner, LOCAL_ARG int* failed, LOCAL_ARG real* lane)
{
    int a = N_BLOCKS == 0 ? pair : 0, b = pair;
    while (b >= (N_BLOCKS == 0 ? pair + 1 : tiles.n)) {
        a += 1;
        b -= tiles.n - a;
    }
    SYNC_THREADS
    for (int upper = 0; upper < (there ? 0 : a == b ? 1 : 2); ++upper) {
        int first = list.first + (upper == 0 ? a : b) * tiles.size;
        int end = first + tiles.size < list.end ? first + tiles.size : list.end;
        nnp_stage(list, first, end, upper * (CAPACITY / 2), range + upper * (N_ELEMENTS + 1), counts, owner, failed,
                  lane);
    }
    return a == b;
}

DEVICE void nnp_report(int atom, LOCAL_ARG const int* failed, GLOBAL int* status, GLOBAL int* state)
{
    SYNC_THREADS
    if (LOCAL_ID == 0) {
        status[atom] = (failed[0] ? STATUS_NOT_FINITE : 0) | (failed[1] ? STATUS_OVERLAP : 0) |
                       (failed[2] ? STATUS_TOO_LARGE : 0);
        if (status[atom] != 0)
            ATOMIC_ADD(&state[STATE_FAILED], 1);
    }
    SYNC_THREADS
}
