/* nnp.h: the C interface of the CPU engine. Plain C, no exceptions, no exit; everything else of the library is hidden.
 *
 * Units are the caller's: lengths and energies come out in the units the potential's numbers are in (the package: Å,
 * eV). Convention: r_ij = r_j - r_i + shift @ cell with cell vectors as rows; F = -dE/dr; virial = dE/d(strain), so
 * that stress = virial / volume; angular sums run over unordered pairs of neighbours.
 *
 * Every function that can fail returns one of the codes below and leaves one sentence in nnp_engine_message().
 * An engine serves one thread at a time; it keeps its neighbour list and buffers and uses its own threads inside.
 * Results do not depend on the number of threads, bit for bit.
 *
 * A potential crosses this interface as two flat arrays.
 *   integers: NNP_LAYOUT_MAGIC, NNP_LAYOUT_VERSION, n_elements, then for each element (by rising atomic number)
 *     atomic_number, n_functions, n_layers
 *     per function 8: kind, neighbor_1, neighbor_2, cutoff_or_core, narrow, asymmetric, 0, 0
 *       kind: enum nnp_function_kind; neighbours as atomic numbers, 0 = any element, weighted by Z (by Z_j Z_k);
 *       cutoff_or_core: number of cutoff.h for the first three kinds, of core.h for the compact ones
 *     per layer 3: n_in, n_out, activation (number of activation.h)
 *   reals: energy_scale, twist (slope of the twisted tanh), then for each element
 *     energy_offset
 *     per function 10: six parameters, minimum, maximum, factor, offset  (G_scaled = factor G + offset)
 *       radial: eta, r_shift, r_c, inner_fraction     radial_cosine: kappa, 0, r_c, inner_fraction
 *       angular: eta, r_shift, r_c, inner_fraction, lambda, zeta
 *       compact_radial: r_left, r_right               compact_angular: r_left, r_right, theta_left, theta_right (rad)
 *     per layer: weights [n_in][n_out], biases [n_out]
 *   E_i = energy_scale network(G_scaled) + energy_offset. The last layer has one output.
 */
#ifndef NNP_H
#define NNP_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define NNP_API __declspec(dllexport)
#else
#define NNP_API __attribute__((visibility("default")))
#endif

#define NNP_ABI_VERSION 2
#define NNP_LAYOUT_MAGIC 5132624
#define NNP_LAYOUT_VERSION 1

enum nnp_code {
    NNP_OK = 0,
    NNP_BAD_POTENTIAL = 1, /* the flat arrays do not describe a potential */
    NNP_BAD_STRUCTURE = 2, /* positions, species or cell that cannot be evaluated */
    NNP_BAD_ARGUMENT = 3,  /* a null pointer, a size or an option that is not allowed */
    NNP_NOT_FINITE = 4,    /* an energy or force is not finite */
    NNP_NO_MEMORY = 5,
    NNP_INTERNAL = 6
};

enum nnp_function_kind {
    NNP_RADIAL = 1,
    NNP_RADIAL_COSINE = 2,
    NNP_ANGULAR = 3,
    NNP_COMPACT_RADIAL = 4,
    NNP_COMPACT_ANGULAR = 5
};

enum nnp_precision { NNP_FLOAT64 = 0, NNP_FLOAT32 = 1 };

typedef struct nnp_engine nnp_engine;

typedef struct nnp_potential_arrays {
    const int64_t* integers;
    int64_t n_integers;
    const double* reals;
    int64_t n_reals;
} nnp_potential_arrays;

typedef struct nnp_options {
    int32_t precision; /* enum nnp_precision */
    int32_t threads;   /* 0: as many as the process may use */
    double skin;       /* list reach beyond the cutoff, in the potential's length; negative: the default */
    int32_t target;    /* instruction set: 0 the best here, 1 baseline, 2 AVX2, 3 AVX-512 */
} nnp_options;

typedef struct nnp_structure {
    int64_t n_atoms;
    const double* positions;       /* [n][3] */
    const int32_t* atomic_numbers; /* [n] */
    const double* cell;            /* [3][3], rows are vectors; may be NULL without periodic axes */
    int32_t periodic[3];
} nnp_structure;

