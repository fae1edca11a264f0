/* nnp.h: libnnp, neural network potentials for C and C++. Plain C; nothing throws, exits or prints.
 *
 * Units are the model's: files of the package are in angstrom and eV. r_ij = r_j - r_i + shift @ cell with cell vectors
 * as rows; F = -dE/dr; virial = dE/d(strain), so that stress = virial / volume; angular sums run over unordered pairs
 * of neighbours.
 *
 * Errors: every function that can fail returns an enum nnp_code and fills *error, which may be NULL. Nobody has to read
 * its text: atoms are rows of the caller's arrays. After a failure results are as they were, `descriptors` excepted.
 *
 * Threads: a model is immutable; any number of threads and engines share it, and it may be released while engines made
 * from it live. An engine serves one thread at a time; different engines serve different threads at once. An engine
 * keeps its neighbour list and buffers and uses threads of its own inside; results do not depend on their number, bit
 * for bit. A process forked from one with engines may go on with them.
 *
 * Flat arrays (nnp_arrays), in which a potential travels: integers and reals, both cut into blocks.
 *   integers: NNP_LAYOUT_MAGIC, NNP_LAYOUT_VERSION, n_blocks, then each block: tag, n_integers, n_reals, its integers
 *   reals:    those of each block, one block after the other
 * A reader refuses, by its number, a tag or family it does not know; others can be added without another layout.
 *   NNP_BLOCK_MODEL, once: no integers; energy_scale, twist (slope of the twisted tanh)
 *   NNP_BLOCK_ELEMENT, by rising atomic number:
 *     integers: atomic_number, n_functions, n_layers;
 *               per function: family, n_integers, n_reals, its integers; per layer: n_in, n_out, activation
 *               (number of activation.h)
 *     reals:    energy_offset; per function: its reals, minimum, maximum, factor, offset; per layer: weights
 *               [n_in][n_out], biases [n_out]. G_scaled = factor G + offset
 *     The integers and reals of each family stand in nnp/families.h.
 *   NNP_BLOCK_SERIES, behind the elements, by element; those of one are numbered from 0 as they come:
 *     integers: element (its number among the elements), argument (of chebyshev.h), cutoff, n_functions, n_terms
 *     reals:    inner_fraction, r_c of each neighbour element (0: not seen), coefficients [element][function][term]
 *   NNP_BLOCK_REPULSION, behind the elements; each pair of elements once in a block, blocks add up (nnp/zbl.h):
 *     integers: per pair: atomic numbers z_1 <= z_2, n
 *     reals:    per pair: r_inner, r_outer, amplitudes c [n], exponents d [n]
 *   NNP_BLOCK_BASELINE: characters of the names of what the caller would have to add; refused here
 *
 * E_i = energy_scale network(G_scaled) + energy_offset + half of the repulsion of each pair that i is in. The last
 * layer has one output.
 *
 * As bytes: the eight characters "NNPARRAY", then little-endian words of 64 bits: n_integers, n_reals, two sums, the
 * integers, the reals. With w the words behind the sums: sum of w_i, and sum of (i + 1) w_i, i from 0, both mod 2^64.
 */
#ifndef NNP_H
#define NNP_H

#include "nnp/families.h"

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

#define NNP_VERSION 3 /* of this interface */
#define NNP_LAYOUT_MAGIC 5132624
#define NNP_LAYOUT_VERSION 2

NNP_API int nnp_version(void); /* the library's NNP_VERSION */

/* -- errors ------------------------------------------------------------------------------------------------------- */

enum nnp_code {
    NNP_OK = 0,
    NNP_BAD_MODEL = 1,     /* the content does not describe a potential */
    NNP_BAD_STRUCTURE = 2, /* a cell, a count or a list that cannot be evaluated */
    NNP_BAD_ARGUMENT = 3,  /* a null pointer, a size or an option that is not allowed */
    NNP_NOT_FINITE = 4,    /* an energy or force is not finite */
    NNP_NO_MEMORY = 5,
    NNP_INTERNAL = 6,
    NNP_BAD_FILE = 7,        /* no model file, damaged, or of another version */
    NNP_OVERLAP = 8,         /* two atoms in the same place: atom < other, value is their distance */
    NNP_UNKNOWN_ELEMENT = 9, /* the model has no network for the atom's element; value is the atomic number */
    NNP_LOST_POSITION = 10,  /* a coordinate is not finite; value is the coordinate */
    NNP_UNAVAILABLE = 11     /* a device that cannot: no memory, no such kernel, a compiler that refuses */
};

