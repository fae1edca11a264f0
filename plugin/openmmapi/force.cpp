#include "force.h"

#include "force_impl.h"

#include "openmm/OpenMMException.h"

#include <cmath>

namespace nnp_openmm
{

NNPForce::NNPForce(PotentialData potential, std::vector<int32_t> atomic_numbers, bool periodic,
                   const ForceOptions& options)
    : potential_(std::move(potential)),
      widths_(read_widths(potential_)),
      atomic_numbers_(std::move(atomic_numbers)),
      periodic_(periodic),
      options_(options)
{
    setName("NNP");
    check_elements(widths_);
}

void NNPForce::check_elements(const Widths& widths) const
{
    for (size_t particle = 0; particle < atomic_numbers_.size(); ++particle) {
        int32_t number = atomic_numbers_[particle];
        if (number == 0 || widths.count(number))
            continue;
        std::string known;
        for (const auto& element : widths)
            known += (known.empty() ? "" : ", ") + std::to_string(element.first);
        throw OpenMM::OpenMMException("NNPForce: particle " + std::to_string(particle) + " has atomic number " +
                                      std::to_string(number) + ", which the potential has no network for: it has " +
                                      known + "; give 0 to particles that are not atoms of the potential");
    }
}

void NNPForce::set_scale(const std::string& parameter, double default_scale)
{
    if (!std::isfinite(default_scale))
        throw OpenMM::OpenMMException("NNPForce: the default of the scale parameter '" + parameter +
                                      "' is not a finite number");
    scale_parameter_ = parameter;
    default_scale_ = default_scale;
}

void NNPForce::set_potential(PotentialData potential)
{
    Widths widths = read_widths(potential);
    check_elements(widths);
    potential_ = std::move(potential);
    widths_ = std::move(widths);
}

NNPForceImpl& NNPForce::impl_in(OpenMM::Context& context) const
{
    try {
        return dynamic_cast<NNPForceImpl&>(getImplInContext(context));
    } catch (const OpenMM::OpenMMException&) {
        throw OpenMM::OpenMMException(
            "NNPForce: the force is not in this Context: give one made from the System that "
            "the force is in (a copy of the System has a copy of the force)");
    }
}

void NNPForce::update_parameters_in_context(OpenMM::Context& context) const
{
    impl_in(context).update_parameters(getContextImpl(context));
}

std::shared_ptr<Record> NNPForce::record_in_context(OpenMM::Context& context) const
{
    return impl_in(context).record();
}

OpenMM::ForceImpl* NNPForce::createImpl() const
{
    return new NNPForceImpl(*this);
}

}  // namespace nnp_openmm
