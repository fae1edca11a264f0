// The numbers of layout.inc in C++, and the kernels' types as the host counts them.
#ifndef NNP_GPU_HOST_LAYOUT_H
#define NNP_GPU_HOST_LAYOUT_H

#include "nnp_device.h"

#define NNP_HOST
#include "layout.inc"
#undef NNP_HOST

namespace nnp::gpu
{

constexpr int real_bytes(int precision)
{
    return precision == NNP_GPU_DOUBLE ? 8 : 4;
}

constexpr int mixed_bytes(int precision)
{
    return precision == NNP_GPU_SINGLE ? 4 : 8;
}

constexpr int point_bytes(int precision)
{
    return 4 * real_bytes(precision);  // a coordinate is a double or an int
}

}  // namespace nnp::gpu

#endif
