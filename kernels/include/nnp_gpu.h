/* nnp_gpu.h: the GPU engine of libnnp, in C. It writes the kernels of a potential as text, has a device (nnp_device.h)
 * compile and run them, and owns all that is around them: box, neighbour list, sizes of buffers, launches, the fixed
 * point of forces, failures. It needs no GPU library itself.
 *
 * Units and conventions: nnp.h. An engine serves one thread at a time.
 */
#ifndef NNP_GPU_H
#define NNP_GPU_H

#include "nnp.h"
#include "nnp_device.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NNP_GPU_VERSION 3 /* of this interface; nnp_gpu_version() says the library's */

typedef struct nnp_gpu_engine nnp_gpu_engine;

typedef struct nnp_gpu_engine_options {
    int32_t precision;  /* enum nnp_gpu_precision */
    int32_t group_size; /* threads per atom, a power of two, 8 to 1024; 0: chosen by the atoms and their neighbours */
    int32_t capacity;   /* neighbours of an atom in local memory at once, even; 0: as many as an atom has */
    double skin;        /* reach of the list beyond the cutoff; negative: the default */
} nnp_gpu_engine_options;

/* Atoms on the host or the device. Of each pair exactly one is given: a pointer, or a buffer (0: none). */
typedef struct nnp_gpu_atoms {
    int64_t n;
    const double* positions;  /* [n][3] */
    uint64_t positions_there; /* double, read where they lie; or float where `single` is 1 */
    int32_t single;
    const int64_t* numbers;  /* [n] atomic numbers */
    uint64_t numbers_there;  /* 64-bit integers */
    const double* cell;      /* [3][3], rows are vectors */
    uint64_t cell_there;     /* double */
    const uint8_t* periodic; /* [3] */
    uint64_t periodic_there; /* bytes */
} nnp_gpu_atoms;

/* What is wanted, bits. */
enum nnp_gpu_wanted {
    NNP_GPU_ENERGY = 1,
    NNP_GPU_FORCES = 2,
    NNP_GPU_VIRIAL = 4,
    NNP_GPU_DESCRIPTORS = 8,
    NNP_GPU_GRADIENT = 16, /* with FORCES (and VIRIAL): products dL/dr (and dL/d(strain)) from dL/dG; no energy */
    NNP_GPU_CHANGE = 32    /* alone: change of the functions along a direction */
};

/* Buffers of the caller; 0 where not wanted. */
typedef struct nnp_gpu_request {
    int32_t wanted;
    int32_t single;           /* 1: `forces` and `gradient` are floats */
    int32_t allow_not_finite; /* 1: an energy or a force that is not finite is a result, and `not_finite` says so */
    uint64_t energy, energies, forces, stress; /* [1], [n], [n][3], [6] xx yy zz yz xz xy; all or none */
    uint64_t dl_dg;                            /* of GRADIENT: flat, atom after atom, canonical order */
    int64_t dl_dg_size;
    uint64_t direction, strain; /* of CHANGE: [n][3], [3][3] */
} nnp_gpu_request;

typedef struct nnp_gpu_found {
    int32_t not_finite;
    int64_t n_extrapolations;
} nnp_gpu_found;

typedef struct nnp_gpu_statistics {
    int64_t list_builds;
    int64_t most_entries; /* of an atom in the list */
    int64_t capacity;     /* neighbours in local memory at once */
    int64_t group_size;   /* threads per atom */
    int64_t generation;   /* another number: buffers, programs or atoms are others, what was recorded does not stand */
} nnp_gpu_statistics;

NNP_API int nnp_gpu_version(void);

/* Functions that return an int return an enum nnp_code and fill *error (may be NULL). The engine keeps what it needs of
 * the model. The table is copied; what its context points to has to outlive the engine. On failure *engine is NULL. */
NNP_API int nnp_gpu_engine_create(const nnp_model* model, const nnp_gpu_engine_options* options,
                                  const nnp_device* device, nnp_gpu_engine** engine, nnp_error* error);
NNP_API void nnp_gpu_engine_destroy(nnp_gpu_engine* engine);

/* Compiles the kernels now, not at the first evaluation. */
NNP_API int nnp_gpu_engine_prepare(nnp_gpu_engine* engine, nnp_error* error);

/* Evaluates until the results stand: with a new list, more memory or a coarser fixed point where they were due. */
NNP_API int nnp_gpu_engine_evaluate(nnp_gpu_engine* engine, const nnp_gpu_atoms* atoms, const nnp_gpu_request* request,
                                    nnp_gpu_found* found, nnp_error* error);
