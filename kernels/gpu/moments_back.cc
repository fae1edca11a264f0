// What the derivatives by the moments of one series (moments.cc) pull on each neighbour. Contracted over the radial
// functions first: a neighbour then has one weight h and its slope per harmonic, whatever their number. The generator
// defines AT_ONCE_BACK, the radial functions in registers at once.

DEVICE void GROUP(backward)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane,
                            LOCAL_ARG const int* picked, LOCAL_ARG const int* n_picked, GLOBAL const real* values,
                            LOCAL_ARG const real* by_moment, real scale, LOCAL_ARG nnp_word* pulled,
                            LOCAL_ARG int* failed)
{
    int count = COUNT;
    for (int at = LOCAL_ID; at < count; at += GROUP_SIZE) {
        int slot = SLOT(at);
        real q[NNP_LEGENDRES(L_MAX)], c[L_MAX + 1], s[L_MAX + 1];
        real y[NNP_HARMONICS(L_MAX)], h[NNP_HARMONICS(L_MAX)], slope = 0, gx, gy, gz;
        GROUP(angles)(slot, lane, q, c, s);
        nnp_harmonics(L_MAX, q, c, s, y);
        NNP_UNROLL for (int row = 0; row < NNP_HARMONICS(L_MAX); ++row)
            h[row] = 0;
        NNP_KEEP_LOOP for (int first = 0; first < N_RADIAL; first += AT_ONCE_BACK) {
            real g[AT_ONCE_BACK], dg[AT_ONCE_BACK];
            GROUP(radial)(slot, first, AT_ONCE_BACK, range, lane, values, g, dg);
            int here = first + AT_ONCE_BACK < N_RADIAL ? AT_ONCE_BACK : N_RADIAL - first;
            NNP_KEEP_LOOP for (int i = 0; i < here; ++i) {
                LOCAL_ARG const real* weights = by_moment + FIRST_MOMENT + (first + i) * ROWS;
                real g_i = g[0], dg_i = dg[0], along = 0;
                NNP_UNROLL for (int k = 1; k < AT_ONCE_BACK; ++k) { // a loop's number finds no register by itself
                    g_i = i == k ? g[k] : g_i;
                    dg_i = i == k ? dg[k] : dg_i;
                }
                NNP_UNROLL for (int row = 0; row < ROWS; ++row) {
                    h[FIRST_ROW + row] += weights[row] * g_i;
                    along += weights[row] * y[FIRST_ROW + row];
                }
                slope += along * dg_i;
            }
        }
        // u slope + (G - (u . G) u) / r with the unit vector u and the gradient G of sum h Y by it
        nnp_harmonics_gradient(L_MAX, q, c, s, h, &gx, &gy, &gz);
        real inverse = LANE_INVERSE(slot), x = LANE_X(slot), y_ = LANE_Y(slot), z = LANE_Z(slot);
        real along = (slope - (x * gx + y_ * gy + z * gz) * inverse * inverse) * inverse;
        nnp_pull(along * x + inverse * gx, along * y_ + inverse * gy, along * z + inverse * gz, slot, scale, pulled,
                 failed);
    }
}
