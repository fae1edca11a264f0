// The sums of one group's functions (angular.cc) over its triples, each met once. The generator defines
//   GROUP(add)(product, square, cosine, sums)    adds one triple to the sums of all members

DEVICE void GROUP(forward)(LOCAL_ARG const int* range_a, LOCAL_ARG const int* range_b, int diagonal,
                           LOCAL_ARG const real* lane, LOCAL_ARG const unsigned int* masks, LOCAL_ARG nnp_pair* pairs,
                           LOCAL_ARG int* counts, LOCAL_ARG mixed* total, LOCAL_ARG mixed* scratch)
{
    real sums[N_MEMBERS];
#pragma unroll
    for (int m = 0; m < N_MEMBERS; ++m)
        sums[m] = 0;
    nnp_blocks blocks;
    GROUP(once)(range_a, range_b, diagonal, &blocks);
    nnp_cursor cursor = {0, 0};
    for (int first = 0, all = 0; !all; first += PAIRS) {
        int n = nnp_list_pairs(blocks, NARROW, first, masks, pairs, counts, &cursor, &all);
        for (int p = LOCAL_ID; p < n; p += GROUP_SIZE) {
            GROUP(nnp_side) j, k;
            GROUP(nnp_triple) t;
            GROUP(load_side)(PAIR_J(pairs[p]), lane, &j);
            GROUP(load_side)(PAIR_K(pairs[p]), lane, &k);
            if (GROUP(join)(j, k, &t))
                GROUP(add)(t.product * t.f, t.square, t.cosine, sums);
        }
    }
    nnp_collect(sums, N_MEMBERS, total + FIRST_MEMBER, scratch);
}
