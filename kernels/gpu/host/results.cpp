// What an evaluation has left on the device, to the host or to a caller's buffers.
#include "engine.h"
#include "layout.h"
#include "source.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace nnp::gpu
{

void GpuEngine::read(double* energy, double* energies, double* forces, double* virial)
{
    int64_t n = empty_ ? 0 : list_.n();
    std::array<double, PARTIALS> sums = {};
    if (n > 0 && (energy || virial)) {
        std::vector<double> partial = partial_.read<double>(PARTIALS * FINISH_GROUPS);
        for (size_t i = 0; i < partial.size(); ++i)
            sums[i % PARTIALS] += partial[i];
    }
    if (energy && !std::isfinite(sums[0]) && !not_finite_)
        throw Error(NNP_NOT_FINITE, "the sum of the atoms' energies is not finite");
    if (energy)
        *energy = not_finite_ ? std::nan("") : sums[0];
    constexpr int VOIGT[9] = {1, 6, 5, 6, 2, 4, 5, 4, 3};
    for (int i = 0; virial && i < 9; ++i)
        virial[i] = not_finite_ ? std::nan("") : sums[VOIGT[i]];
    if (energies)
        list_.energies.read(energies, n);
    if (energies && not_finite_)
        std::fill(energies, energies + n, std::nan(""));
    if (!forces)
        return;
    std::vector<int64_t> counts = list_.forces.read<int64_t>(3 * n);
    for (size_t i = 0; i < counts.size(); ++i)
        forces[i] = not_finite_ ? std::nan("") : static_cast<double>(counts[i]) / list_.scale();
}

std::vector<Extrapolation> GpuEngine::extrapolations() const
{
    int64_t count = empty_ || not_finite_ ? 0 : counters_[STATE_EXTRAPOLATING];
    std::vector<double> outside = list_.outside.read<double>(3 * count);
    std::vector<Extrapolation> found(count);
    for (int64_t i = 0; i < count; ++i) {
        auto atom = static_cast<int64_t>(outside[3 * i]), inside = static_cast<int64_t>(outside[3 * i + 1]);
        int32_t element = list_.elements()[atom];
        const Function& function = model_->elements[element].functions[orders_[element][inside]];
        double excess = outside[3 * i + 2];
        found[i] = {atom, orders_[element][inside], excess, excess / (function.maximum - function.minimum)};
    }
    std::sort(found.begin(), found.end(), [](const Extrapolation& a, const Extrapolation& b) {
        return std::tie(a.atom, a.function) < std::tie(b.atom, b.function);
    });
    return found;
}

void GpuEngine::give(const nnp_gpu_request& request)
{
    Arguments& a = programs_.arguments;
    int what = (request.wanted & NNP_GPU_VIRIAL ? TRANSFER_STRESS : 0) | (request.single ? TRANSFER_SINGLE : 0);
    a[Slot::what] = static_cast<uint64_t>(what);
    a[Slot::out_single] = a[Slot::out_double] = request.forces;
    a[Slot::out_energies] = request.energies;
    a[Slot::out_energy] = request.energy;
    a[Slot::out_stress] = request.stress;
    programs_.launch_over("nnp_give", list_.n());
}

// ---- functions: rows of one length for the kernels, one after the other for callers ------------------

int64_t GpuEngine::n_functions() const
{
    int64_t sum = 0;
    for (int32_t e : list_.elements())
        sum += static_cast<int64_t>(orders_[e].size());
    return empty_ ? 0 : sum;
}

void GpuEngine::follow_rows()
{
    if (rows_of_ != list_.generation()) {
        std::vector<int32_t> first;
        int32_t next = 0;
        for (int32_t e : list_.elements()) {
            first.push_back(next);
            next += static_cast<int32_t>(orders_[e].size());
        }
        first_function_.need(static_cast<int64_t>(first.size()));
        first_function_.write(first);
        rows_of_ = list_.generation();
    }
    programs_.arguments[Slot::first_function] = first_function_.handle();
}

void GpuEngine::pad(Buffer& rows, const nnp_gpu_request& request)
{
    int64_t size = list_.n() * static_cast<int64_t>(most_functions(*model_));
    rows.need(size);
    follow_rows();
    Arguments& a = programs_.arguments;
    a[Slot::size] = static_cast<uint64_t>(request.dl_dg_size);
    a[Slot::flat] = request.dl_dg;
    a[Slot::rows] = rows.handle();
    programs_.launch_over("nnp_pad", size);
}

void GpuEngine::give_functions(uint64_t flat)
{
    follow_rows();
    Arguments& a = programs_.arguments;
    a[Slot::size] = static_cast<uint64_t>(n_functions());
    a[Slot::flat] = flat;
    a[Slot::rows] = (changed_ ? changes_ : descriptors_).handle();
    programs_.launch_over("nnp_flatten", list_.n() * static_cast<int64_t>(most_functions(*model_)));
}

void GpuEngine::give_gradient(uint64_t by_positions, bool single, uint64_t by_strain)
{
    Arguments& a = programs_.arguments;
    int what = (by_strain ? TRANSFER_STRESS : 0) | (single ? TRANSFER_SINGLE : 0);
    a[Slot::what] = static_cast<uint64_t>(what);
    a[Slot::out_single] = a[Slot::out_double] = by_positions;
    a[Slot::out_strain] = by_strain ? by_strain : partial_.handle();
    programs_.launch_over("nnp_give_gradient", list_.n());
}

}  // namespace nnp::gpu
