// One atom's network, forward and backward, from weights packed row by row in both directions.
#ifndef NNP_CPU_NETWORK_PASS_H
#define NNP_CPU_NETWORK_PASS_H

#include "atom.h"

namespace nnp::NNP_TARGET
{

// Packed layer: weights [n_in][n_out padded], transposed [n_out][n_in padded], biases [n_out padded].
NNP_INLINE size_t layer_lanes(const Layer& layer)
{
    size_t in = round_up(layer.n_in, W), out = round_up(layer.n_out, W);
    return layer.n_in * out + layer.n_out * in + out;
}

static size_t network_bytes(const Element& element)
{
    size_t lanes = 0;
    for (size_t l = 0; l < element.layers.size(); ++l)
        lanes += layer_lanes(element.layers[l]);
    return lanes * sizeof(nnp_scalar);
}

static void pack_network(const Element& element, void* packed)
{
    nnp_scalar* data = static_cast<nnp_scalar*>(packed);
    std::memset(packed, 0, network_bytes(element));
    for (size_t l = 0; l < element.layers.size(); ++l) {
        const Layer& layer = element.layers[l];
        int in = round_up(layer.n_in, W), out = round_up(layer.n_out, W);
        nnp_scalar* transposed = data + (size_t)layer.n_in * out;
        nnp_scalar* biases = transposed + (size_t)layer.n_out * in;
        for (int i = 0; i < layer.n_in; ++i) {
            for (int o = 0; o < layer.n_out; ++o) {
                nnp_scalar w = (nnp_scalar)layer.weights[(size_t)i * layer.n_out + o];
                data[(size_t)i * out + o] = w;
                transposed[(size_t)o * in + i] = w;
            }
        }
        for (int o = 0; o < layer.n_out; ++o)
            biases[o] = (nnp_scalar)layer.biases[o];
        data = biases + out;
    }
}

// N vectors of y = start + x @ rows from vector `o` on, in registers; start may be null (0).
template <int N>
NNP_INLINE void multiply_columns(const nnp_scalar* x, int n_x, const nnp_scalar* rows, int stride,
                                 const nnp_scalar* start, nnp_scalar* y)
{
    real even[N], odd[N];
    for (int v = 0; v < N; ++v) {
        even[v] = start ? load(start + v * W) : real{};
        odd[v] = real{};
    }
    int i = 0;
    for (; i + 1 < n_x; i += 2) {
        for (int v = 0; v < N; ++v) {
            even[v] += x[i] * load(rows + v * W);
            odd[v] += x[i + 1] * load(rows + stride + v * W);
        }
        rows += 2 * (int64_t)stride;
    }
    for (int v = 0; v < N; ++v) {
        if (i < n_x)
            even[v] += x[i] * load(rows + v * W);
        store(y + v * W, even[v] + odd[v]);
    }
}

// y = start + x @ rows, rows [n_x][n_y padded].
static void multiply(const nnp_scalar* x, int n_x, const nnp_scalar* rows, int n_y, const nnp_scalar* start,
                     nnp_scalar* y)
{
    int stride = round_up(n_y, W);
    for (int o = 0; o < stride;) {
        const nnp_scalar* from = start ? start + o : nullptr;
        int left = (stride - o) / W;
        if (left >= 4)
            multiply_columns<4>(x, n_x, rows + o, stride, from, y + o);
        else if (left == 3)
            multiply_columns<3>(x, n_x, rows + o, stride, from, y + o);
        else if (left == 2)
            multiply_columns<2>(x, n_x, rows + o, stride, from, y + o);
        else
            multiply_columns<1>(x, n_x, rows + o, stride, from, y + o);
        o += (left < 4 ? left : 4) * W;
    }
}

// Output of the network; dl_dg is overwritten with d(output)/d(input) when `gradient`.
static double run_network(const Element& element, const void* packed, double twist, const nnp_scalar* input,
                          bool gradient, Arena& arena, nnp_scalar* d_input)
{
    const nnp_scalar* data = static_cast<const nnp_scalar*>(packed);
    size_t n_layers = element.layers.size();
    nnp_scalar** slopes = take<nnp_scalar*>(arena, n_layers);
    const nnp_scalar** starts = take<const nnp_scalar*>(arena, n_layers);
    const nnp_scalar* x = input;
    for (size_t l = 0; l < n_layers; ++l) {
        const Layer& layer = element.layers[l];
        int in = round_up(layer.n_in, W), out = round_up(layer.n_out, W);
        const nnp_scalar* biases = data + (size_t)layer.n_in * out + (size_t)layer.n_out * in;
        nnp_scalar* y = take<nnp_scalar>(arena, out);
        slopes[l] = take<nnp_scalar>(arena, out);
        multiply(x, layer.n_in, data, layer.n_out, biases, y);
        for (int o = 0; o < out; o += W) {
            real value, slope;
            nnp_activation(layer.activation, load(y + o), (nnp_scalar)twist, &value, &slope);
            store(y + o, value);
            store(slopes[l] + o, slope);
        }
        starts[l] = data;
        data = biases + out;
        x = y;
    }
    if (!gradient)
        return (double)x[0];
    nnp_scalar* delta = slopes[n_layers - 1];
    for (size_t l = n_layers; l-- > 0;) {
        const Layer& layer = element.layers[l];
        const nnp_scalar* transposed = starts[l] + (size_t)layer.n_in * round_up(layer.n_out, W);
        int in = round_up(layer.n_in, W);
        nnp_scalar* back = l ? take<nnp_scalar>(arena, in) : d_input;
        multiply(delta, layer.n_out, transposed, layer.n_in, nullptr, back);
        if (l) {
            for (int i = 0; i < in; i += W)
                store(back + i, load(back + i) * load(slopes[l - 1] + i));
        }
        delta = back;
    }
    return (double)x[0];
}

}  // namespace nnp::NNP_TARGET

#endif
