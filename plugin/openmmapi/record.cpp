#include "record.h"

#include "openmm/OpenMMException.h"

#include <atomic>
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

void Record::refuse(const nnp_error& error, const std::string& where)
{
    auto particle = [&](int64_t atom) { return atom < 0 ? -1 : particles[static_cast<size_t>(atom)]; };
    int64_t first = particle(error.atom), second = particle(error.other);
    std::string who = "particle " + std::to_string(first), text = error.text;
    if (error.code == NNP_LOST_POSITION)
        text = "position of " + who + " is not finite" + where +
               ": the simulation has become unstable (a smaller time step or a minimisation first may help) or its "
               "positions were never set";
    else if (error.code == NNP_OVERLAP)
        text = "atoms " + std::to_string(first) + " and " + std::to_string(second) +
               " are in the same place: remove one of them";
    else if (error.code == NNP_NOT_FINITE && first >= 0)
        text = "energy or force of " + who +
               " is not finite: the structure is far outside what the potential was trained on; look at the particles "
               "around this one";
    else if (error.atom >= 0 && n_particles != static_cast<int64_t>(particles.size()))  // its text counts otherwise
        text = who + " (atom " + std::to_string(error.atom) + " of the potential): " + text;
    fail(error.code, text, first, second);
}

namespace
{
std::atomic<int64_t> failure_count{0};
}

int64_t Record::failures()
{
    return failure_count;
}

void Record::succeed()
{
    evaluations += 1;
    code = NNP_OK;
    message.clear();
    failure = 0;
    failed_particle = failed_other = -1;
}

void Record::fail(int error_code, const std::string& text, int64_t particle, int64_t other)
{
    code = error_code;
    failure = ++failure_count;
    message = text;
    failed_particle = particle;
    failed_other = other;
    throw OpenMM::OpenMMException(text);
}

}  // namespace nnp_openmm
