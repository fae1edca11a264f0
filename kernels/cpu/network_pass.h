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

// Atoms whose networks are evaluated together: a weight that is read serves all of them. An atom's numbers do not
// depend on how many there are.
constexpr int NETWORK_BATCH = 4;

// Pointers of a batch, one per atom.
template <int B>
using Of = nnp_scalar* [B];

// N vectors of y = start + x @ rows from column `at` on, in registers; start may be null (0).
template <int B, int N>
NNP_INLINE void multiply_columns(const Of<B>& x, int n_x, const nnp_scalar* rows, int stride, const nnp_scalar* start,
                                 const Of<B>& y, int at)
{
    real even[B][N], odd[B][N];
    for (int b = 0; b < B; ++b) {
        for (int v = 0; v < N; ++v) {
            even[b][v] = start ? load(start + at + v * W) : real{};
            odd[b][v] = real{};
        }
    }
    rows += at;
    int i = 0;
    for (; i + 1 < n_x; i += 2) {
        for (int v = 0; v < N; ++v) {
            real first = load(rows + v * W), second = load(rows + stride + v * W);
            for (int b = 0; b < B; ++b) {
                even[b][v] += x[b][i] * first;
                odd[b][v] += x[b][i + 1] * second;
            }
        }
        rows += 2 * (int64_t)stride;
    }
    for (int b = 0; b < B; ++b) {
        for (int v = 0; v < N; ++v) {
            if (i < n_x)
                even[b][v] += x[b][i] * load(rows + v * W);
            store(y[b] + at + v * W, even[b][v] + odd[b][v]);
        }
    }
}

// y = start + x @ rows, rows [n_x][n_y padded].
template <int B>
static void multiply(const Of<B>& x, int n_x, const nnp_scalar* rows, int n_y, const nnp_scalar* start, const Of<B>& y)
{
    constexpr int MOST = B == 1 ? 4 : B == 2 || sizeof(real) == 64 ? 2 : 1;  // columns whose sums the registers hold
    int stride = round_up(n_y, W);
    for (int o = 0; o < stride;) {
        int left = (stride - o) / W;
        if (left >= MOST)
            multiply_columns<B, MOST>(x, n_x, rows, stride, start, y, o);
        else if (left == 3)
            multiply_columns < B, MOST<3 ? MOST : 3>(x, n_x, rows, stride, start, y, o);
        else if (left == 2)
            multiply_columns < B, MOST<2 ? MOST : 2>(x, n_x, rows, stride, start, y, o);
        else
            multiply_columns<B, 1>(x, n_x, rows, stride, start, y, o);
        o += (left < MOST ? left : MOST) * W;
    }
}

template <int B>
static void take_each(Arena& arena, int lanes, Of<B>& out)
{
    for (int b = 0; b < B; ++b)
        out[b] = take<nnp_scalar>(arena, lanes);
}

template <int B>
struct LayerWork {
    const nnp_scalar* weights;
    Of<B> values, slopes;
};

template <int B>
static void activate(const Layer& layer, double twist, LayerWork<B>& w)
{
    for (int b = 0; b < B; ++b) {
        for (int o = 0; o < layer.n_out; o += W) {
            real value, slope;
            nnp_activation(layer.activation, load(w.values[b] + o), (nnp_scalar)twist, &value, &slope);
            store(w.values[b] + o, value);
            store(w.slopes[b] + o, slope);
        }
    }
}

// Outputs of the networks of B atoms; d_input is overwritten with d(output)/d(input) when `gradient`.
template <int B>
static void run_networks(const Element& element, const void* packed, double twist, const Of<B>& input, bool gradient,
                         Arena& arena, const Of<B>& d_input, double* outputs)
{
    const nnp_scalar* data = static_cast<const nnp_scalar*>(packed);
    size_t n_layers = element.layers.size();
    LayerWork<B>* work = take<LayerWork<B>>(arena, n_layers);
    for (size_t l = 0; l < n_layers; ++l) {
        const Layer& layer = element.layers[l];
        int in = round_up(layer.n_in, W), out = round_up(layer.n_out, W);
        const nnp_scalar* biases = data + (size_t)layer.n_in * out + (size_t)layer.n_out * in;
        work[l].weights = data;
        take_each<B>(arena, out, work[l].values);
        take_each<B>(arena, out, work[l].slopes);
        multiply<B>(l ? work[l - 1].values : input, layer.n_in, data, layer.n_out, biases, work[l].values);
        activate<B>(layer, twist, work[l]);
        data = biases + out;
    }
    for (int b = 0; b < B; ++b)
        outputs[b] = (double)work[n_layers - 1].values[b][0];
    if (!gradient)
        return;
    Of<B> delta, back;
    std::memcpy(delta, work[n_layers - 1].slopes, sizeof delta);
    for (size_t l = n_layers; l-- > 0;) {
        const Layer& layer = element.layers[l];
        int in = round_up(layer.n_in, W);
        const nnp_scalar* transposed = work[l].weights + (size_t)layer.n_in * round_up(layer.n_out, W);
        if (l)
            take_each<B>(arena, in, back);
        multiply<B>(delta, layer.n_out, transposed, layer.n_in, nullptr, l ? back : d_input);
        for (int b = 0; l && b < B; ++b) {
            for (int i = 0; i < in; i += W)
                store(back[b] + i, load(back[b] + i) * load(work[l - 1].slopes[b] + i));
            delta[b] = back[b];
        }
    }
}

}  // namespace nnp::NNP_TARGET

#endif
