// One atom's network by its work-group. Weights lie in global memory (they are read by every atom and stay in cache),
// nodes in local memory. Several threads share a node where there are fewer nodes than threads.

// y = activation(x @ weights + biases) and its slopes.
NNP_FN void nnp_layer(int activation, int n_in, int n_out, GLOBAL const mixed* weights,
                      LOCAL_ARG const mixed* x, LOCAL_ARG mixed* y, LOCAL_ARG mixed* slopes,
                      LOCAL_ARG mixed* scratch)
{
    GLOBAL const mixed* biases = weights + n_in * n_out;
    int split = nnp_split(n_out), part = LOCAL_ID % split;
    for (int base = 0; base < n_out; base += GROUP_SIZE / split) {
        int o = base + LOCAL_ID / split;
        mixed sum = 0;
        if (o < n_out) {
            for (int i = part; i < n_in; i += split)
                sum += x[i] * weights[i * n_out + o];
        }
        scratch[LOCAL_ID] = sum;
        SYNC_THREADS
        if (o < n_out && part == 0) {
            for (int t = 1; t < split; ++t)
                sum += scratch[LOCAL_ID + t];
            sum += biases[o];
            real value, slope;
            nnp_activation(activation, (real)sum, (real)TWIST, &value, &slope);
            y[o] = activation == NNP_ACT_IDENTITY ? sum : (mixed)value;
            slopes[o] = slope;
        }
        SYNC_THREADS
    }
}

// d_in = (weights @ d_out) times the slopes of the layer before, which stand in d_in on entry.
NNP_FN void nnp_layer_back(int n_in, int n_out, GLOBAL const mixed* weights, LOCAL_ARG const mixed* d_out,
                           LOCAL_ARG mixed* d_in, LOCAL_ARG mixed* scratch)
{
    int split = nnp_split(n_in), part = LOCAL_ID % split;
    for (int base = 0; base < n_in; base += GROUP_SIZE / split) {
        int i = base + LOCAL_ID / split;
        mixed sum = 0;
        if (i < n_in) {
            for (int o = part; o < n_out; o += split)
                sum += d_out[o] * weights[i * n_out + o];
        }
        scratch[LOCAL_ID] = sum;
        SYNC_THREADS
        if (i < n_in && part == 0) {
            for (int t = 1; t < split; ++t)
                sum += scratch[LOCAL_ID + t];
            d_in[i] *= sum;
        }
        SYNC_THREADS
    }
}
