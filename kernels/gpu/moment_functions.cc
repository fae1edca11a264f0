// The functions of moments of one element (moment_polynomials.cc). The generator defines ELEMENT and
//   N_MOMENTS, N_POLYNOMIALS, FIRST_POLYNOMIAL    moments; functions of them, and the first one's number
//   FUNCTION_PAIRS        products of two in the table of functions
//   SLOPES, SLOPE_VALUES, SLOPE_PAIRS    where that of slopes begins, and its values; its products of two

DEVICE void ELEMENT(clear_moments)(LOCAL_ARG mixed* moments)
{
    for (int at = LOCAL_ID; at <= N_MOMENTS; at += GROUP_SIZE)
        moments[at] = at == N_MOMENTS ? 1 : 0;
    SYNC_THREADS
}

// The functions themselves.
DEVICE void ELEMENT(polynomials)(GLOBAL const int* terms, GLOBAL const real* values, LOCAL_ARG const mixed* moments,
                                 LOCAL_ARG mixed* total)
{
    for (int f = LOCAL_ID; f < N_POLYNOMIALS; f += GROUP_SIZE)
        total[FIRST_POLYNOMIAL + f] = nnp_polynomial(f, N_POLYNOMIALS, FUNCTION_PAIRS, terms, values, moments, moments);
    SYNC_THREADS
}

// What the moments are weighed with on the way back, from what the functions are. Takes their values' place.
DEVICE void ELEMENT(weigh_moments)(GLOBAL const int* terms, GLOBAL const real* values, LOCAL_ARG const real* by_value,
                                   LOCAL_ARG const mixed* moments, LOCAL_ARG mixed* total, LOCAL_ARG real* by_moment)
{
    SYNC_THREADS
    for (int f = LOCAL_ID; f < N_POLYNOMIALS; f += GROUP_SIZE)
        total[FIRST_POLYNOMIAL + f] = by_value[FIRST_POLYNOMIAL + f];
    SYNC_THREADS
    for (int at = LOCAL_ID; at < N_MOMENTS; at += GROUP_SIZE)
        by_moment[at] = nnp_polynomial(at, N_MOMENTS, SLOPE_PAIRS, terms + SLOPES, values + SLOPE_VALUES,
                                       total + FIRST_POLYNOMIAL, moments);
    SYNC_THREADS
}
