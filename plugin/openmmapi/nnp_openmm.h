/* nnp_openmm.h: the plugin's C interface, for languages that reach a force by its address (Python: int(force.this)).
 *
 * A `force` is an OpenMM::Force*, a `context` an OpenMM::Context*. Nothing throws. Functions that can fail return 0
 * when all went well, else 1 with a message in `message`. Units: Å, eV.
 */
#ifndef NNP_OPENMM_H
#define NNP_OPENMM_H

#include "nnp.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NNP_OPENMM_ABI_VERSION 5

NNP_API int nnp_openmm_abi_version(void);
/* 1 when the force is an NNPForce. */
NNP_API int nnp_openmm_is_force(const void* force);

/* The potential of a force (flat arrays as bytes, see nnp.h), for Contexts to come; then for one that exists. */
NNP_API int nnp_openmm_set_potential(void* force, const void* potential, size_t n_bytes, char* message, size_t size);
NNP_API int nnp_openmm_update_context(const void* force, void* context, char* message, size_t size);

/* How many evaluations went wrong in this process. */
NNP_API int64_t nnp_openmm_failures(void);

/* What evaluations said. A monitor outlives its force; `context` NULL: the Context that was evaluated last. */
typedef struct nnp_openmm_monitor nnp_openmm_monitor;
NNP_API nnp_openmm_monitor* nnp_openmm_monitor_create(const void* force, void* context, char* message, size_t size);
NNP_API void nnp_openmm_monitor_destroy(nnp_openmm_monitor* monitor);

/* Arrays are valid until the next evaluation or reading; `forces` is NULL when they were not computed. */
typedef struct nnp_openmm_reading {
    int64_t evaluations;                   /* that went well, 0: none yet, nothing else is set */
    int64_t code;                          /* enum nnp_code of the last one */
    const char* message;                   /* its text, and whom it is about: */
    int64_t failure;                       /* its number among nnp_openmm_failures; 0: it went well */
    int64_t failed_particle, failed_other; /* in the System; -1: nobody */
    double energy;                         /* without the global scale */
    int64_t n_particles;                   /* of the System */
    int64_t n_atoms;
    const int64_t* particles; /* [n_atoms] index in the System */
    const double* energies;   /* [n_atoms], or NULL */
    const double* forces;     /* [n_atoms][3] without the global scale */
    int64_t n_extrapolating;  /* atoms with a function outside its training range */
    int64_t n_extrapolations; /* such functions: */
    const int64_t* extrapolating_particles;
    const int64_t* functions;
    const double* excess;   /* below the minimum: negative; above the maximum: positive */
    const double* relative; /* to the width of the range */
    int64_t worst;          /* index of the largest relative, -1: none */
    const double* stress;   /* xx yy zz yz xz xy without the global scale, eV/Å^3; NULL where it is not known */
} nnp_openmm_reading;
NNP_API void nnp_openmm_monitor_read(nnp_openmm_monitor* monitor, nnp_openmm_reading* reading);
/* The same, after energies and forces were brought from the device where they lie there. Only in the thread that
 * evaluates. */
NNP_API int nnp_openmm_monitor_fetch(nnp_openmm_monitor* monitor, nnp_openmm_reading* reading, char* message,
                                     size_t size);

#ifdef __cplusplus
}
#endif

#endif
