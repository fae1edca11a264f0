// Functions that are polynomials in moments, from tables (moment_terms.h), and what all radial series share.
//
// A table of polynomials: where each one's products of two begin, where its products of four; then the products, two
// factors in the halves of an int. Factor N_MOMENTS is 1: products of one and of three. Their coefficients: `values`.
//   functions  of rows f: first factor and the others are moments
//   slopes     of rows "moment": first factor is a function's weight; the others are moments

#define FIRST_FACTOR(word) ((word) & 0xffff)
#define SECOND_FACTOR(word) ((int)((unsigned int)(word) >> 16))

// Polynomial `row` of `rows`. `first` and `moments`: where the first factors and the others stand.
NNP_FN mixed nnp_polynomial(int row, int rows, int n_pairs, GLOBAL const int* table, GLOBAL const real* values,
                            LOCAL_ARG const mixed* first, LOCAL_ARG const mixed* moments)
{
    GLOBAL const int* pairs = table + 2 * (rows + 1);
    GLOBAL const int* fours = pairs + n_pairs;
    mixed sum = 0;
    for (int t = table[row]; t < table[row + 1]; ++t)
        sum += values[t] * first[FIRST_FACTOR(pairs[t])] * moments[SECOND_FACTOR(pairs[t])];
    for (int t = table[rows + 1 + row]; t < table[rows + 2 + row]; ++t)
        sum += values[n_pairs + t] * first[FIRST_FACTOR(fours[2 * t])] * moments[SECOND_FACTOR(fours[2 * t])] *
               (moments[FIRST_FACTOR(fours[2 * t + 1])] * moments[SECOND_FACTOR(fours[2 * t + 1])]);
    return sum;
}

// Element of the neighbour in a slot.
NNP_FN int nnp_element(int slot, LOCAL_ARG const int* range)
{
    int low = 0, high = N_ELEMENTS;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (slot >= range[middle])
            low = middle;
        else
            high = middle;
    }
    return low;
}

// Slots within the radius of their element, in order; how many. None where two tiles meet: every neighbour counts once.
DEVICE int nnp_pick(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane, GLOBAL const real* radii,
                    LOCAL_ARG int* counts, LOCAL_ARG int* picked)
{
    int n = 0;
    for (int base = range[diagonal ? 0 : N_ELEMENTS]; base < range[N_ELEMENTS]; base += GROUP_SIZE) {
        int slot = base + LOCAL_ID, found, mine = 0;
        if (slot < range[N_ELEMENTS])
            mine = LANE_R(slot) < radii[nnp_element(slot, range)];
        int to = n + nnp_before(mine, counts, &found);
        if (mine)
            picked[to] = slot;
        n += found;
    }
    return n;
}
