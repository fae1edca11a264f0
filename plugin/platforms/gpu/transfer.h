// Between OpenMM's arrays on the device, ordered as it likes and in its units, and the force's atoms in Å and eV.
#ifndef NNP_PLUGIN_TRANSFER_H
#define NNP_PLUGIN_TRANSFER_H

namespace nnp_openmm
{

// In OpenMM's common-compute dialect. atom_of: atom of a particle, -1 for none.
constexpr const char* TRANSFER_SOURCE = R"(
KERNEL void nnp_gather(int n, GLOBAL const real4* RESTRICT posq, GLOBAL const real4* RESTRICT correction,
                       GLOBAL const int* RESTRICT particle_at, GLOBAL const int* RESTRICT atom_of,
                       GLOBAL double* RESTRICT positions)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        int atom = atom_of[particle_at[i]];
        if (atom < 0)
            continue;
        double x = posq[i].x, y = posq[i].y, z = posq[i].z;
#ifdef USE_MIXED_PRECISION
        x += correction[i].x;
        y += correction[i].y;
        z += correction[i].z;
#endif
        positions[3 * atom] = ANGSTROM_PER_NM * x;
        positions[3 * atom + 1] = ANGSTROM_PER_NM * y;
        positions[3 * atom + 2] = ANGSTROM_PER_NM * z;
    }
}

// factor: OpenMM's fixed point over that of the kernels. lost: the forces are not finite, which OpenMM's fixed point
// has no number for: as where OpenMM itself converts NaN, the least one is added.
KERNEL void nnp_scatter(int n, int padded, double factor, int lost, GLOBAL const int* RESTRICT particle_at,
                        GLOBAL const int* RESTRICT atom_of, GLOBAL const mm_ulong* RESTRICT forces,
                        GLOBAL mm_ulong* RESTRICT force_buffers)
{
    for (int i = GLOBAL_ID; i < n; i += GLOBAL_SIZE) {
        int atom = atom_of[particle_at[i]];
        for (int c = 0; atom >= 0 && c < 3; ++c) {
            mm_ulong force = (mm_ulong)(mm_long)(factor * (double)(mm_long)forces[3 * atom + c]);
            force_buffers[i + c * padded] += lost ? (mm_ulong)1 << 63 : force;
        }
    }
}
)";

}  // namespace nnp_openmm

#endif
