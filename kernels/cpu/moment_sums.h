// Groups of sums alone, sum_j g_n(r_ij): no direction plays a part. The terms f_c T_k are summed over the neighbours of
// an element first and contracted with c_nk once per batch of atoms; on the way back c goes into the weights first. A
// neighbour costs as many products as there are terms, whatever the number of functions.
#ifndef NNP_CPU_MOMENT_SUMS_H
#define NNP_CPU_MOMENT_SUMS_H

#include "moment_lanes.h"
#include "moment_series.h"

namespace nnp::NNP_TARGET
{

struct TermLanes {
    nnp_scalar *f, *df, *x;  // [lane] cutoff, its slope, and the argument; lanes as Neighbors has them
};

NNP_INLINE Range vectors_of(const Neighbors& nb, int element, int n_elements)
{
    return {nb.elements[element].begin, element + 1 < n_elements ? nb.elements[element + 1].begin : nb.size};
}

NNP_INLINE TermLanes take_terms(Arena& arena, int lanes)
{
    nnp_scalar* all = take<nnp_scalar>(arena, 3 * (int64_t)lanes);
    return {all, all + lanes, all + 2 * (int64_t)lanes};
}

// Lane sums of each term, where whole vectors of four are there; to [term][atom].
NNP_INLINE void total_terms(int n_terms, const real* acc, nnp_scalar* sums)
{
    nnp_scalar totals[MOST_TERMS_OF_A_SERIES + 4] = {};
    for (int k = 0; k < n_terms; k += 4)
        add_lane_sums(totals + k, acc[k], acc[k + 1], acc[k + 2], acc[k + 3]);
    for (int k = 0; k < n_terms; ++k)
        sums[k * W] = totals[k];
}

// sums[k] = sum of f T_k(x) over one element's lanes; f T_k follows the recurrence of T_k.
static void sum_terms(int n_terms, const TermLanes& terms, Range lanes, nnp_scalar* sums)
{
    real acc[MOST_TERMS_OF_A_SERIES + 4];
    for (int k = 0; k < n_terms + 4; ++k)
        acc[k] = real{};
    for (int lane = lanes.begin; lane < lanes.end; lane += W) {
        real x = load(terms.x + lane), two_x = x + x, before = load(terms.f + lane), now = x * before;
        acc[0] += before;
        acc[1] += now;
        for (int k = 2; k < n_terms; ++k) {
            real next = two_x * now - before;
            acc[k] += next;
            before = now;
            now = next;
        }
    }
    total_terms(n_terms, acc, sums);
}

// The terms of one element of the neighbour, [term][atom].
NNP_INLINE nnp_scalar* terms_of(const MomentGroup& group, int element, nnp_scalar* terms)
{
    return terms + (int64_t)element * group.series.n_terms * W;
}

// functions += the contraction of all elements' terms with c.
static void contract_sums(const MomentGroup& group, int n_elements, nnp_scalar* terms, nnp_scalar* functions)
{
    const int n_terms = group.series.n_terms;
    for (size_t i = 0; i < group.sums.size(); ++i) {
        const MomentSum& s = group.sums[i];
        real sum = {};
        for (int e = 0; e < n_elements; ++e) {
            const nnp_scalar* c = coefficients_of(group) + ((int64_t)e * group.series.n_functions + s.n) * n_terms;
            for (int k = 0; k < n_terms; ++k)
                sum += c[k] * load(terms_of(group, e, terms) + k * W);
        }
        add_lanes(functions + s.index * W, (nnp_scalar)(s.coefficient * group.norms[0]) * sum);
    }
}

// terms = the derivatives by the sums of terms, from those by the functions.
static void pull_sums(const MomentGroup& group, int n_elements, const nnp_scalar* dl_dg, nnp_scalar* terms)
{
    const int n_terms = group.series.n_terms;
    std::memset(terms, 0, sizeof(nnp_scalar) * n_elements * n_terms * W);
    for (size_t i = 0; i < group.sums.size(); ++i) {
        const MomentSum& s = group.sums[i];
        const real weight = (nnp_scalar)(s.coefficient * group.norms[0]) * load(dl_dg + s.index * W);
        for (int e = 0; e < n_elements; ++e) {
            const nnp_scalar* c = coefficients_of(group) + ((int64_t)e * group.series.n_functions + s.n) * n_terms;
            for (int k = 0; k < n_terms; ++k)
                add_lanes(terms_of(group, e, terms) + k * W, c[k] * weight);
        }
    }
}

// One atom's sums of terms [element][term][atom].
static void sums_of_atom(const MomentGroup& group, const Neighbors& nb, int n_elements, Arena& arena, TermLanes& terms,
                         nnp_scalar* sums)
{
    const RadialSeries& s = group.series;
    terms = take_terms(arena, nb.size);
    for (int e = 0; e < n_elements; ++e) {
        const Range lanes = vectors_of(nb, e, n_elements);
        if (s.radii[e] <= 0 || lanes.begin == lanes.end)
            continue;
        for (int k = lanes.begin; k < lanes.end; k += W) {
            SeriesLanes at = series_lanes(s, (nnp_scalar)s.radii[e], load(nb.r + k));
            store(terms.f + k, at.f);
            store(terms.df + k, at.df);
            store(terms.x + k, at.x);
        }
        sum_terms(s.n_terms, terms, lanes, terms_of(group, e, sums));
    }
}

// sum_k w_k T_k(x) and its slope by x, from the last term on (Clenshaw); w [term][atom].
NNP_INLINE void clenshaw(const nnp_scalar* w, int n_terms, real x, real* value, real* slope)
{
    real two_x = x + x, b = {}, b_next = {}, d = {}, d_next = {};
    for (int k = n_terms - 1; k > 0; --k) {
        real d_new = two_x * d + ((b + b) - d_next), b_new = two_x * b + (splat(w[k * W]) - b_next);
        d_next = d;
        d = d_new;
        b_next = b;
        b = b_new;
    }
    *value = x * b + (splat(w[0]) - b_next);
    *slope = b + x * d - d_next;
}

// The pulls of one atom's neighbours from the derivatives by its sums of terms.
static void pull_terms(const MomentGroup& group, const Neighbors& nb, int n_elements, const TermLanes& terms,
                       nnp_scalar* weights)
{
    const RadialSeries& s = group.series;
    for (int e = 0; e < n_elements; ++e) {
        const Range lanes = vectors_of(nb, e, n_elements);
        if (s.radii[e] <= 0)
            continue;
        for (int k = lanes.begin; k < lanes.end; k += W) {
            real value, slope, x, dx;
            nnp_chebyshev_argument(s.argument, load(nb.r + k), (nnp_scalar)s.radii[e], &x, &dx);
            clenshaw(terms_of(group, e, weights), s.n_terms, x, &value, &slope);
            real pull = value * load(terms.df + k) + slope * dx * load(terms.f + k);
            store(nb.pull + k, load(nb.pull + k) + pull * load(nb.inverse + k));
        }
    }
}

// sums[k] of the changes of f T_k with the neighbours' displacements.
static void sum_changes(const RadialSeries& s, const Neighbors& nb, const TermLanes& terms, nnp_scalar r_c, Range lanes,
                        nnp_scalar* sums)
{
    real acc[MOST_TERMS_OF_A_SERIES + 4], t[MOST_TERMS_OF_A_SERIES], dt[MOST_TERMS_OF_A_SERIES];
    for (int k = 0; k < s.n_terms + 4; ++k)
        acc[k] = real{};
    for (int lane = lanes.begin; lane < lanes.end; lane += W) {
        real x, dx,
            along = load(nb.inverse + lane) *
                    (load(nb.x + lane) * load(nb.dx + lane) + load(nb.y + lane) * load(nb.dy + lane) +
                     load(nb.z + lane) * load(nb.dz + lane));
        nnp_chebyshev_argument(s.argument, load(nb.r + lane), r_c, &x, &dx);
        nnp_chebyshev(s.n_terms, x, t, dt);
        real value = along * load(terms.df + lane), slope = along * dx * load(terms.f + lane);
        for (int k = 0; k < s.n_terms; ++k)
            acc[k] += value * t[k] + slope * dt[k];
    }
    total_terms(s.n_terms, acc, sums);
}

// The change of one atom's sums of terms with its neighbours' displacements.
static void push_terms(const MomentGroup& group, const Neighbors& nb, int n_elements, const TermLanes& terms,
                       nnp_scalar* sums)
{
    const RadialSeries& s = group.series;
    for (int e = 0; e < n_elements; ++e) {
        const Range lanes = vectors_of(nb, e, n_elements);
        if (s.radii[e] > 0 && lanes.begin < lanes.end)
            sum_changes(s, nb, terms, (nnp_scalar)s.radii[e], lanes, terms_of(group, e, sums));
    }
}

}  // namespace nnp::NNP_TARGET

#endif
