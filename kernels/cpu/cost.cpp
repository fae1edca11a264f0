// What an engine's plan costs, in a structure's own neighbourhoods or those to expect.
#include "engine.h"
#include "error.h"
#include "wide.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace nnp
{

// Of at most so many atoms, spread over the structure.
std::vector<Neighborhood> Engine::sample_neighborhoods(int element, const nnp_structure& structure)
{
    constexpr int64_t MOST_SAMPLES = 48;
    read_structure(structure);
    list_.update(structure, elements_, pool_);
    const ListView list = list_.view();
    const int n_elements = static_cast<int>(model_->elements.size());
    std::vector<int64_t> ranks;
    for (int64_t rank = 0; rank < structure.n_atoms; ++rank) {
        if (list.elements[rank] == element)
            ranks.push_back(rank);
    }
    const auto n = static_cast<int64_t>(ranks.size());
    const int64_t step = std::max<int64_t>(1, n / MOST_SAMPLES);
    std::vector<Neighborhood> found;
    for (int64_t i = 0; i < n; i += step) {
        const int64_t rank = ranks[i];
        const int32_t* starts = list.starts + rank * (n_elements + 1);
        const Point& centre = list.points[list.self[rank]];
        Neighborhood hood;
        hood.listed = starts[n_elements] - starts[0];
        for (int e = 0; e < n_elements; ++e) {
            for (int32_t k = starts[e]; k < starts[e + 1]; ++k) {
                const Point& p = list.points[list.entries[rank][k]];
                Neighborhood::At at = {e, p.x - centre.x, p.y - centre.y, p.z - centre.z, 0};
                at.r = std::sqrt(at.x * at.x + at.y * at.y + at.z * at.z);
                if (at.r < model_->cutoff)
                    hood.neighbors.push_back(at);
            }
        }
        found.push_back(std::move(hood));
    }
    return found;
}

nnp_cost Engine::cost(int element, const nnp_structure* structure)
{
    if (element < 0 || element >= static_cast<int>(model_->elements.size()))
        throw Error(NNP_BAD_ARGUMENT, "element is " + std::to_string(element) + ": allowed are 0 to " +
                                          std::to_string(model_->elements.size() - 1));
    const Element& own = model_->elements[element];
    const std::vector<Neighborhood> hoods =
        structure ? sample_neighborhoods(element, *structure) : expected_neighborhoods(*model_, own);
    nnp_cost out = {};
    const Counts work = count_work(*model_, own, plan_[element], machine_, hoods), prices = price(work, machine_);
    std::copy(work.begin(), work.end(), out.counts);
    std::copy(prices.begin(), prices.end(), out.microseconds);
    out.neighbors = work[NNP_COST_NEIGHBOR];
    out.n_wide = static_cast<int32_t>(std::count_if(own.functions.begin(), own.functions.end(), has_moments));
    out.n_by_moments = static_cast<int32_t>(by_moments_[element].size());
    return out;
}

}  // namespace nnp