/* Starts the kernels of one evaluation of atoms on the device, and neither allocates, copies nor waits: what a CUDA
 * graph can record, after an evaluation of the same atoms and request. Results that do not stand are NaN. */
NNP_API int nnp_gpu_engine_launch(nnp_gpu_engine* engine, const nnp_gpu_atoms* atoms, const nnp_gpu_request* request,
                                  nnp_error* error);
/* Waits for the last evaluation; *stands: whether it does. Where not, what it lacked is there at the next one. */
NNP_API int nnp_gpu_engine_settle(nnp_gpu_engine* engine, const nnp_gpu_atoms* atoms, int32_t* stands,
                                  nnp_error* error);

/* Results of the last evaluation; NULL: not wanted. energies [n], forces [n][3], virial [3][3]. */
NNP_API int nnp_gpu_engine_read(nnp_gpu_engine* engine, double* energy, double* energies, double* forces,
                                double* virial, nnp_error* error);
/* Of n_extrapolations functions outside their training range, by atom, then function. excess: below the minimum
 * negative, above the maximum positive; relative: excess over the range, infinite for a function that never changed in
 * training. */
NNP_API int nnp_gpu_engine_extrapolations(nnp_gpu_engine* engine, int64_t* atoms, int64_t* functions, double* excess,
                                          double* relative, nnp_error* error);
/* Where the forces lie, [n][3] 64-bit integers in 1/scale. */
NNP_API void nnp_gpu_engine_forces(const nnp_gpu_engine* engine, uint64_t* buffer, double* scale);

/* How many functions the atoms last evaluated have: the length of a flat vector. */
NNP_API int64_t nnp_gpu_engine_n_functions(const nnp_gpu_engine* engine);
/* The functions (after DESCRIPTORS) or their change (after CHANGE) into a flat vector of doubles. */
NNP_API int nnp_gpu_engine_give_functions(nnp_gpu_engine* engine, uint64_t flat, nnp_error* error);
/* After GRADIENT: dL/dr [n][3], floats where `single`, and dL/d(strain) [3][3] (0: not wanted). */
NNP_API int nnp_gpu_engine_give_gradient(nnp_gpu_engine* engine, uint64_t by_positions, int32_t single,
                                         uint64_t by_strain, nnp_error* error);

NNP_API void nnp_gpu_engine_statistics(const nnp_gpu_engine* engine, nnp_gpu_statistics* statistics);

/* -- the kernels as text --------------------------------------------------------------------------------------------
 * The functions of an element are numbered inside the kernels in the order of the groups they are computed in;
 * nnp_gpu_order tells which function of the potential stands where. */

typedef struct nnp_gpu_options {
    int32_t precision;  /* enum nnp_gpu_precision */
    int32_t dialect;    /* enum nnp_gpu_dialect */
    int32_t group_size; /* threads per work-group: a power of two, 8 to 1024 */
    int32_t capacity;   /* neighbours of an atom that local memory holds at once: even, 2 or more; more neighbours than
                           that are visited in tiles */
} nnp_gpu_options;

enum nnp_gpu_program {
    NNP_GPU_PROGRAM_LIST = 0,       /* neighbour list, sums over atoms, transfers */
    NNP_GPU_PROGRAM_EVALUATION = 1, /* a kernel per element (atom.cc) */
    NNP_GPU_PROGRAM_CHANGE = 2      /* likewise: Jacobian-vector products (tangent.cc) */
};

/* Each of these writes at most `size` items to `out` (may be NULL) and returns how many there are, or minus an
 * enum nnp_code. */

/* A program, zero-terminated; the count includes the zero. */
NNP_API int64_t nnp_gpu_source(const nnp_model* model, const nnp_gpu_options* options, int32_t program, char* out,
                               int64_t size, nnp_error* error);
/* The parameter buffer of one element (by rising atomic number): see atom.cc. */
NNP_API int64_t nnp_gpu_parameters(const nnp_model* model, int32_t element, double* out, int64_t size,
                                   nnp_error* error);
/* For each function inside the kernels, its number among the element's functions. */
NNP_API int64_t nnp_gpu_order(const nnp_model* model, int32_t element, int64_t* out, int64_t size, nnp_error* error);
/* Bytes of local memory that a work-group needs: one number. */
NNP_API int64_t nnp_gpu_local_bytes(const nnp_model* model, const nnp_gpu_options* options, nnp_error* error);

#ifdef __cplusplus
}
#endif

#endif
