// Functions of three moments: the functions of a batch are lanes, the terms of their coupling a loop.
#ifndef NNP_CPU_MOMENT_TRIPLES_H
#define NNP_CPU_MOMENT_TRIPLES_H

#include "atom.h"
#include "moments.h"

namespace nnp::NNP_TARGET
{

// Rows [2 l + 1] of one degree, functions as lanes, `stride` apart.
struct BatchRows {
    nnp_scalar* values;
    int stride;

    nnp_scalar* row(int m) const { return values + (int64_t)m * stride; }
};

// The moments a [row][stride] of place `p` of a batch's functions: as they stand where the functions are in the
// moments' own order, else copied. The first row of `a` is that of l = first_l.
static BatchRows rows_of_batch(const TripleBatch& batch, int p, int first_row, nnp_scalar* a, int stride, Arena& arena)
{
    const int l = batch.l[p], n_rows = 2 * l + 1, whole = round_up(batch.size(), W);
    nnp_scalar* first = a + (int64_t)(l * l - first_row) * stride;
    if (batch.in_order[p] && whole <= stride)
        return {first, stride};
    BatchRows rows = {take<nnp_scalar>(arena, (int64_t)n_rows * whole), whole};
    std::memset(rows.values, 0, (int64_t)n_rows * whole * sizeof(nnp_scalar));
    for (int m = 0; m < n_rows; ++m) {
        for (int f = 0; f < batch.size(); ++f)
            rows.row(m)[f] = first[(int64_t)m * stride + batch.n[p][f]];
    }
    return rows;
}

static void batch_rows(const TripleBatch& batch, int first_row, nnp_scalar* a, int stride, Arena& arena,
                       BatchRows (&rows)[3])
{
    for (int p = 0; p < 3; ++p) {
        bool again = p > 0 && batch.l[p] == batch.l[p - 1] && batch.n[p] == batch.n[p - 1];
        rows[p] = again ? rows[p - 1] : rows_of_batch(batch, p, first_row, a, stride, arena);
    }
}

static void batch_forward(const TripleBatch& batch, const BatchRows (&a)[3], double* descriptors)
{
    for (int f = 0; f < batch.size(); f += W) {
        real sum = {};
        for (size_t k = 0; k < batch.terms.size(); ++k) {
            const TripleTerm& t = batch.terms[k];
            sum += (nnp_scalar)t.value * load(a[0].row(t.row_1) + f) * load(a[1].row(t.row_2) + f) *
                   load(a[2].row(t.row_3) + f);
        }
        for (int lane = 0; lane < W && f + lane < batch.size(); ++lane)
            descriptors[batch.indices[f + lane]] += batch.coefficients[f + lane] * (double)sum[lane];
    }
}

// Weights of a batch's functions as lanes, zeros behind them.
static nnp_scalar* batch_weights(const TripleBatch& batch, const double* dl_dg, Arena& arena)
{
    const int whole = round_up(batch.size(), W);
    nnp_scalar* weights = take<nnp_scalar>(arena, whole);
    for (int f = 0; f < whole; ++f)
        weights[f] = f < batch.size() ? (nnp_scalar)(dl_dg[batch.indices[f]] * batch.coefficients[f]) : 0;
    return weights;
}

NNP_INLINE void add_to(nnp_scalar* p, real v)
{
    store(p, load(p) + v);
}

// Rows for what is pulled back: the moments' own, or zeros to be added to them by `give_back`.
static void pulled_rows(const TripleBatch& batch, int first_row, nnp_scalar* d, int stride, Arena& arena,
                        BatchRows (&rows)[3])
{
    const int whole = round_up(batch.size(), W);
    for (int p = 0; p < 3; ++p) {
        const int l = batch.l[p], n_rows = 2 * l + 1;
        if (batch.in_order[p] && whole <= stride) {
            rows[p] = {d + (int64_t)(l * l - first_row) * stride, stride};
        } else {
            rows[p] = {take<nnp_scalar>(arena, (int64_t)n_rows * whole), whole};
            std::memset(rows[p].values, 0, (int64_t)n_rows * whole * sizeof(nnp_scalar));
        }
    }
}

static void give_back(const TripleBatch& batch, int first_row, nnp_scalar* d, int stride, const BatchRows (&rows)[3])
{
    for (int p = 0; p < 3; ++p) {
        const int l = batch.l[p];
        nnp_scalar* first = d + (int64_t)(l * l - first_row) * stride;
        if (rows[p].values == first)
            continue;
        for (int m = 0; m < 2 * l + 1; ++m) {
            for (int f = 0; f < batch.size(); ++f)
                first[(int64_t)m * stride + batch.n[p][f]] += rows[p].row(m)[f];
        }
    }
}

// d [row][stride] += dL/dA of a batch.
static void batch_backward(const TripleBatch& batch, int first_row, nnp_scalar* moments, int stride, Arena& arena,
                           const double* dl_dg, nnp_scalar* d)
{
    BatchRows a[3], pulled[3];
    batch_rows(batch, first_row, moments, stride, arena, a);
    pulled_rows(batch, first_row, d, stride, arena, pulled);
    const nnp_scalar* weights = batch_weights(batch, dl_dg, arena);
    for (int f = 0; f < batch.size(); f += W) {
        const real weight = load(weights + f);
        for (size_t k = 0; k < batch.terms.size(); ++k) {
            const TripleTerm& t = batch.terms[k];
            real own = (nnp_scalar)t.value * weight, first = load(a[0].row(t.row_1) + f);
            real second = load(a[1].row(t.row_2) + f), third = load(a[2].row(t.row_3) + f);
            add_to(pulled[0].row(t.row_1) + f, own * second * third);
            add_to(pulled[1].row(t.row_2) + f, own * first * third);
            add_to(pulled[2].row(t.row_3) + f, own * first * second);
        }
    }
    give_back(batch, first_row, d, stride, pulled);
}

// descriptors += the change of a batch with the moments' change da.
static void batch_push_forward(const TripleBatch& batch, const BatchRows (&a)[3], const BatchRows (&da)[3],
                               double* descriptors)
{
    for (int f = 0; f < batch.size(); f += W) {
        real sum = {};
        for (size_t k = 0; k < batch.terms.size(); ++k) {
            const TripleTerm& t = batch.terms[k];
            real first = load(a[0].row(t.row_1) + f), second = load(a[1].row(t.row_2) + f);
            real third = load(a[2].row(t.row_3) + f);
            sum += (nnp_scalar)t.value *
                   (load(da[0].row(t.row_1) + f) * second * third + first * load(da[1].row(t.row_2) + f) * third +
                    first * second * load(da[2].row(t.row_3) + f));
        }
        for (int lane = 0; lane < W && f + lane < batch.size(); ++lane)
            descriptors[batch.indices[f + lane]] += batch.coefficients[f + lane] * (double)sum[lane];
    }
}

}  // namespace nnp::NNP_TARGET

#endif
