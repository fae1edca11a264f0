// C text of one potential's functions: constants written out, loops over functions unrolled. Formulas are calls of
// include/nnp.
#ifndef NNP_GPU_WRITER_H
#define NNP_GPU_WRITER_H

#include "groups.h"

#include <string>

namespace nnp::gpu
{

// A number of the kernels' type `real`.
std::string literal(double value);

// "#define name value"
std::string define(const std::string& name, const std::string& value);

// The macros and functions that radial.cc and angular.cc expect before them.
std::string write_radial(const RadialGroup& group);
std::string write_angular(const AngularGroup& group);
// and for the sums and their gradient (angular_sum.cc, angular_back.cc), or for their change (angular_tangent.cc)
std::string write_sums(const AngularGroup& group);
std::string write_changes(const AngularGroup& group);

}  // namespace nnp::gpu

#endif
