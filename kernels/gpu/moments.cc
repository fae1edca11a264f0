// Moments of one radial series (plan/moments.h) in local memory, without the harmonics' norms: these stand in the
// values of the polynomials. Written once per series by the generator, which defines GROUP and
//   FIRST_MOMENT, N_RADIAL, N_TERMS, ARGUMENT, CUTOFF_KIND, INNER_FRACTION, L_MIN, L_MAX
//   RADII, COEFFICIENTS   where they stand in `values`: [element]; [element][term][radial function]
//   COUNT, SLOT(i)        its slots: how many, and which
//   TILE, PARTS           below
//   AT_ONCE               radial functions of a slot that one thread computes on the way forward
// The series' moments stand [radial function][row], rows of harmonics.h from L_MIN on.
//
// Neighbours come by the chunk. One thread has a slot's harmonics, others have its radial functions, and they write
//
//   chunk   | g_0: CHUNK slots, gap | g_1 .. | first row of Y: CHUNK slots, gap | next row ..
//
// Then threads own sums: TILE radial functions of one row, over every PARTS-th slot.

#define FIRST_ROW (L_MIN * L_MIN)
#define ROWS (NNP_HARMONICS(L_MAX) - FIRST_ROW)
#define ITEMS (ROWS * ((N_RADIAL + TILE - 1) / TILE))
#define IN_CHUNK(row, place) chunk[(row) * (CHUNK + 1) + (place)]

// Radial functions first to first + count - 1 of a slot and their slopes; those beyond the last one have no meaning.
NNP_FN void GROUP(radial)(int slot, int first, int count, LOCAL_ARG const int* range, LOCAL_ARG const real* lane,
                          GLOBAL const real* values, real* g, real* dg)
{
    int element = nnp_element(slot, range);
    GLOBAL const real* c = values + COEFFICIENTS + element * (N_TERMS * N_RADIAL) + first;
    real radius = values[RADII + element], r = LANE_R(slot), x, dx, f, df;
    nnp_cutoff(CUTOFF_KIND, r, radius, INNER_FRACTION, &f, &df);
    nnp_chebyshev_argument(ARGUMENT, r, radius, &x, &dx);
    real before = x, t = 1, d_before = 1, dt = 0, two_x = 2 * x;
    NNP_UNROLL for (int i = 0; i < count; ++i)
        g[i] = dg[i] = 0;
    NNP_KEEP_LOOP for (int k = 0; k < N_TERMS; ++k) {
        NNP_UNROLL for (int i = 0; i < count; ++i) {
            real weight = c[k * N_RADIAL + i];
            g[i] += weight * t;
            dg[i] += weight * dt;
        }
        nnp_chebyshev_next(two_x, &before, &t, &d_before, &dt);
    }
    NNP_UNROLL for (int i = 0; i < count; ++i) {
        dg[i] = dg[i] * dx * f + g[i] * df;
        g[i] *= f;
    }
}

// The parts of harmonics.h at a slot.
NNP_FN void GROUP(angles)(int slot, LOCAL_ARG const real* lane, real* q, real* c, real* s)
{
    real inverse = LANE_INVERSE(slot);
    nnp_legendre(L_MAX, LANE_Z(slot) * inverse, q);
    nnp_azimuth(L_MAX, LANE_X(slot) * inverse, LANE_Y(slot) * inverse, c, s);
}

// Where the threads of all parts sum: `scratch`, or what is asked for itself.
NNP_FN LOCAL_ARG mixed* GROUP(open)(LOCAL_ARG mixed* scratch, LOCAL_ARG mixed* moments)
{
    if (PARTS == 1)
        return moments + FIRST_MOMENT;
    for (int at = LOCAL_ID; at < PARTS * N_RADIAL * ROWS; at += GROUP_SIZE)
        scratch[at] = 0;
    return scratch;
}