/* What to compute; a NULL pointer is not computed. */
typedef struct nnp_results {
    double* energy;      /* [1] */
    double* energies;    /* [n] */
    double* forces;      /* [n][3] */
    double* virial;      /* [3][3] dE/d(strain) */
    double* descriptors; /* ragged: atom after atom, each with the functions of its element, raw */
} nnp_results;

/* Functions outside [minimum, maximum], by atom, then function; owned by the engine until its next call. */
typedef struct nnp_extrapolations {
    int64_t count;
    const int64_t* atoms;
    const int64_t* functions;
    const double* excess; /* below minimum: negative; above maximum: positive */
} nnp_extrapolations;

NNP_API int nnp_abi_version(void);

/* On failure *engine is NULL and `message` (may be NULL) holds the sentence. */
NNP_API int nnp_engine_create(const nnp_potential_arrays* potential, const nnp_options* options, nnp_engine** engine,
                              char* message, size_t message_size);
NNP_API void nnp_engine_destroy(nnp_engine* engine);
NNP_API const char* nnp_engine_message(const nnp_engine* engine);
NNP_API const char* nnp_engine_target(const nnp_engine* engine); /* "avx512", "avx2" or "baseline" */
NNP_API int nnp_engine_threads(const nnp_engine* engine);

NNP_API int nnp_engine_compute(nnp_engine* engine, const nnp_structure* structure, const nnp_results* results);
NNP_API int nnp_engine_extrapolations(const nnp_engine* engine, nnp_extrapolations* extrapolations);

/* Length of the ragged descriptor array of a structure, or -1 with a message. */
NNP_API int64_t nnp_engine_descriptor_size(nnp_engine* engine, const nnp_structure* structure);
/* dL/dr [n][3] (and dL/d(strain) [3][3] unless NULL) from dL/dG, ragged. */
NNP_API int nnp_engine_descriptor_vjp(nnp_engine* engine, const nnp_structure* structure, const double* dl_dg,
                                      double* dl_dr, double* dl_dstrain);
/* dG, ragged, for a displacement dr [n][3] and a strain [3][3] of positions and cell, r (1 + strain); either may be
 * NULL, which is none. */
NNP_API int nnp_engine_descriptor_jvp(nnp_engine* engine, const nnp_structure* structure, const double* dr,
                                      const double* dstrain, double* dg);

/* Counters since creation, for benchmarks: evaluations, neighbour-list builds, seconds in list, kernels, reduction. */
typedef struct nnp_statistics {
    int64_t evaluations, list_builds;
    double list_seconds, kernel_seconds, reduce_seconds;
    int64_t bytes; /* memory held now */
    int64_t list_entries, triples;
    /* Clock ticks of all threads, all zero unless built with NNP_PROFILE: gathering neighbours, radial functions,
     * compressing triples, angular functions, networks, angular backward, expanding to neighbours, scattering. */
    uint64_t ticks[8];
} nnp_statistics;
NNP_API int nnp_engine_statistics(const nnp_engine* engine, nnp_statistics* statistics);

/* The formulas of include/nnp, for tests: value and derivative of one formula at n points. */
enum nnp_formula {
    NNP_FORMULA_CUTOFF = 0,        /* kind; r_c, inner_fraction */
    NNP_FORMULA_COMPACT = 1,       /* core, parameters: left, right, asymmetric (0 or 1) */
    NNP_FORMULA_GAUSSIAN = 2,      /* eta, r_shift */
    NNP_FORMULA_RADIAL_COSINE = 3, /* kappa */
    NNP_FORMULA_ANGULAR = 4,       /* lambda, zeta: 2 base^zeta by cos */
    NNP_FORMULA_COMPACT_ANGLE = 5, /* core; left, right in radians, by cos */
    NNP_FORMULA_ACTIVATION = 6,    /* kind; twist */
    NNP_FORMULA_COSINE = 7         /* x = r_ij, parameters r_ik, r_jk: cos(theta) and its derivative by r_ij */
};
NNP_API int nnp_formula_evaluate(int formula, int kind, const double* parameters, int64_t n, const double* x,
                                 double* value, double* slope);

#ifdef __cplusplus
}
#endif

#endif
