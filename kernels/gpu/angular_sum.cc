// The sums of one group's functions (angular.cc) over its triples. The generator defines
//   GROUP(add)(product, square, cosine, sums)    adds one triple to the sums of all members

// Pairs first to end.
DEVICE void GROUP(forward)(int first, int end, LOCAL_ARG const nnp_pair* pairs, LOCAL_ARG const real* lane,
                           LOCAL_ARG mixed* total, LOCAL_ARG mixed* scratch)
{
    real sums[N_MEMBERS];
#pragma unroll
    for (int m = 0; m < N_MEMBERS; ++m)
        sums[m] = 0;
    for (int p = first + LOCAL_ID; p < end; p += GROUP_SIZE) {
        GROUP(nnp_side) j, k;
        GROUP(nnp_triple) t;
        GROUP(load_side)(PAIR_J(pairs[p]), lane, &j);
        GROUP(load_side)(PAIR_K(pairs[p]), lane, &k);
        if (GROUP(join)(j, k, &t))
            GROUP(add)(t.product * t.f, t.square, t.cosine, sums);
    }
    nnp_collect(sums, N_MEMBERS, total + FIRST_MEMBER, scratch);
}
