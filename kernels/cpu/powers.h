// Powers of the angular base in registers: the exponents 1, 2, 4, 8, 16 of one lambda for up to three exponentials.
#ifndef NNP_CPU_POWERS_H
#define NNP_CPU_POWERS_H

#include "triples.h"

namespace nnp::NNP_TARGET
{

// One block of triples as the power kernels see it; arrays of whole vectors.
struct Block {
    int vectors;
    const nnp_scalar* cosine;
    const nnp_scalar* factor;        // of the distances; not in the backward pass
    const nnp_scalar* exponentials;  // slot s at s * stride
    int64_t stride;
};

// sums[e][level] += exponential[e] * factor * base^(2^level).
template <int LEVELS, bool TOP_ONLY, int N_EXP>
static void power_sums(const PowerTask& task, const Block& block, real* sums)
{
    constexpr int first = TOP_ONLY ? LEVELS - 1 : 0;
    const nnp_scalar lambda = (nnp_scalar)task.lambda;
    const nnp_scalar* e_in[N_EXP];
    real sum[N_EXP][LEVELS];
    for (int e = 0; e < N_EXP; ++e) {
        e_in[e] = block.exponentials + task.exp_slots[e] * block.stride;
        for (int l = first; l < LEVELS; ++l)
            sum[e][l] = sums[e * LEVELS + l];
    }
    for (int v = 0; v < block.vectors; ++v) {
        real power = nnp_angular_base(load(block.cosine + v * W), lambda), factor = load(block.factor + v * W);
#pragma GCC unroll 8
        for (int l = 0; l < LEVELS; ++l) {
            if (l >= first) {
                real term = factor * power;
#pragma GCC unroll 8
                for (int e = 0; e < N_EXP; ++e)
                    sum[e][l] += load(e_in[e] + v * W) * term;
            }
            power = power * power;
        }
    }
    for (int e = 0; e < N_EXP; ++e) {
        for (int l = first; l < LEVELS; ++l)
            sums[e * LEVELS + l] = sum[e][l];
    }
}

// Per triple, over all functions: value = sum_eta e Q, by_square = sum_eta eta e Q, by_cosine = sum_eta e dQ/dcos,
// where Q = sum over the functions of that eta of weight times angle part.
struct Folded {
    nnp_scalar *value, *by_square, *by_cosine;
};

// Adds a task's functions; weights[e][level] of base^n and of base^(n - 1), n = 2^level.
template <int LEVELS, bool TOP_ONLY, int N_EXP>
static void power_fold(const PowerTask& task, const Block& block, const nnp_scalar* by_value,
                       const nnp_scalar* by_slope, const nnp_scalar* eta, const Folded& out)
{
    constexpr int first = TOP_ONLY ? LEVELS - 1 : 0;
    const nnp_scalar lambda = (nnp_scalar)task.lambda;
    const nnp_scalar* e_in[N_EXP];
    for (int e = 0; e < N_EXP; ++e)
        e_in[e] = block.exponentials + task.exp_slots[e] * block.stride;
    for (int v = 0; v < block.vectors; ++v) {
        real base = nnp_angular_base(load(block.cosine + v * W), lambda);
        real q[N_EXP], dq[N_EXP], doubled = base, power = base;  // base^(2^l), base^(2^l - 1) from l = 1 on
#pragma GCC unroll 8
        for (int l = 0; l < LEVELS; ++l) {
            if (l > 1) {
                doubled = doubled * doubled;
                power = power * doubled;
            }
#pragma GCC unroll 8
            for (int e = 0; e < N_EXP; ++e) {
                nnp_scalar w = by_value[e * LEVELS + l], dw = by_slope[e * LEVELS + l];
                if (l == 0) {
                    q[e] = splat(w);
                    dq[e] = splat(dw);
                } else if (l == first) {
                    q[e] = w * power;
                    dq[e] = dw * power;
                } else if (l > first) {
                    q[e] += w * power;
                    dq[e] += dw * power;
                }
            }
        }
        real value = {}, by_square = {}, by_cosine = {};
        for (int e = 0; e < N_EXP; ++e) {
            real ex = load(e_in[e] + v * W), eq = ex * q[e];
            value += eq;
            by_square += eta[e] * eq;
            by_cosine += ex * dq[e];
        }
        by_cosine = base > real{} ? by_cosine : real{};
        store(out.value + v * W, load(out.value + v * W) + base * value);
        store(out.by_square + v * W, load(out.by_square + v * W) + base * by_square);
        store(out.by_cosine + v * W, load(out.by_cosine + v * W) + by_cosine);
    }
}

typedef void (*PowerSums)(const PowerTask&, const Block&, real*);
typedef void (*PowerFold)(const PowerTask&, const Block&, const nnp_scalar*, const nnp_scalar*, const nnp_scalar*,
                          const Folded&);

#define NNP_POWER_ROW(kernel, levels, top) {kernel<levels, top, 1>, kernel<levels, top, 2>, kernel<levels, top, 3>}
#define NNP_POWER_TABLE(kernel)                                             \
    {                                                                       \
        {NNP_POWER_ROW(kernel, 1, false), NNP_POWER_ROW(kernel, 1, false)}, \
        {NNP_POWER_ROW(kernel, 2, false), NNP_POWER_ROW(kernel, 2, true)},  \
        {NNP_POWER_ROW(kernel, 3, false), NNP_POWER_ROW(kernel, 3, true)},  \
        {NNP_POWER_ROW(kernel, 4, false), NNP_POWER_ROW(kernel, 4, true)},  \
        {NNP_POWER_ROW(kernel, 5, false), NNP_POWER_ROW(kernel, 5, true)},  \
    }

NNP_INLINE PowerSums choose_power_sums(const PowerTask& t)
{
    static constexpr PowerSums table[MOST_LEVELS][2][MOST_EXPONENTIALS] = NNP_POWER_TABLE(power_sums);
    return table[t.n_levels - 1][t.top_only][t.n_exponentials - 1];
}

NNP_INLINE PowerFold choose_power_fold(const PowerTask& t)
{
    static constexpr PowerFold table[MOST_LEVELS][2][MOST_EXPONENTIALS] = NNP_POWER_TABLE(power_fold);
    return table[t.n_levels - 1][t.top_only][t.n_exponentials - 1];
}

}  // namespace nnp::NNP_TARGET

#endif
