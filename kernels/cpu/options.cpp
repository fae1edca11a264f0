#include "options.h"

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

int atoms_together(const Model& model, const std::vector<ElementPlan>& plan)
{
    constexpr size_t LARGE = 4096, HUGE_ONE = 16384;  // weights
    bool moments = false, triples = false;
    for (const ElementPlan& element : plan) {
        moments = moments || !element.moments.empty();
        triples = triples || !element.angular.empty() || !element.compact.empty();
    }
    if (moments)
        return triples ? TOGETHER_WITH_TRIPLES : MOST_TOGETHER;
    size_t most = 0;
    for (const Element& element : model.elements) {
        size_t weights = 0;
        for (const Layer& layer : element.layers)
            weights += layer.weights.size();
        most = std::max(most, weights);
    }
    return most < LARGE ? 1 : most < HUGE_ONE ? 4 : 8;
}

int64_t chunk_of(int64_t n_atoms, int threads, int together, int n_elements)
{
    constexpr int64_t FEWEST = 4, FEW = 16, MANY = 64, CHUNKS = 64;  // atoms; of each thread
    if (together == 1)
        return std::clamp(n_atoms / (CHUNKS * threads), FEWEST, FEW);
    return n_elements == 1 ? FEW : std::clamp(n_atoms / (4 * threads), FEW, MANY);
}

double skin_width(const nnp_options& options)
{
    if (!std::isfinite(options.skin))
        throw Error(NNP_BAD_ARGUMENT, "the skin is not a finite number");
    return options.skin;
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
