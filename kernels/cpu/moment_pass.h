// Functions made of moments (plan/moments.h). Forward, atom by atom: radial series and harmonics of every neighbour,
// the moments as a small matrix product over lanes; then, for a batch of atoms, the functions from the moments.
// Backward: the derivatives by the moments of the whole batch, then each atom's neighbours; contracted over n first, a
// neighbour costs (l_max + 1)^2 numbers whatever n is.
#ifndef NNP_CPU_MOMENT_PASS_H
#define NNP_CPU_MOMENT_PASS_H

#include "moment_functions.h"
#include "moment_squares.h"
#include "moment_sums.h"

namespace nnp::NNP_TARGET
{

// What a group keeps of one atom for the way back.
struct KeptMoments {
    TermLanes terms;  // of a group of sums alone, else:
    Shell shell;
    nnp_scalar *g, *dg;  // [n][lane] g_n and dg_n/dr
};

// What a group has of a batch of atoms.
struct GroupLanes {
    nnp_scalar* terms;  // [element][term][atom] of a group of sums alone: sums, then derivatives by them; else:
    Moments moments;
    nnp_scalar* squares;  // [n][atom] sum_j g_n^2, where it plays a part; then derivatives by it
};

// y [rows, whole blocks][lane]; change: how they move with the neighbours' displacement, Mode::push_forward.
template <int L>
static void harmonics_of_lanes(const Shell& nb, int first_row, nnp_scalar* y, nnp_scalar* change)
{
    constexpr int M = NNP_HARMONICS(L);
    for (int k = 0; k < nb.size; k += W) {
        real x, yy, z, q[NNP_LEGENDRES(L)], c[L + 1], s[L + 1], row[M];
        x = load(nb.x + k);
        yy = load(nb.y + k);
        z = load(nb.z + k);
        nnp_legendre(L, z, q);
        nnp_azimuth(L, x, yy, c, s);
        nnp_harmonics(L, q, c, s, row);
        for (int i = first_row; i < M; ++i)
            store(y + (int64_t)(i - first_row) * nb.size + k, row[i]);
        if (!change)
            continue;
        real dx = load(nb.dx + k), dy = load(nb.dy + k), dz = load(nb.dz + k), inverse = load(nb.inverse + k);
        real along = x * dx + yy * dy + z * dz;
        nnp_harmonics_change(L, q, c, s, (dx - along * x) * inverse, (dy - along * yy) * inverse,
                             (dz - along * z) * inverse, row);
        for (int i = first_row; i < M; ++i)
            store(change + (int64_t)(i - first_row) * nb.size + k, row[i]);
    }
}

// sums[n][4] += sum over `lanes` lanes of g_n y_lm, for N radial functions and four harmonics, `stride` apart.
template <int N>
NNP_INLINE void tile_sums(const nnp_scalar* g, const nnp_scalar* y, int lanes, int stride, nnp_scalar (*sums)[ROWS])
{
    real acc[N][ROWS] = {};
    for (int k = 0; k < lanes; k += W) {
        real row[ROWS];
        NNP_UNROLL for (int m = 0; m < ROWS; ++m) row[m] = load(y + (int64_t)m * stride + k);
        NNP_UNROLL for (int i = 0; i < N; ++i)
        {
            real radial = load(g + (int64_t)i * stride + k);
            NNP_UNROLL for (int m = 0; m < ROWS; ++m) acc[i][m] += radial * row[m];
        }
    }
    NNP_UNROLL for (int i = 0; i < N; ++i) add_lane_sums(sums[i], acc[i][0], acc[i][1], acc[i][2], acc[i][3]);
}

// out [n][row][atom] += g [n][lane] times y [rows][lane], summed over `lanes`, of some radial functions; y has whole
// blocks of ROWS rows.
static void multiply_lanes(const nnp_scalar* g, const nnp_scalar* y, Range lanes, int stride, Range functions,
                           const Moments& m, nnp_scalar* out)
{
    const int n_lanes = lanes.end - lanes.begin;
    for (int i = functions.begin; i < functions.end;) {
        int left = functions.end - i, count = left == 5 || left == 6 ? 3 : left < 4 ? left : 4;
        for (int row = 0; row < m.rows; row += ROWS) {
            nnp_scalar sums[4][ROWS] = {};
            const nnp_scalar *from = g + (int64_t)i * stride + lanes.begin,
                             *with = y + (int64_t)row * stride + lanes.begin;
            if (count == 4)
                tile_sums<4>(from, with, n_lanes, stride, sums);
            else if (count == 3)
                tile_sums<3>(from, with, n_lanes, stride, sums);
            else if (count == 2)
                tile_sums<2>(from, with, n_lanes, stride, sums);
            else
                tile_sums<1>(from, with, n_lanes, stride, sums);
            for (int b = 0; b < ROWS && row + b < m.rows; ++b) {
                for (int a = 0; a < count; ++a)
                    out[((int64_t)(i + a) * m.whole + row + b) * W] += sums[a][b];
            }
        }
        i += count;
    }
}

// The same over a shell, of each element's lanes the functions that see it.
static void multiply_shell(const MomentGroup& group, const Shell& shell, const nnp_scalar* g, const nnp_scalar* y,
                           const Moments& m, nnp_scalar* out)
{
    if (m.sees_all) {
        multiply_lanes(g, y, {0, shell.size}, shell.size, {0, m.n}, m, out);
        return;
    }
    for (size_t e = 0; e < group.seen.size(); ++e)
        multiply_lanes(g, y, shell.elements[e], shell.size, {group.seen[e].begin, group.seen[e].end}, m, out);
}

NNP_INLINE nnp_scalar* take_rows(Arena& arena, const Moments& m, int lanes)
{
    int whole = round_up(m.rows, ROWS);
    nnp_scalar* y = take<nnp_scalar>(arena, (int64_t)whole * lanes);
    std::memset(y + (int64_t)m.rows * lanes, 0, (int64_t)(whole - m.rows) * lanes * sizeof(nnp_scalar));
    return y;
}

template <int L>
static void moments_of_shell(const MomentGroup& group, int n_elements, ThreadState& state, KeptMoments& kept,
                             const Moments& m, int atom)
{
    const Shell& shell = kept.shell;
    kept.g = take<nnp_scalar>(state.arena, (int64_t)m.n * shell.size);
    kept.dg = take<nnp_scalar>(state.arena, (int64_t)m.n * shell.size);
    radial_series(group, shell, n_elements, kept.g, kept.dg);
    nnp_scalar* y = take_rows(state.passing, m, shell.size);
    harmonics_of_lanes<L>(shell, m.first_row, y, nullptr);
    multiply_shell(group, shell, kept.g, y, m, m.a + atom);
}

// h = sum_n d_n g_n and dh = sum_n d_n dg_n/dr for ROWS harmonics on one vector of lanes; d [n][row][atom].
NNP_INLINE void contract(const KeptMoments& kept, const Moments& m, FunctionRange seen, const nnp_scalar* d, int k,
                         real* h, real* dh)
{
    const int lanes = kept.shell.size;
    real value[ROWS] = {}, slope[ROWS] = {};
    d += (int64_t)seen.begin * m.whole * W;
    for (int i = seen.begin; i < seen.end; ++i, d += (int64_t)m.whole * W) {
        real g = load(kept.g + (int64_t)i * lanes + k), dg = load(kept.dg + (int64_t)i * lanes + k);
        NNP_UNROLL for (int row = 0; row < ROWS; ++row)
        {
            real weight = splat(d[row * W]);
            value[row] += weight * g;
            slope[row] += weight * dg;
        }
    }
    NNP_UNROLL for (int row = 0; row < ROWS; ++row)
    {
        h[row] = value[row];
        dh[row] = slope[row];
    }
}

// The derivative by each r_ij: u sum dh Y + (G - (u.G) u)/r, G the gradient of sum h Y by the unit vector u.
template <int L>
static void pull_lanes(const KeptMoments& kept, Range lanes, const Moments& m, FunctionRange seen, int atom)
{
    constexpr int M = NNP_HARMONICS(L);
    const Shell& nb = kept.shell;
    for (int k = lanes.begin; k < lanes.end; k += W) {
        real x, y, z, q[NNP_LEGENDRES(L)], c[L + 1], s[L + 1], row[M], h[M + ROWS], dh[M + ROWS];
        for (int i = 0; i < m.first_row; ++i)
            h[i] = dh[i] = real{};
        for (int i = 0; i < m.rows; i += ROWS)
            contract(kept, m, seen, m.d + i * W + atom, k, h + m.first_row + i, dh + m.first_row + i);
        x = load(nb.x + k);
        y = load(nb.y + k);
        z = load(nb.z + k);
        nnp_legendre(L, z, q);
        nnp_azimuth(L, x, y, c, s);
        nnp_harmonics(L, q, c, s, row);
        real radial = {}, gx, gy, gz, inverse = load(nb.inverse + k);
        NNP_UNROLL for (int i = 0; i < M; ++i) radial += dh[i] * row[i];
        nnp_harmonics_gradient(L, q, c, s, h, &gx, &gy, &gz);
        real along = x * gx + y * gy + z * gz;
        store(nb.pull + k, load(nb.pull + k) + (radial - along * inverse) * inverse);
        store(nb.pull_x + k, load(nb.pull_x + k) + gx * inverse);
        store(nb.pull_y + k, load(nb.pull_y + k) + gy * inverse);
        store(nb.pull_z + k, load(nb.pull_z + k) + gz * inverse);
    }
}

template <int L>
static void pull_neighbors(const MomentGroup& group, const KeptMoments& kept, const Moments& m, int atom)
{
    if (m.sees_all) {
        pull_lanes<L>(kept, {0, kept.shell.size}, m, {0, m.n}, atom);
        return;
    }
    for (size_t e = 0; e < group.seen.size(); ++e)
        pull_lanes<L>(kept, kept.shell.elements[e], m, group.seen[e], atom);
}

// dA = sum (dg_n/dr along) Y + g_n dY.
template <int L>
static void push_shell(const MomentGroup& group, const KeptMoments& kept, Arena& arena, const GroupLanes& to, int atom)
{
    const Shell& shell = kept.shell;
    const Moments& m = to.moments;
    nnp_scalar *y = take_rows(arena, m, shell.size), *change = take_rows(arena, m, shell.size);
    nnp_scalar* dg = take<nnp_scalar>(arena, (int64_t)m.n * shell.size);
    harmonics_of_lanes<L>(shell, m.first_row, y, change);
    for (int k = 0; k < shell.size; k += W) {
        real along = load(shell.x + k) * load(shell.dx + k) + load(shell.y + k) * load(shell.dy + k) +
                     load(shell.z + k) * load(shell.dz + k);
        for (int i = 0; i < m.n; ++i)
            store(dg + (int64_t)i * shell.size + k, along * load(kept.dg + (int64_t)i * shell.size + k));
    }
    multiply_shell(group, shell, dg, y, m, m.d + atom);
    multiply_shell(group, shell, kept.g, change, m, m.d + atom);
    squares_of_atom(group, shell, kept.g, dg, 2, to.squares + atom);
}

// What depends on l_max: an instance for each.
struct ForDegree {
    void (*moments)(const MomentGroup&, int, ThreadState&, KeptMoments&, const Moments&, int);
    void (*pull)(const MomentGroup&, const KeptMoments&, const Moments&, int);
    void (*push)(const MomentGroup&, const KeptMoments&, Arena&, const GroupLanes&, int);
};

template <int L>
constexpr ForDegree for_degree()
{
    return {moments_of_shell<L>, pull_neighbors<L>, push_shell<L>};
}

// Degrees as plan/moments.cpp (kernel_degree) rounds them.
static const ForDegree FOR_DEGREE[NNP_MOST_L + 1] = {for_degree<0>(),
                                                     for_degree<1>(),
                                                     for_degree<2>(),
                                                     for_degree<3>(),
                                                     for_degree<4>(),
                                                     for_degree<5>(),
                                                     for_degree<6>(),
                                                     for_degree<7>(),
                                                     for_degree<8>(),
                                                     {},
                                                     {},
                                                     {},
                                                     for_degree<12>(),
                                                     {},
                                                     {},
                                                     {},
                                                     for_degree<16>(),
                                                     {},
                                                     {},
                                                     {},
                                                     for_degree<20>()};

static GroupLanes take_group(const MomentGroup& group, int n_elements, Arena& arena)
{
    GroupLanes lanes = {};
    if (group.only_sums())
        lanes.terms = take_zeros<nnp_scalar>(arena, (int64_t)n_elements * group.series.n_terms * W);
    else
        lanes.moments = take_moments(group, arena);
    if (!group.squares.empty())
        lanes.squares = take_zeros<nnp_scalar>(arena, (int64_t)group.series.n_functions * W);
    return lanes;
}

// The moments of the batch's atom number `atom`.
static void moments_of_atom(const MomentGroup& group, const Neighbors& nb, const double* reach, int n_elements,
                            int atom, ThreadState& state, KeptMoments& kept, const GroupLanes& lanes)
{
    state.passing.rewind();
    if (group.only_sums()) {
        sums_of_atom(group, nb, n_elements, state.arena, kept.terms, lanes.terms + atom);
        return;
    }
    make_shell(group.series, nb, n_elements, reach, state.arena, kept.shell);
    FOR_DEGREE[group.l_max].moments(group, n_elements, state, kept, lanes.moments, atom);
    squares_of_atom(group, kept.shell, kept.g, kept.g, 1, lanes.squares + atom);
}

// functions += those of a batch whose atoms' moments are there.
static void moment_forward(const MomentGroup& group, int n_elements, const GroupLanes& lanes, nnp_scalar* functions)
{
    if (group.only_sums()) {
        contract_sums(group, n_elements, lanes.terms, functions);
        return;
    }
    apply_norms(group.norms.data(), lanes.moments, lanes.moments.a);
    functions_of_moments(group, lanes.moments, functions);
    add_squares(group, lanes.squares, functions);
}

static void moment_backward(const MomentGroup& group, int n_elements, const GroupLanes& lanes, const nnp_scalar* dl_dg)
{
    if (group.only_sums()) {
        pull_sums(group, n_elements, dl_dg, lanes.terms);
        return;
    }
    pull_functions(group, lanes.moments, dl_dg);
    pull_squares(group, dl_dg, lanes.squares);
}

static void pull_atom(const MomentGroup& group, const Neighbors& nb, int n_elements, int atom, const KeptMoments& kept,
                      const GroupLanes& lanes)
{
    if (group.only_sums()) {
        pull_terms(group, nb, n_elements, kept.terms, lanes.terms + atom);
        return;
    }
    FOR_DEGREE[group.l_max].pull(group, kept, lanes.moments, atom);
    pull_squares_of_atom(group, kept.shell, kept.g, kept.dg, lanes.squares + atom);
    deliver_shell(kept.shell, n_elements, nb);
}

// The changes of an atom's moments, or sums of terms, with its neighbours' displacements.
static void push_atom(const MomentGroup& group, const Neighbors& nb, int n_elements, int atom, ThreadState& state,
                      const KeptMoments& kept, const GroupLanes& lanes)
{
    state.passing.rewind();
    if (group.only_sums())
        push_terms(group, nb, n_elements, kept.terms, lanes.terms + atom);
    else
        FOR_DEGREE[group.l_max].push(group, kept, state.passing, lanes, atom);
}

// changes += dG = dG/dA . dA of a batch.
static void moment_push_forward(const MomentGroup& group, int n_elements, const GroupLanes& lanes, nnp_scalar* changes)
{
    if (group.only_sums()) {
        contract_sums(group, n_elements, lanes.terms, changes);
        return;
    }
    apply_norms(group.norms.data(), lanes.moments, lanes.moments.a);
    apply_norms(group.norms.data(), lanes.moments, lanes.moments.d);
    push_functions(group, lanes.moments, changes);
    add_squares(group, lanes.squares, changes);
}

}  // namespace nnp::NNP_TARGET

#endif
