// Radial functions of moments on the lanes of a shell and their slopes: g_n = f_c sum_k c_nk T_k, or Gaussians. Of a
// neighbour only those functions are made that see its element.
#ifndef NNP_CPU_MOMENT_SERIES_H
#define NNP_CPU_MOMENT_SERIES_H

#include "moment_shell.h"
#include "moments.h"
#include "series.h"

namespace nnp::NNP_TARGET
{

// Coefficients in the kernel's own precision, [element of the neighbour][function][term].
NNP_INLINE const nnp_scalar* coefficients_of(const MomentGroup& group)
{
#if NNP_SINGLE
    return group.coefficients_single.data();
#else
    return group.series.coefficients.data();
#endif
}

// Cutoff and argument of one vector of lanes.
struct SeriesLanes {
    real x, dx, f, df;
};

NNP_INLINE SeriesLanes series_lanes(const RadialSeries& s, nnp_scalar r_c, real r)
{
    SeriesLanes out;
    nnp_cutoff(s.cutoff, r, r_c, (nnp_scalar)s.inner_fraction, &out.f, &out.df);
    nnp_chebyshev_argument(s.argument, r, r_c, &out.x, &out.dx);
    return out;
}

// N functions of one vector of lanes; c [N][terms], g and dg [N][lanes].
template <int N>
NNP_INLINE void series_tile(const nnp_scalar* c, int n_terms, const real* t, const real* dt, const SeriesLanes& at,
                            int lanes, nnp_scalar* g, nnp_scalar* dg)
{
    real p[N], dp[N], slope = at.dx * at.f;
    NNP_UNROLL for (int i = 0; i < N; ++i)
    {
        p[i] = splat(c[i * n_terms]);
        dp[i] = real{};
    }
    for (int k = 1; k < n_terms; ++k) {
        real value = t[k], change = dt[k];
        NNP_UNROLL for (int i = 0; i < N; ++i)
        {
            real weight = splat(c[i * n_terms + k]);
            p[i] += weight * value;
            dp[i] += weight * change;
        }
    }
    NNP_UNROLL for (int i = 0; i < N; ++i)
    {
        store(g + (int64_t)i * lanes, p[i] * at.f);
        store(dg + (int64_t)i * lanes, dp[i] * slope + p[i] * at.df);
    }
}

// w f_c exp(-eta (r - shift)^2) of the functions that see element e, w their weights.
static void gaussian_series(const MomentGroup& group, const Shell& shell, int e, nnp_scalar* g, nnp_scalar* dg)
{
    const RadialSeries& s = group.series;
    const nnp_scalar* weights = coefficients_of(group) + (int64_t)e * s.n_functions;
    for (int k = shell.elements[e].begin; k < shell.elements[e].end; k += W) {
        real r = load(shell.r + k), f, df;
        nnp_cutoff(s.cutoff, r, (nnp_scalar)s.radii[e], (nnp_scalar)s.inner_fraction, &f, &df);
        for (int i = group.seen[e].begin; i < group.seen[e].end; ++i) {
            real value, slope;
            nnp_gaussian(r, (nnp_scalar)group.gaussians[i].eta, (nnp_scalar)group.gaussians[i].shift, &value, &slope);
            store(g + (int64_t)i * shell.size + k, weights[i] * value * f);
            store(dg + (int64_t)i * shell.size + k, weights[i] * (value * df + slope * f));
        }
    }
}

static void chebyshev_series(const MomentGroup& group, const Shell& shell, int e, nnp_scalar* g, nnp_scalar* dg)
{
    const RadialSeries& s = group.series;
    const int n_terms = s.n_terms, lanes = shell.size;
    real t[MOST_TERMS_OF_A_SERIES], dt[MOST_TERMS_OF_A_SERIES];
    const nnp_scalar* c = coefficients_of(group) + (int64_t)e * s.n_functions * n_terms;
    for (int k = shell.elements[e].begin; k < shell.elements[e].end; k += W) {
        SeriesLanes at = series_lanes(s, (nnp_scalar)s.radii[e], load(shell.r + k));
        nnp_chebyshev(n_terms, at.x, t, dt);
        for (int i = group.seen[e].begin; i < group.seen[e].end;) {
            const int left = group.seen[e].end - i;
            const nnp_scalar* own = c + i * n_terms;
            nnp_scalar *to = g + (int64_t)i * lanes + k, *slope = dg + (int64_t)i * lanes + k;
            if (left >= 8 || left == 4) {
                series_tile<4>(own, n_terms, t, dt, at, lanes, to, slope);
                i += 4;
            } else if (left >= 5) {
                series_tile<5>(own, n_terms, t, dt, at, lanes, to, slope);
                i += 5;
            } else if (left >= 2) {
                series_tile<2>(own, n_terms, t, dt, at, lanes, to, slope);
                i += 2;
            } else {
                series_tile<1>(own, n_terms, t, dt, at, lanes, to, slope);
                i += 1;
            }
        }
    }
}

// g, dg [n][lane of the shell]; what does not see a lane's element stays undefined there.
static void radial_series(const MomentGroup& group, const Shell& shell, int n_elements, nnp_scalar* g, nnp_scalar* dg)
{
    for (int e = 0; e < n_elements; ++e) {
        if (group.gaussians.empty())
            chebyshev_series(group, shell, e, g, dg);
        else
            gaussian_series(group, shell, e, g, dg);
    }
}

}  // namespace nnp::NNP_TARGET

#endif
