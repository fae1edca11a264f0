/* nnp_device.h: what the GPU host of libnnp needs of a device, as a table of functions. OpenMM's contexts, CuPy and
 * PyOpenCL fill it, and whoever wants the GPU engine elsewhere.
 *
 * All calls come from the thread that called the engine; work is done in the order of the calls. Functions that return
 * an int return an enum nnp_code; after one other than NNP_OK, `message` says why.
 */
#ifndef NNP_DEVICE_H
#define NNP_DEVICE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NNP_DEVICE_VERSION 1

/* Whose definitions of KERNEL, GLOBAL, real ... stand at the head of a program's text. */
enum nnp_gpu_dialect {
    NNP_GPU_CUDA = 0,
    NNP_GPU_OPENCL = 1,
    NNP_GPU_OPENMM = 2 /* none: OpenMM puts its own there */
};

enum nnp_gpu_precision {
    NNP_GPU_SINGLE = 0, /* float */
    NNP_GPU_MIXED = 1,  /* float; sums over neighbours and networks in double */
    NNP_GPU_DOUBLE = 2
};

typedef struct nnp_device {
    int32_t version;         /* NNP_DEVICE_VERSION */
    int32_t dialect;         /* enum nnp_gpu_dialect */
    int64_t local_bytes;     /* local (shared) memory that a work-group may have */
    int64_t most_groups;     /* work-groups of one launch; kernels loop over what is left */
    int32_t many_threads;    /* 1: work-groups of more threads pay where atoms are few; 0: of 64 always */
    const char* description; /* stands in messages */
    void* context;           /* first argument of every call */

    /* Buffers and programs are numbers that the device chooses, other than 0. */
    int (*allocate)(void* context, int64_t n_items, int32_t item_bytes, uint64_t* buffer); /* one item at least */
    void (*release)(void* context, uint64_t buffer);
    int (*write)(void* context, uint64_t buffer, const void* values, int64_t n_bytes); /* to its front */
    /* From its front; waits for all that was launched before. */
    int (*read)(void* context, uint64_t buffer, void* values, int64_t n_bytes);

    int (*compile)(void* context, const char* source, int32_t precision, uint64_t* program);
    /* signature: 'i' for an int32, 'b' for a buffer, in the order of the arguments. */
    int (*kernel)(void* context, uint64_t program, const char* name, const char* signature, uint64_t* kernel);
    /* Starts a kernel and does not wait. arguments: one number per letter of the signature. */
    int (*launch)(void* context, uint64_t kernel, int64_t groups, int32_t group_size, const uint64_t* arguments);

    const char* (*message)(void* context); /* of the last failure */
} nnp_device;

#ifdef __cplusplus
}
#endif

#endif