typedef struct nnp_error {
    int32_t code;     /* enum nnp_code */
    int32_t function; /* of the atom's element, -1: none */
    int64_t atom;     /* row of the caller's arrays, -1: none */
    int64_t other;    /* the same */
    double value;     /* what was found; NaN: nothing */
    char text[1000];  /* one message, which names atoms by the same numbers */
} nnp_error;

/* -- model -------------------------------------------------------------------------------------------------------- */

enum nnp_block {
    NNP_BLOCK_MODEL = 1,
    NNP_BLOCK_ELEMENT = 2,
    NNP_BLOCK_BASELINE = 3,
    NNP_BLOCK_REPULSION = 4,
    NNP_BLOCK_SERIES = 8
};

typedef struct nnp_arrays {
    const int64_t* integers;
    int64_t n_integers;
    const double* reals;
    int64_t n_reals;
} nnp_arrays;

typedef struct nnp_model nnp_model;

/* On failure *model is NULL. */
NNP_API int nnp_model_open(const char* path, nnp_model** model, nnp_error* error); /* a .nnp file, committees too */
/* The content of such a file, or of flat arrays as bytes. */
NNP_API int nnp_model_from_memory(const void* bytes, size_t size, nnp_model** model, nnp_error* error);
NNP_API int nnp_model_from_arrays(const nnp_arrays* arrays, nnp_model** model, nnp_error* error);
NNP_API void nnp_model_release(nnp_model* model);
/* Its flat arrays, which live as long as the model. */
NNP_API int nnp_model_arrays(const nnp_model* model, nnp_arrays* arrays);
/* A committee is the mean of its members; 0: a single potential. Each member is released by itself; NULL: none. */
NNP_API int32_t nnp_model_n_members(const nnp_model* model);
NNP_API nnp_model* nnp_model_member(const nnp_model* model, int32_t member);

NNP_API double nnp_model_cutoff(const nnp_model* model);
NNP_API const char* nnp_model_length_unit(const nnp_model* model); /* "angstrom" */
NNP_API const char* nnp_model_energy_unit(const nnp_model* model); /* "eV" */
NNP_API int32_t nnp_model_n_elements(const nnp_model* model);
/* Elements and functions are counted from 0; for a number that is not there these give -1. */
NNP_API int32_t nnp_model_atomic_number(const nnp_model* model, int32_t element);
NNP_API int32_t nnp_model_n_functions(const nnp_model* model, int32_t element);

typedef struct nnp_function_info {
    int32_t family;          /* enum nnp_family_number */
    int32_t neighbors[2];    /* atomic numbers; 0: any element, or no second neighbour */
    double radius;           /* beyond it the function is 0 */
    double minimum, maximum; /* its range in training */
    const int64_t* integers; /* in the order of nnp_family_info; these and the text live as long as the model */
    const double* reals;
    const char* text; /* for messages: "radial Si eta=0.5 r_shift=0 r_cutoff=6 inner_fraction=0" */
} nnp_function_info;
NNP_API int nnp_model_function(const nnp_model* model, int32_t element, int32_t function, nnp_function_info* info);

/* The table of nnp/families.h. */
typedef struct nnp_family_info {
    const char* name;
    int32_t number; /* enum nnp_family_number */
    int32_t loop;   /* enum nnp_loop */
    int32_t n_integers, n_reals;
} nnp_family_info;
typedef struct nnp_parameter_info {
    const char* name;
    const char* meaning; /* of an integer, or the unit of a real */
} nnp_parameter_info;
NNP_API int32_t nnp_n_families(void);
NNP_API int nnp_family(int32_t index, nnp_family_info* info);
/* Integers first, then reals. */
NNP_API int nnp_family_parameter(int32_t index, int32_t parameter, nnp_parameter_info* info);

/* -- engine ------------------------------------------------------------------------------------------------------- */

enum nnp_precision { NNP_FLOAT64 = 0, NNP_FLOAT32 = 1 };

/* How wide angular functions (without r_jk) are summed that both ways can make: over pairs of neighbours, or from
 * moments of the neighbours (docs/moments.md). The results are the same to rounding. */
