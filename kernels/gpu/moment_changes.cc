// The change of the functions of moments of one element with that of the moments (tangent.cc): every factor of a
// product in turn. `changes` of the factor that is 1: 0.

DEVICE void ELEMENT(change_polynomials)(GLOBAL const int* terms, GLOBAL const real* values,
                                        LOCAL_ARG const mixed* moments, LOCAL_ARG const mixed* changes,
                                        LOCAL_ARG mixed* total)
{
    GLOBAL const int* pairs = terms + 2 * (N_POLYNOMIALS + 1);
    GLOBAL const int* fours = pairs + FUNCTION_PAIRS;
    for (int f = LOCAL_ID; f < N_POLYNOMIALS; f += GROUP_SIZE) {
        mixed sum = 0;
        for (int t = terms[f]; t < terms[f + 1]; ++t) {
            int a = FIRST_FACTOR(pairs[t]), b = SECOND_FACTOR(pairs[t]);
            sum += values[t] * (changes[a] * moments[b] + moments[a] * changes[b]);
        }
        for (int t = terms[N_POLYNOMIALS + 1 + f]; t < terms[N_POLYNOMIALS + 2 + f]; ++t) {
            int a = FIRST_FACTOR(fours[2 * t]), b = SECOND_FACTOR(fours[2 * t]);
            int c = FIRST_FACTOR(fours[2 * t + 1]), d = SECOND_FACTOR(fours[2 * t + 1]);
            sum += values[FUNCTION_PAIRS + t] *
                   ((changes[a] * moments[b] + moments[a] * changes[b]) * (moments[c] * moments[d]) +
                    moments[a] * moments[b] * (changes[c] * moments[d] + moments[c] * changes[d]));
        }
        total[FIRST_POLYNOMIAL + f] = sum;
    }
    SYNC_THREADS
}
