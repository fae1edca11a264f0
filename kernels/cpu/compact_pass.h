// Compact angular functions of one atom (plan/compact.h): neighbour j of one side as a row, the lanes are neighbours k
// of the other. No list of triples: the sorted sides bound each window to a range.
#ifndef NNP_CPU_COMPACT_PASS_H
#define NNP_CPU_COMPACT_PASS_H

#include "compact_sides.h"

namespace nnp::NNP_TARGET
{

// The windows that see a row, and the lanes that any of them sees.
struct Row {
    int j, n_active;
    int* active;  // windows with R_w(r_ij) > 0
    Range lanes;
};

// What one group keeps from the forward to the backward pass, and room that both use.
struct Compact {
    Side *one, *two;  // the same one for equal elements: then j < k
    Windowed windows_1, windows_2;
    Row row;
    nnp_scalar* angles;    // [angle][lane] of a row
    nnp_scalar* opposite;  // [window][lane] R_w(r_ik) R_w(r_jk) of a row, narrow functions
};

static void take_compact(const CompactGroup& g, Side* one, Side* two, Arena& arena, Compact& c)
{
    c = Compact{};
    c.one = one;
    c.two = two;
    c.windows_1 = make_windows(g, *one, arena);
    c.windows_2 = one == two ? c.windows_1 : make_windows(g, *two, arena);
    c.row.active = take<int>(arena, (int64_t)g.windows.size() + 1);
    c.angles = take<nnp_scalar>(arena, (int64_t)g.angles.size() * two->lanes + W);
    if (g.narrow)
        c.opposite = take<nnp_scalar>(arena, (int64_t)g.windows.size() * two->lanes + W);
}

static void begin_row(const CompactGroup& g, int j, Compact& c)
{
    Row& row = c.row;
    row.j = j;
    row.n_active = 0;
    row.lanes = {c.two->lanes, 0};
    int after = c.one == c.two ? j + 1 : 0;
    for (int w = 0; w < (int)g.windows.size(); ++w) {
        Range mine = c.windows_1.range[w], seen = c.windows_2.range[w];
        if (j < mine.begin || j >= mine.end || seen.end <= after || seen.begin >= seen.end)
            continue;
        row.active[row.n_active++] = w;
        int begin = seen.begin > after ? seen.begin : after;
        row.lanes.begin = begin < row.lanes.begin ? begin : row.lanes.begin;
        row.lanes.end = seen.end > row.lanes.end ? seen.end : row.lanes.end;
    }
    row.lanes.begin = row.lanes.begin / W * W;
}

NNP_INLINE real lane_numbers(int first)
{
    real numbers;
    for (int l = 0; l < W; ++l)
        numbers[l] = (nnp_scalar)(first + l);
    return numbers;
}

// Zero for the lanes of a row that are not triples of it: k <= j of one element.
NNP_INLINE real only_triples(const Compact& c, int k, real value)
{
    if (c.one != c.two || k > c.row.j)
        return value;
    return lane_numbers(k) > splat((nnp_scalar)c.row.j) ? value : real{};
}

NNP_INLINE real cosine_of(const Compact& c, int k)
{
    const Side &one = *c.one, &two = *c.two;
    int j = c.row.j;
    real cosine = one.x[j] * load(two.x + k) + one.y[j] * load(two.y + k) + one.z[j] * load(two.z + k);
    cosine = cosine > splat(1) ? splat(1) : cosine;
    return cosine < splat(-1) ? splat(-1) : cosine;
}

// dtheta/dcos, 0 at exact collinearity.
NNP_INLINE real angle_slope(real cosine)
{
    real sine2 = ((nnp_scalar)1 - cosine) * ((nnp_scalar)1 + cosine);
    real inverse = inverse_square_root(sine2 > real{} ? sine2 : splat(1));
    return sine2 > real{} ? -inverse : real{};
}

NNP_INLINE real opposite_distance(const Compact& c, int k, real cosine)
{
    const nnp_scalar r_j = c.one->r[c.row.j];
    real r_k = load(c.two->r + k);
    real square = r_j * r_j + r_k * r_k - (nnp_scalar)2 * r_j * r_k * cosine;
    return square_root(square > real{} ? square : real{});
}

NNP_INLINE bool sees(const Compact& c, int window, int k)
{
    Range range = c.windows_2.range[window];
    return k < range.end && k + W > range.begin;
}

// A_a of a row's lanes, and for narrow functions the two sides that end at k.
static void fill_row(const CompactGroup& g, Compact& c)
{
    const int n = (int)g.angles.size(), lanes = c.two->lanes;
    for (int k = c.row.lanes.begin; k < c.row.lanes.end; k += W) {
        real cosine = cosine_of(c, k), theta = arc_cosine(cosine);
        for (int a = 0; a < n; ++a) {
            const CompactWindow& window = g.angles[a];
            real value, slope;
            nnp_compact(window.core, 0, theta, (nnp_scalar)window.left, (nnp_scalar)window.right, &value, &slope);
            store(c.angles + (int64_t)a * lanes + k, only_triples(c, k, value));
        }
        if (!g.narrow)
            continue;
        real r = opposite_distance(c, k, cosine);
        for (int i = 0; i < c.row.n_active; ++i) {
            int w = c.row.active[i];
            if (!sees(c, w, k))
                continue;
            const CompactWindow& window = g.windows[w];
            real value, slope;
            nnp_compact(window.core, window.asymmetric, r, (nnp_scalar)window.left, (nnp_scalar)window.right, &value,
                        &slope);
            store(c.opposite + (int64_t)w * lanes + k, value * load(c.windows_2.value + (int64_t)w * lanes + k));
        }
    }
}

// Sums over k of one window and up to N of its members, times R_w(r_ij).
template <int N>
NNP_INLINE void member_sums(const CompactGroup& g, const Compact& c, int w, int first, const nnp_scalar* side,
                            double* sums)
{
    const int lanes = c.two->lanes;
    Range range = c.windows_2.range[w];
    int begin = range.begin / W * W > c.row.lanes.begin ? range.begin / W * W : c.row.lanes.begin;
    real acc[4] = {};
    const nnp_scalar* angle[N];
    NNP_UNROLL for (int m = 0; m < N; ++m) angle[m] = c.angles + (int64_t)g.members[first + m].angle * lanes;
    for (int k = begin; k < range.end; k += W) {
        real radial = load(side + k);
        NNP_UNROLL for (int m = 0; m < N; ++m) acc[m] += radial * load(angle[m] + k);
    }
    nnp_scalar total[4] = {};
    add_lane_sums(total, acc[0], acc[1], acc[2], acc[3]);
    const nnp_scalar own = c.windows_1.value[(int64_t)w * c.one->lanes + c.row.j];
    NNP_UNROLL for (int m = 0; m < N; ++m) sums[first + m] += (double)own * (double)total[m];
}

static void compact_forward(const CompactGroup& g, Arena& arena, Compact& c, double* descriptors)
{
    const int n = (int)g.members.size();
    double* sums = take<double>(arena, n + 1);
    for (int m = 0; m < n; ++m)
        sums[m] = 0;
    for (int j = 0; j < c.one->count; ++j) {
        begin_row(g, j, c);
        if (c.row.n_active == 0)
            continue;
        fill_row(g, c);
        for (int i = 0; i < c.row.n_active; ++i) {
            int w = c.row.active[i];
            const nnp_scalar* side = (g.narrow ? c.opposite : c.windows_2.value) + (int64_t)w * c.two->lanes;
            for (int m = g.starts[w]; m < g.starts[w + 1];) {
                int left = g.starts[w + 1] - m;
                if (left >= 4)
                    member_sums<4>(g, c, w, m, side, sums);
                else if (left == 3)
                    member_sums<3>(g, c, w, m, side, sums);
                else if (left == 2)
                    member_sums<2>(g, c, w, m, side, sums);
                else
                    member_sums<1>(g, c, w, m, side, sums);
                m += left < 4 ? left : 4;
            }
        }
    }
    for (int m = 0; m < n; ++m)
        descriptors[g.members[m].index] = sums[m];
}

// Room of the backward pass for one vector of triples and one row.
struct CompactBack {
    const nnp_scalar* weights;       // [member] dL/dG
    real *value, *slope, *by_angle;  // [angle] A_a, dA_a/dtheta, dL/dA_a
    real* by_row_window;             // [window] sums over k of dL/dR_w(r_ij)
};

// One vector of triples: derivatives by the windows, then by the two neighbours; returns what belongs to the row.
NNP_INLINE void pull_vector(const CompactGroup& g, const Compact& c, const CompactBack& back, int k, real* row)
{
    const int n_angles = (int)g.angles.size(), j = c.row.j, lanes = c.two->lanes;
    const Side &one = *c.one, &two = *c.two;
    real cosine = cosine_of(c, k), theta = arc_cosine(cosine);
    for (int a = 0; a < n_angles; ++a) {
        const CompactWindow& window = g.angles[a];
        real value, slope;
        nnp_compact(window.core, 0, theta, (nnp_scalar)window.left, (nnp_scalar)window.right, &value, &slope);
        back.value[a] = only_triples(c, k, value);
        back.slope[a] = only_triples(c, k, slope);
        back.by_angle[a] = real{};
    }
    real r = g.narrow ? opposite_distance(c, k, cosine) : real{}, by_opposite = {}, pull_k = {};
    for (int i = 0; i < c.row.n_active; ++i) {
        const int w = c.row.active[i];
        if (!sees(c, w, k))
            continue;
        const CompactWindow& window = g.windows[w];
        real third = splat(1), third_slope = {};
        if (g.narrow)
            nnp_compact(window.core, window.asymmetric, r, (nnp_scalar)window.left, (nnp_scalar)window.right, &third,
                        &third_slope);
        const nnp_scalar own = c.windows_1.value[(int64_t)w * one.lanes + j];
        real side = load(c.windows_2.value + (int64_t)w * lanes + k), product = own * side * third, sum = {};
        for (int m = g.starts[w]; m < g.starts[w + 1]; ++m) {
            const int a = g.members[m].angle;
            real weight = splat(back.weights[m]);
            sum += weight * back.value[a];
            back.by_angle[a] += weight * product;
        }
        back.by_row_window[w] += sum * side * third;
        pull_k += own * sum * third * load(c.windows_2.slope + (int64_t)w * lanes + k);
        by_opposite += own * sum * side * third_slope;
    }
    real by_cosine = {};
    for (int a = 0; a < n_angles; ++a)
        by_cosine += back.by_angle[a] * back.slope[a];
    by_cosine *= angle_slope(cosine);
    const nnp_scalar inverse_j = one.inverse[j], x_j = one.x[j] * one.r[j], y_j = one.y[j] * one.r[j],
                     z_j = one.z[j] * one.r[j];
    real inverse_k = load(two.inverse + k), r_k = load(two.r + k);
    real across = by_cosine * inverse_j * inverse_k;  // of the other vector, for each of the two
    if (g.narrow) {
        real opposite = by_opposite / (r > real{} ? r : splat(1));
        across -= opposite;
        pull_k += opposite;
        row[0] += opposite;
    }
    pull_k -= by_cosine * cosine * inverse_k * inverse_k;
    row[0] -= by_cosine * cosine * (inverse_j * inverse_j);
    real stretched = across * r_k;
    row[1] += stretched * load(two.x + k);
    row[2] += stretched * load(two.y + k);
    row[3] += stretched * load(two.z + k);
    store(two.pull + k, load(two.pull + k) + pull_k);
    store(two.pull_x + k, load(two.pull_x + k) + across * x_j);
    store(two.pull_y + k, load(two.pull_y + k) + across * y_j);
    store(two.pull_z + k, load(two.pull_z + k) + across * z_j);
}

static void compact_backward(const CompactGroup& g, Arena& arena, Compact& c, const double* dl_dg)
{
    const size_t n = g.members.size(), n_angles = g.angles.size(), n_windows = g.windows.size();
    nnp_scalar* weights = take<nnp_scalar>(arena, n + 1);
    for (size_t m = 0; m < n; ++m)
        weights[m] = (nnp_scalar)dl_dg[g.members[m].index];
    real* room = take<real>(arena, 3 * n_angles + n_windows);
    CompactBack back = {weights, room, room + n_angles, room + 2 * n_angles, room + 3 * n_angles};
    Side& one = *c.one;
    for (int j = 0; j < one.count; ++j) {
        begin_row(g, j, c);
        if (c.row.n_active == 0)
            continue;
        for (size_t w = 0; w < n_windows; ++w)
            back.by_row_window[w] = real{};
        real row[4] = {};
        for (int k = c.row.lanes.begin; k < c.row.lanes.end; k += W)
            pull_vector(g, c, back, k, row);
        real by_distance = row[0];
        for (int i = 0; i < c.row.n_active; ++i) {
            const int w = c.row.active[i];
            by_distance += back.by_row_window[w] * c.windows_1.slope[(int64_t)w * one.lanes + j];
        }
        one.pull[j] += sum_lanes(by_distance);
        one.pull_x[j] += sum_lanes(row[1]);
        one.pull_y[j] += sum_lanes(row[2]);
        one.pull_z[j] += sum_lanes(row[3]);
    }
}

// dG along the neighbours' displacements, the plain way: training only.
static void compact_push_forward(const CompactGroup& g, Arena& arena, Compact& c, double* descriptors)
{
    const int n = (int)g.members.size(), n_angles = (int)g.angles.size(), lanes = c.two->lanes;
    real* sums = take<real>(arena, n + 2 * n_angles + 1);
    real *value = sums + n, *change = value + n_angles;
    const Side &one = *c.one, &two = *c.two;
    for (int m = 0; m < n; ++m)
        descriptors[g.members[m].index] = 0;
    for (int j = 0; j < one.count; ++j) {
        begin_row(g, j, c);
        for (int m = 0; m < n; ++m)
            sums[m] = real{};
        for (int k = c.row.lanes.begin; k < c.row.lanes.end; k += W) {
            real cosine = cosine_of(c, k), theta = arc_cosine(cosine);
            real along_j = one.dx[j] * load(two.x + k) + one.dy[j] * load(two.y + k) + one.dz[j] * load(two.z + k);
            real along_k = load(two.dx + k) * one.x[j] + load(two.dy + k) * one.y[j] + load(two.dz + k) * one.z[j];
            real d_cosine = (along_j - cosine * one.dr[j]) * one.inverse[j] +
                            (along_k - cosine * load(two.dr + k)) * load(two.inverse + k);
            real d_theta = d_cosine * angle_slope(cosine);
            for (int a = 0; a < n_angles; ++a) {
                const CompactWindow& window = g.angles[a];
                real slope;
                nnp_compact(window.core, 0, theta, (nnp_scalar)window.left, (nnp_scalar)window.right, &value[a],
                            &slope);
                value[a] = only_triples(c, k, value[a]);
                change[a] = only_triples(c, k, slope * d_theta);
            }
            real r = opposite_distance(c, k, cosine), r_k = load(two.r + k), guarded = r > real{} ? r : splat(1);
            real dr = ((one.r[j] - r_k * cosine) * one.dr[j] + (r_k - one.r[j] * cosine) * load(two.dr + k) -
                       one.r[j] * r_k * d_cosine) /
                      guarded;
            for (int i = 0; i < c.row.n_active; ++i) {
                const int w = c.row.active[i];
                if (!sees(c, w, k))
                    continue;
                const CompactWindow& window = g.windows[w];
                real third = splat(1), third_slope = {};
                if (g.narrow)
                    nnp_compact(window.core, window.asymmetric, r, (nnp_scalar)window.left, (nnp_scalar)window.right,
                                &third, &third_slope);
                const nnp_scalar own = c.windows_1.value[(int64_t)w * one.lanes + j];
                const nnp_scalar d_own = c.windows_1.slope[(int64_t)w * one.lanes + j] * one.r[j] * one.dr[j];
                real side = load(c.windows_2.value + (int64_t)w * lanes + k);
                real d_side = load(c.windows_2.slope + (int64_t)w * lanes + k) * r_k * load(two.dr + k);
                real product = own * side * third;
                real d_product = d_own * side * third + own * (d_side * third + side * third_slope * dr);
                for (int m = g.starts[w]; m < g.starts[w + 1]; ++m) {
                    const int a = g.members[m].angle;
                    sums[m] += d_product * value[a] + product * change[a];
                }
            }
        }
        for (int m = 0; m < n; ++m)
            descriptors[g.members[m].index] += sum_lanes_double(sums[m]);
    }
}

}  // namespace nnp::NNP_TARGET

#endif
