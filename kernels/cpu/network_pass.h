// Networks of one or several atoms, forward and backward, from weights packed for both directions.
#ifndef NNP_CPU_NETWORK_PASS_H
#define NNP_CPU_NETWORK_PASS_H

#include "atom.h"

namespace nnp::NNP_TARGET
{

// Packed layer: weights, transposed weights, biases [n_out padded]. Weights stand as they are read: of a vector of
// outputs those of the first input, of the second, ...
NNP_INLINE size_t layer_lanes(const Layer& layer)
{
    size_t in = round_up(layer.n_in, W), out = round_up(layer.n_out, W);
    return layer.n_in * out + layer.n_out * in + out;
}

// Where the weight from one input to one output stands.
NNP_INLINE size_t weight_at(int n_in, int in, int out)
{
    return ((size_t)(out / W) * n_in + in) * W + out % W;
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
                data[weight_at(layer.n_in, i, o)] = w;
                transposed[weight_at(layer.n_out, o, i)] = w;
            }
        }
        for (int o = 0; o < layer.n_out; ++o)
            biases[o] = (nnp_scalar)layer.biases[o];
        data = biases + out;
    }
}

// Atoms whose networks are evaluated together: a weight that is read serves all of them. An atom's numbers do not
// depend on how many there are.
constexpr int NETWORK_BATCH = sizeof(real) == 64 ? 8 : 4;
constexpr int LARGE_LAYER = 2048;  // weights

// Pointers of a batch, one per atom.
template <int B>
using Of = nnp_scalar* [B];

// N vectors of y = start + x @ weights from output `at` on, in registers; start may be null (0). CHAINS: sums of each
// output, of every input or of the even and the odd ones, so that a few outputs do not wait for their additions.
template <int B, int N, int CHAINS>
NNP_INLINE void multiply_columns(const Of<B>& x, int n_x, const nnp_scalar* weights, const nnp_scalar* start,
                                 const Of<B>& y, int at)
{
    real sums[CHAINS][B][N] = {};
    if (start) {
        NNP_UNROLL for (int b = 0; b < B; ++b) NNP_UNROLL for (int v = 0; v < N; ++v) sums[0][b][v] =
            load(start + at + v * W);
    }
    const nnp_scalar* own[N];
    for (int v = 0; v < N; ++v)
        own[v] = weights + weight_at(n_x, 0, at + v * W);
    auto add = [&](int i, real(&to)[B][N]) {
        NNP_UNROLL for (int v = 0; v < N; ++v)
        {
            real weight = load(own[v] + i * W);
            NNP_UNROLL for (int b = 0; b < B; ++b) to[b][v] += x[b][i] * weight;
        }
    };
    int i = 0;
    for (; i + CHAINS <= n_x; i += CHAINS) {
        NNP_UNROLL for (int c = 0; c < CHAINS; ++c) add(i + c, sums[c]);
    }
    if (i < n_x)
        add(i, sums[0]);
    NNP_UNROLL for (int b = 0; b < B; ++b)
    {
        NNP_UNROLL for (int v = 0; v < N; ++v)
            store(y[b] + at + v * W, CHAINS == 2 ? sums[0][b][v] + sums[CHAINS - 1][b][v] : sums[0][b][v]);
    }
}

// y = start + x @ weights.
template <int B, int CHAINS>
static void multiply_all(const Of<B>& x, int n_x, const nnp_scalar* weights, int n_y, const nnp_scalar* start,
                         const Of<B>& y)
{
    constexpr int REGISTERS = sizeof(real) == 64 ? 16 : 8;  // for sums
    constexpr int FIT = REGISTERS / (B * CHAINS), MOST = FIT < 1 ? 1 : FIT > 4 ? 4 : FIT;
    const int end = round_up(n_y, W);
    for (int o = 0; o < end;) {
        const int left = (end - o) / W;
        if (left >= MOST)
            multiply_columns<B, MOST, CHAINS>(x, n_x, weights, start, y, o);
        else if (left == 3)
            multiply_columns < B, MOST<3 ? MOST : 3, CHAINS>(x, n_x, weights, start, y, o);
        else if (left == 2)
            multiply_columns < B, MOST<2 ? MOST : 2, CHAINS>(x, n_x, weights, start, y, o);
        else
            multiply_columns<B, 1, CHAINS>(x, n_x, weights, start, y, o);
        o += (left < MOST ? left : MOST) * W;
    }
}

template <int B>
static void multiply(const Of<B>& x, int n_x, const nnp_scalar* weights, int n_y, const nnp_scalar* start,
                     const Of<B>& y)
{
    if (n_x * n_y >= LARGE_LAYER)
        multiply_all<B, 1>(x, n_x, weights, n_y, start, y);
    else
        multiply_all<B, 2>(x, n_x, weights, n_y, start, y);
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
