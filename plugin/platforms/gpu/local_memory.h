// Local memory of a Context's device, which ComputeContext does not tell.
#ifndef NNP_PLUGIN_LOCAL_MEMORY_H
#define NNP_PLUGIN_LOCAL_MEMORY_H

#include "openmm/Platform.h"
#include "openmm/internal/ContextImpl.h"

#include <cstdint>

namespace nnp_openmm
{

// Bytes that a work-group may have.
int64_t local_memory_of(const OpenMM::Platform& platform, OpenMM::ContextImpl& context);

}  // namespace nnp_openmm

#endif
