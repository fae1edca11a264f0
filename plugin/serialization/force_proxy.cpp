#include "force_proxy.h"

#include "base64.h"
#include "force.h"

#include "openmm/OpenMMException.h"
#include "openmm/serialization/SerializationNode.h"

namespace nnp_openmm
{
namespace
{

void check_version(int version)
{
    if (version == 1)
        throw OpenMM::OpenMMException(
            "NNPForce: the XML was written by an older nnp, whose potential has no checksum: create the force again "
            "from "
            "the potential's file (nnp.openmm.create_force)");
    if (version != NNPForceProxy::VERSION)
        throw OpenMM::OpenMMException("NNPForce: the XML is of version " + std::to_string(version) +
                                      ", this plugin reads version " + std::to_string(NNPForceProxy::VERSION) +
                                      ": install the nnp that wrote it (or a newer one)");
}

ForceOptions read_options(const OpenMM::SerializationNode& node)
{
    ForceOptions options;
    options.precision = node.getIntProperty("precision", options.precision);
    options.threads = node.getIntProperty("threads", options.threads);
    options.skin = node.getDoubleProperty("skin", options.skin);
    options.target = node.getIntProperty("target", options.target);
    options.gpu_kernels = node.getIntProperty("gpuKernels", options.gpu_kernels);
    options.allow_not_finite = node.getBoolProperty("allowNotFinite", options.allow_not_finite);
    options.max_extrapolations = node.getLongProperty("maxExtrapolations", options.max_extrapolations);
    return options;
}

}  // namespace

void NNPForceProxy::serialize(const void* object, OpenMM::SerializationNode& node) const
{
    // OpenMM hands over a pointer to Force
    const auto& force = *static_cast<const NNPForce*>(static_cast<const OpenMM::Force*>(object));
    const ForceOptions& options = force.options();
    node.setIntProperty("version", VERSION);
    node.setStringProperty("name", force.getName());
    node.setIntProperty("forceGroup", force.getForceGroup());
    node.setBoolProperty("periodic", force.usesPeriodicBoundaryConditions());
    node.setIntProperty("precision", options.precision);
    node.setIntProperty("threads", options.threads);
    node.setDoubleProperty("skin", options.skin);
    node.setIntProperty("target", options.target);
    node.setIntProperty("gpuKernels", options.gpu_kernels);
    node.setBoolProperty("allowNotFinite", options.allow_not_finite);
    node.setLongProperty("maxExtrapolations", options.max_extrapolations);
    node.setStringProperty("scaleParameter", force.scale_parameter());
    node.setDoubleProperty("defaultScale", force.default_scale());
    node.setStringProperty("atomicNumbers", encode(force.atomic_numbers()));
    node.setStringProperty("potential", encode(force.potential().bytes));
}

void* NNPForceProxy::deserialize(const OpenMM::SerializationNode& node) const
{
    check_version(node.getIntProperty("version"));
    PotentialData potential = {decode_bytes(node.getStringProperty("potential"), "potential")};
    std::vector<int32_t> numbers = decode_int32(node.getStringProperty("atomicNumbers"), "atomicNumbers");
    auto force = std::make_unique<NNPForce>(std::move(potential), std::move(numbers), node.getBoolProperty("periodic"),
                                            read_options(node));
    force->setName(node.getStringProperty("name", force->getName()));
    force->setForceGroup(node.getIntProperty("forceGroup", 0));
    force->set_scale(node.getStringProperty("scaleParameter", ""), node.getDoubleProperty("defaultScale", 1.0));
    // and reads the pointer as one to Force
    return static_cast<OpenMM::Force*>(force.release());
}

}  // namespace nnp_openmm