enum nnp_wide {
    NNP_WIDE_AUTOMATIC = 0, /* as the cost model says */
    NNP_WIDE_PAIRS = 1,
    NNP_WIDE_MOMENTS = 2
};

typedef struct nnp_engine nnp_engine;

typedef struct nnp_options {
    int32_t precision; /* enum nnp_precision */
    int32_t threads;   /* 0: as many as the process may use */
    double skin;       /* list reach beyond the cutoff, in the model's length; negative: follows the motion */
    int32_t target;    /* instruction set: 0 the best here, 1 baseline, 2 AVX2, 3 AVX-512 */
    int32_t wide;      /* enum nnp_wide */
} nnp_options;

/* options NULL: float64, all threads, default skin, best instructions. On failure *engine is NULL. */
NNP_API int nnp_engine_create(const nnp_model* model, const nnp_options* options, nnp_engine** engine,
                              nnp_error* error);
NNP_API void nnp_engine_destroy(nnp_engine* engine);
NNP_API const char* nnp_engine_target(const nnp_engine* engine); /* "avx512", "avx2" or "baseline" */
NNP_API int nnp_engine_threads(const nnp_engine* engine);

/* What to compute; a NULL pointer is not computed. n: atoms of the structure or domain. */
typedef struct nnp_results {
    double* energy;           /* [1] */
    double* energies;         /* [n] */
    double* forces;           /* [n][3] */
    double* virial;           /* [3][3] dE/d(strain) */
    double* virials;          /* [n][3][3] of atom i: sum over j of r_ij (x) dE_i/dr_ij; they sum to the virial */
    double* neighbor_virials; /* [n][3][3] the same terms, each summed at its neighbour j; they too sum to the virial */
    double* descriptors;      /* ragged: atom after atom, each with the functions of its element, raw */
    int32_t add;              /* 1: all but descriptors are added to what stands there */
} nnp_results;

typedef struct nnp_structure {
    int64_t n_atoms;
    const double* positions;       /* [n][3] */
    const int32_t* atomic_numbers; /* [n] */
    const double* cell;            /* [3][3], rows are vectors; may be NULL without periodic axes */
    int32_t periodic[3];
} nnp_structure;

/* A whole structure, with the engine's own neighbour list. */
NNP_API int nnp_engine_compute(nnp_engine* engine, const nnp_structure* structure, const nnp_results* results,
                               nnp_error* error);

/* Centres, ghosts and the caller's full neighbour list, as parallel MD programs have them. Ghosts and periodic images
 * are atoms with positions of their own; forces on them are results like any other, for the caller to send home. */
typedef struct nnp_domain {
    int64_t n_atoms;         /* centres and ghosts */
    const double* positions; /* [n_atoms][3] */
    const int32_t* species;  /* [n_atoms] element of the model; -1: not ours, seen by nobody, no energy */
    int64_t n_centres;
    const int32_t* centres;          /* [n_centres] atoms, each once; those of species -1 are skipped */
    const int32_t* counts;           /* [n_atoms] by atom: length of its row; those of ghosts are not read */
    const int32_t* const* neighbors; /* [n_atoms] by atom: its row, which may reach beyond the cutoff */
    int32_t mask;                    /* a neighbour is `entry & mask`; all bits: -1 */
} nnp_domain;
/* energies, virials: of atoms that are not centre 0. Ragged descriptors: in the order of `centres`. */
NNP_API int nnp_engine_compute_domain(nnp_engine* engine, const nnp_domain* domain, const nnp_results* results,
                                      nnp_error* error);

/* Functions outside [minimum, maximum], by atom, then function; owned by the engine until its next call. */
typedef struct nnp_extrapolations {
    int64_t count;
    const int64_t* atoms;
    const int64_t* functions;
    const double* excess; /* below minimum: negative; above maximum: positive */
} nnp_extrapolations;
NNP_API int nnp_engine_extrapolations(const nnp_engine* engine, nnp_extrapolations* extrapolations);

/* Length of the ragged descriptor array of a structure. */
NNP_API int nnp_engine_descriptor_size(nnp_engine* engine, const nnp_structure* structure, int64_t* size,
                                       nnp_error* error);
