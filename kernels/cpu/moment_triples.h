// Functions of three moments: the functions of a batch are lanes, the terms of their coupling a loop.
#ifndef NNP_CPU_MOMENT_TRIPLES_H
#define NNP_CPU_MOMENT_TRIPLES_H

#include "atom.h"
#include "lane_moves.h"
#include "moments.h"

namespace nnp::NNP_TARGET
{

// Rows [2 l + 1] of one degree, functions as lanes, `stride` apart.
struct BatchRows {
    nnp_scalar* values;
    int stride;

    nnp_scalar* row(int m) const { return values + (int64_t)m * stride; }
};

// Whether a vector holds all functions of a place, and another all n.
NNP_INLINE bool in_one_vector(const BatchPlace& place, int stride)
{
    return stride == W && W <= ORDER_LANES && !place.order.empty() && (int)place.n.size() <= W;
}

// The moments a [row][stride] of one place of a batch's functions: as they stand where the functions are in the
// moments' own order, else copied.
static BatchRows rows_of_place(const BatchPlace& place, int first_row, nnp_scalar* a, int stride, Arena& arena)
{
    const int n_rows = 2 * place.l + 1, count = (int)place.n.size(), whole = round_up(count, W);
    nnp_scalar* first = a + (int64_t)(place.l * place.l - first_row) * stride;
    if (place.in_order && whole <= stride)
        return {first, stride};
    BatchRows rows = {take_zeros<nnp_scalar>(arena, (int64_t)n_rows * whole), whole};
    if (in_one_vector(place, stride)) {
        const real_int order = load_order(place.order.data());
        for (int m = 0; m < n_rows; ++m)
            store(rows.row(m), pick_lanes(load(first + (int64_t)m * stride), order));
        return rows;
    }
    const int* n = place.n.data();
    for (int m = 0; m < n_rows; ++m) {
        const nnp_scalar* from = first + (int64_t)m * stride;
        nnp_scalar* to = rows.row(m);
        for (int f = 0; f < count; ++f)
            to[f] = from[n[f]];
    }
    return rows;
}

static void batch_rows(const TripleBatch& batch, int first_row, nnp_scalar* a, int stride, Arena& arena,
                       BatchRows (&rows)[3])
{
    for (int p = 0; p < 3; ++p)
        rows[p] = rows_of_place(batch.places[p], first_row, a, stride, arena);
}

// The coupling's derivative by row m of a place, of the functions from f on.
NNP_INLINE real batch_slope(const BatchPlace& place, int m, const BatchRows& next, const BatchRows& last, int f)
{
    real even = {}, odd = {};
    const BatchPlace::Product *p = place.products.data() + place.starts[m],
                              *end = place.products.data() + place.starts[m + 1];
    for (; p + 1 < end; p += 2) {
        even += (nnp_scalar)p[0].value * load(next.row(p[0].row_1) + f) * load(last.row(p[0].row_2) + f);
        odd += (nnp_scalar)p[1].value * load(next.row(p[1].row_1) + f) * load(last.row(p[1].row_2) + f);
    }
    if (p < end)
        even += (nnp_scalar)p->value * load(next.row(p->row_1) + f) * load(last.row(p->row_2) + f);
    return even + odd;
}

NNP_INLINE void add_functions(const TripleBatch& batch, int f, real values, double* descriptors)
{
    nnp_scalar lanes[W];
    store(lanes, values);
    const int count = batch.size() - f < W ? batch.size() - f : W;
    for (int lane = 0; lane < count; ++lane)
        descriptors[batch.indices[f + lane]] += batch.coefficients[f + lane] * (double)lanes[lane];
}

static void batch_forward(const TripleBatch& batch, const BatchRows (&a)[3], double* descriptors)
{
    const BatchPlace& place = batch.places[0];
    for (int f = 0; f < batch.size(); f += W) {
        real sum = {};
        for (int m = 0; m < 2 * place.l + 1; ++m)
            sum += load(a[0].row(m) + f) * batch_slope(place, m, a[1], a[2], f);
        add_functions(batch, f, sum, descriptors);
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

// to[n] += the slopes of the functions that have this n.
NNP_INLINE void add_slopes(const BatchPlace& place, int stride, const nnp_scalar* slopes, nnp_scalar* to)
{
    if (in_one_vector(place, stride)) {
        real sum = load(to);
        for (size_t at = 0; at < place.passes.size(); at += ORDER_LANES)
            sum += pick_lanes(load(slopes), load_order(place.passes.data() + at));
        store(to, sum);
        return;
    }
    for (size_t f = 0; f < place.n.size(); ++f)
        to[place.n[f]] += slopes[f];
}

// d [row][stride] += dL/dA of a batch.
static void batch_backward(const TripleBatch& batch, int first_row, nnp_scalar* moments, int stride, Arena& arena,
                           const double* dl_dg, nnp_scalar* d)
{
    BatchRows a[3];
    batch_rows(batch, first_row, moments, stride, arena, a);
    const nnp_scalar* weights = batch_weights(batch, dl_dg, arena);
    const int whole = round_up(batch.size(), W);
    nnp_scalar* slopes = take<nnp_scalar>(arena, whole);
    for (int p = 0; p < 3; ++p) {
        const BatchPlace& place = batch.places[p];
        const bool straight = place.in_order && whole <= stride;
        nnp_scalar* to = d + (int64_t)(place.l * place.l - first_row) * stride;
        for (int m = 0; m < 2 * place.l + 1; ++m, to += stride) {
            for (int f = 0; f < whole; f += W) {
                real slope = load(weights + f) * batch_slope(place, m, a[(p + 1) % 3], a[(p + 2) % 3], f);
                store(straight ? to + f : slopes + f, straight ? load(to + f) + slope : slope);
            }
            if (!straight)
                add_slopes(place, stride, slopes, to);
        }
    }
}

// descriptors += the change of a batch with the moments' change da.
static void batch_push_forward(const TripleBatch& batch, const BatchRows (&a)[3], const BatchRows (&da)[3],
                               double* descriptors)
{
    for (int f = 0; f < batch.size(); f += W) {
        real sum = {};
        for (int p = 0; p < 3; ++p) {
            const BatchPlace& place = batch.places[p];
            for (int m = 0; m < 2 * place.l + 1; ++m)
                sum += load(da[p].row(m) + f) * batch_slope(place, m, a[(p + 1) % 3], a[(p + 2) % 3], f);
        }
        add_functions(batch, f, sum, descriptors);
    }
}

}  // namespace nnp::NNP_TARGET

#endif
