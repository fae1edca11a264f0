// An NNPForce as XML. Version 2 has the attributes
//   name, forceGroup, periodic (0 or 1), precision, threads, skin, target, gpuKernels (-1, 0 or 1), allowNotFinite
//   (0 or 1), maxExtrapolations, scaleParameter, defaultScale, and as base64 atomicNumbers (little-endian int32) and
//   potential (flat arrays as bytes, see nnp.h).
#ifndef NNP_PLUGIN_FORCE_PROXY_H
#define NNP_PLUGIN_FORCE_PROXY_H

#include "openmm/serialization/SerializationProxy.h"

namespace nnp_openmm
{

class NNPForceProxy : public OpenMM::SerializationProxy
{
public:
    static constexpr int VERSION = 2;

    NNPForceProxy() : SerializationProxy("NNPForce") {}
    void serialize(const void* object, OpenMM::SerializationNode& node) const override;
    void* deserialize(const OpenMM::SerializationNode& node) const override;
};

}  // namespace nnp_openmm

#endif
