/* nnp_gpu.h: the C interface of the generator that writes the GPU kernels of one potential as source text. It needs no
 * GPU. Hosts compile the text (NVRTC, an OpenCL driver, OpenMM's ComputeContext) and launch its kernels; the buffers
 * they share are described in layout.inc.
 *
 * The functions of an element are numbered inside the kernels in the order of the groups they are computed in;
 * nnp_gpu_order tells which function of the potential stands where.
 */
#ifndef NNP_GPU_H
#define NNP_GPU_H

#include "nnp.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NNP_GPU_ABI_VERSION 2

typedef nnp_arrays nnp_potential_arrays;

enum nnp_gpu_precision {
    NNP_GPU_SINGLE = 0, /* float */
    NNP_GPU_MIXED = 1,  /* float; sums over neighbours and networks in double */
    NNP_GPU_DOUBLE = 2
};

/* Whose definitions of KERNEL, GLOBAL, real ... stand at the head of the text. */
enum nnp_gpu_dialect {
    NNP_GPU_CUDA = 0,
    NNP_GPU_OPENCL = 1,
    NNP_GPU_OPENMM = 2 /* none: OpenMM puts its own there */
};

typedef struct nnp_gpu_options {
    int32_t precision;  /* enum nnp_gpu_precision */
    int32_t dialect;    /* enum nnp_gpu_dialect */
    int32_t group_size; /* threads per work-group: a power of two, 8 to 1024 */
    int32_t capacity;   /* neighbours of an atom that local memory holds at once: even, 2 or more; more neighbours than
                           that are visited in tiles */
} nnp_gpu_options;

NNP_API int nnp_gpu_abi_version(void);

/* Each of these writes at most `size` items to `out` (may be NULL) and returns how many there are, or minus an
 * enum nnp_code, with a sentence in `message` (may be NULL). */

/* The program, zero-terminated; the count includes the zero. */
NNP_API int64_t nnp_gpu_source(const nnp_potential_arrays* potential, const nnp_gpu_options* options, char* out,
                               int64_t size, char* message, size_t message_size);
/* A program beside it, for training: the Jacobian-vector product of the functions (tangent.cc). Its kernels work on the
 * buffers, list and state of the first. */
NNP_API int64_t nnp_gpu_tangent_source(const nnp_potential_arrays* potential, const nnp_gpu_options* options, char* out,
                                       int64_t size, char* message, size_t message_size);
/* The parameter buffer of one element (by rising atomic number): see atom.cc. The host converts it to `mixed`. */
NNP_API int64_t nnp_gpu_parameters(const nnp_potential_arrays* potential, int32_t element, double* out, int64_t size,
                                   char* message, size_t message_size);
/* For each function inside the kernels, its number among the element's functions. */
NNP_API int64_t nnp_gpu_order(const nnp_potential_arrays* potential, int32_t element, int64_t* out, int64_t size,
                              char* message, size_t message_size);
/* Bytes of local memory that a work-group needs: one number. */
NNP_API int64_t nnp_gpu_local_bytes(const nnp_potential_arrays* potential, const nnp_gpu_options* options,
                                    char* message, size_t message_size);

#ifdef __cplusplus
}
#endif

#endif
