#include "record.h"

#include <cmath>

namespace nnp_openmm
{

void Record::take_particles(const std::vector<int32_t>& atomic_numbers)
{
    n_particles = static_cast<int64_t>(atomic_numbers.size());
    particles.clear();
    for (int64_t particle = 0; particle < n_particles; ++particle) {
        if (atomic_numbers[particle] != 0)
            particles.push_back(particle);
    }
}

void Record::set_extrapolations(const std::vector<Extrapolation>& found, const std::vector<int32_t>& atomic_numbers,
                                const Widths& widths)
{
    size_t n = found.size();
    extrapolating_particles.resize(n);
    functions.resize(n);
    excess.resize(n);
    relative.resize(n);
    n_extrapolating = 0;
    worst = -1;
    for (size_t i = 0; i < n; ++i) {
        const Extrapolation& e = found[i];
        extrapolating_particles[i] = particles[e.atom];
        functions[i] = e.function;
        excess[i] = e.excess;
        // a function that never changed in training has no width: infinitely far
        relative[i] = e.excess / widths.at(atomic_numbers[e.atom])[e.function];
        n_extrapolating += i == 0 || e.atom != found[i - 1].atom;
        if (worst < 0 || std::abs(relative[i]) > std::abs(relative[worst]))
            worst = static_cast<int64_t>(i);
    }
}

std::string Record::complaint(int64_t allowed) const
{
    if (allowed < 0 || n_extrapolating <= allowed)
        return "";
    return std::to_string(n_extrapolating) + " atoms extrapolate, more than the " + std::to_string(allowed) +
           " that max_extrapolations allows; the worst is function " + std::to_string(functions[worst]) +
           " of particle " + std::to_string(extrapolating_particles[worst]) + ", outside its training range by " +
           std::to_string(relative[worst]) + " of that range: train on such structures, or allow more";
}

}  // namespace nnp_openmm
