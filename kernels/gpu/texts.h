// The kernel files as strings; texts.cpp is written by embed.cmake when the library is built.
#ifndef NNP_GPU_TEXTS_H
#define NNP_GPU_TEXTS_H

namespace nnp::gpu
{

// The text of a file of kernels/gpu or kernels/include/nnp, by its name; null if there is none.
const char* kernel_text(const char* name);

}  // namespace nnp::gpu

#endif
