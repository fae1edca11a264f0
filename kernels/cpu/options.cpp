#include "options.h"

#include "defaults.h"
#include "error.h"
#include "kernel.h"
#include "thread_pool.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace nnp
{

int thread_count(const nnp_options& options)
{
    if (options.threads < 0 || options.threads > 4096)
        throw Error(NNP_BAD_ARGUMENT, "threads is " + std::to_string(options.threads) +
                                          ": allowed are 0 (all the process may use) to 4096");
    return options.threads == 0 ? available_threads() : options.threads;
}

bool is_single(const nnp_options& options)
{
    if (options.precision != NNP_FLOAT64 && options.precision != NNP_FLOAT32)
        throw Error(NNP_BAD_ARGUMENT,
                    "precision is " + std::to_string(options.precision) + ": allowed are 0 (float64) and 1 (float32)");
    return options.precision == NNP_FLOAT32;
}

int atoms_together(const Model& model)
{
    constexpr size_t LARGE = 4096;  // weights
    size_t most = 0;
    for (const Element& element : model.elements) {
        size_t weights = 0;
        for (const Layer& layer : element.layers)
            weights += layer.weights.size();
        most = std::max(most, weights);
    }
    if (most < LARGE)
        return 1;
    return model.elements.size() == 1 ? MOST_TOGETHER / 2 : MOST_TOGETHER;
}

double skin_width(const nnp_options& options)
{
    if (!std::isfinite(options.skin))
        throw Error(NNP_BAD_ARGUMENT, "the skin is not a finite number");
    return options.skin < 0 ? DEFAULT_SKIN : options.skin;
}

Wide wide_way(const nnp_options& options)
{
    switch (options.wide) {
        case NNP_WIDE_AUTOMATIC:
            return Wide::automatic;
        case NNP_WIDE_PAIRS:
            return Wide::pairs;
        case NNP_WIDE_MOMENTS:
            return Wide::moments;
        default:
            throw Error(NNP_BAD_ARGUMENT, "wide is " + std::to_string(options.wide) +
                                              ": allowed are 0 (automatic), 1 (pairs) and 2 (moments)");
    }
}

}  // namespace nnp