// Adds a chunk of `count` slots.
DEVICE void GROUP(add)(int count, LOCAL_ARG const real* chunk, LOCAL_ARG mixed* sums)
{
    for (int at = LOCAL_ID; at < PARTS * ITEMS; at += GROUP_SIZE) {
        int part = at / ITEMS, item = at - part * ITEMS, row = item % ROWS, first = item / ROWS * TILE;
        real sum[TILE];
        NNP_UNROLL for (int i = 0; i < TILE; ++i)
            sum[i] = 0;
        for (int place = part; place < count; place += PARTS) {
            real y = IN_CHUNK(N_RADIAL + row, place);
            NNP_UNROLL for (int i = 0; i < TILE; ++i) // rows beyond the last g are others, and forgotten below
                sum[i] += y * IN_CHUNK(first + i, place);
        }
        NNP_UNROLL for (int i = 0; i < TILE; ++i) {
            if (first + i < N_RADIAL)
                sums[(part * N_RADIAL + first + i) * ROWS + row] += sum[i];
        }
    }
}

DEVICE void GROUP(close)(LOCAL_ARG const mixed* scratch, LOCAL_ARG mixed* moments)
{
    SYNC_THREADS
    for (int at = LOCAL_ID; at < (PARTS == 1 ? 0 : N_RADIAL * ROWS); at += GROUP_SIZE) {
        mixed sum = 0;
        for (int part = 0; part < PARTS; ++part)
            sum += scratch[part * N_RADIAL * ROWS + at];
        moments[FIRST_MOMENT + at] += sum;
    }
    SYNC_THREADS
}

// Slots base to base + CHUNK - 1 of `count` into the chunk: g and Y.
DEVICE void GROUP(fill)(int base, int count, LOCAL_ARG const int* range, LOCAL_ARG const real* lane,
                        LOCAL_ARG const int* picked, GLOBAL const real* values, LOCAL_ARG real* chunk)
{
    SYNC_THREADS
    for (int at = LOCAL_ID; at < CHUNK * (1 + (N_RADIAL + AT_ONCE - 1) / AT_ONCE); at += GROUP_SIZE) {
        int place = at % CHUNK, first = (at / CHUNK - 1) * AT_ONCE;
        if (base + place < count && first < 0) {
            real q[NNP_LEGENDRES(L_MAX)], c[L_MAX + 1], s[L_MAX + 1], y[NNP_HARMONICS(L_MAX)];
            GROUP(angles)(SLOT(base + place), lane, q, c, s);
            nnp_harmonics(L_MAX, q, c, s, y);
            NNP_UNROLL for (int row = 0; row < ROWS; ++row)
                IN_CHUNK(N_RADIAL + row, place) = y[FIRST_ROW + row];
        } else if (base + place < count) {
            real g[AT_ONCE], dg[AT_ONCE];
            GROUP(radial)(SLOT(base + place), first, AT_ONCE, range, lane, values, g, dg);
            NNP_UNROLL for (int i = 0; i < AT_ONCE; ++i) {
                if (first + i < N_RADIAL)
                    IN_CHUNK(first + i, place) = g[i];
            }
        }
    }
    SYNC_THREADS
}

// Adds the neighbours of one tile to the moments.
DEVICE void GROUP(forward)(LOCAL_ARG const int* range, int diagonal, LOCAL_ARG const real* lane,
                           LOCAL_ARG const int* picked, LOCAL_ARG const int* n_picked, GLOBAL const real* values,
                           LOCAL_ARG real* chunk, LOCAL_ARG mixed* scratch, LOCAL_ARG mixed* moments)
{
    int count = COUNT;
    LOCAL_ARG mixed* sums = GROUP(open)(scratch, moments);
    for (int base = 0; base < count; base += CHUNK) {
        GROUP(fill)(base, count, range, lane, picked, values, chunk);
        GROUP(add)(base + CHUNK < count ? CHUNK : count - base, chunk, sums);
    }
    GROUP(close)(scratch, moments);
}