/* dL/dr [n][3] (and dL/d(strain) [3][3] unless NULL) from dL/dG, ragged. */
NNP_API int nnp_engine_descriptor_vjp(nnp_engine* engine, const nnp_structure* structure, const double* dl_dg,
                                      double* dl_dr, double* dl_dstrain, nnp_error* error);
/* dG, ragged, for a displacement dr [n][3] and a strain [3][3] of positions and cell, r (1 + strain); either may be
 * NULL, which is none. */
NNP_API int nnp_engine_descriptor_jvp(nnp_engine* engine, const nnp_structure* structure, const double* dr,
                                      const double* dstrain, double* dg, nnp_error* error);

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

/* What an atom costs, as the plan counts it: items of work times what one takes on the machine class that the library's
 * table was measured on (Zen 5, one core), with the engine's precision and instruction set. */
enum nnp_cost_item {
    NNP_COST_ATOM = 0,         /* one for each atom */
    NNP_COST_ENTRY = 1,        /* entries of the neighbour list, skin included */
    NNP_COST_NEIGHBOR = 2,     /* neighbours within the cutoff */
    NNP_COST_FUNCTION = 3,     /* functions */
    NNP_COST_RADIAL = 4,       /* vector operations of radial functions and windows, of repulsion */
    NNP_COST_GROUP = 5,        /* groups of angular functions */
    NNP_COST_ROW = 6,          /* rows of triples: neighbours j */
    NNP_COST_ROW_VECTOR = 7,   /* vectors of neighbours k looked at */
    NNP_COST_TRIPLE = 8,       /* vector operations of triples */
    NNP_COST_SPILL = 9,        /* vectors of triples' arrays that the first-level cache has no room for */
    NNP_COST_COMPACT = 10,     /* vector operations of compact functions' triples */
    NNP_COST_SERIES = 11,      /* groups of moments, by neighbour element */
    NNP_COST_MOMENT = 12,      /* vector operations of moments, by neighbours */
    NNP_COST_MOMENT_ATOM = 13, /* and by atom */
    NNP_COST_WEIGHT = 14,      /* vectors of weights, forward and back */
    NNP_COST_NODE = 15,        /* vector operations of activations */
    NNP_COST_ITEMS = 16
};

typedef struct nnp_cost {
    double counts[NNP_COST_ITEMS];       /* of an atom, on average */
    double microseconds[NNP_COST_ITEMS]; /* energy and forces, with a list that stands */
    double neighbors;                    /* within the cutoff */
    int32_t n_wide, n_by_moments;        /* wide functions that moments can make, and those that they do */
} nnp_cost;
/* Of the atoms of an element, counted from 0. structure NULL: the neighbours to expect from the functions' ranges in
 * training, or at a typical density. Zeros where the structure has no such atom. */
NNP_API int nnp_engine_cost(nnp_engine* engine, int32_t element, const nnp_structure* structure, nnp_cost* cost,
                            nnp_error* error);

/* -- formulas ----------------------------------------------------------------------------------------------------- */

/* The formulas of include/nnp, for tests: value and derivative of one formula at n points. */
enum nnp_formula {
    NNP_FORMULA_CUTOFF = 0,        /* kind; r_c, inner_fraction */
    NNP_FORMULA_COMPACT = 1,       /* core, parameters: left, right, asymmetric (0 or 1) */
    NNP_FORMULA_GAUSSIAN = 2,      /* eta, r_shift */
    NNP_FORMULA_RADIAL_COSINE = 3, /* kappa */
    NNP_FORMULA_ANGULAR = 4,       /* lambda, zeta: 2 base^zeta by cos */
    NNP_FORMULA_COMPACT_ANGLE = 5, /* core; left, right in radians, by cos */
    NNP_FORMULA_ACTIVATION = 6,    /* kind; twist */
    NNP_FORMULA_COSINE = 7,        /* x = r_ij, parameters r_ik, r_jk: cos(theta) and its derivative by r_ij */
    NNP_FORMULA_SHIFTED_ANGLE = 8  /* shift in radians, by cos(theta): (1 + cos(theta - shift))/2 */
};
NNP_API int nnp_formula_evaluate(int formula, int kind, const double* parameters, int64_t n, const double* x,
                                 double* value, double* slope);

#ifdef __cplusplus
}
#endif

#endif
