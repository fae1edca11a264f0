// dE/dr_ij of each slot: sums of what many threads add, in any order, which come out the same every time because they
// are sums of integers. A GPU adds 32 bits to local memory at once but not 64, hence two words: whole units of
// 1/scale, and what is left in 2^-PULL_BITS of these. In double precision both words have 64 bits.
#if defined(USE_DOUBLE_PRECISION)
typedef mm_ulong nnp_word;
typedef mm_long nnp_signed_word;
#else
typedef int nnp_word;
typedef int nnp_signed_word;
#endif

#define PULL(part, slot) pulled[(part) * CAPACITY + (slot)]
#define PULL_PARTS 6
// The largest number of units in one contribution, of which there are so few that their sum does not overflow
#define PULL_ONE ((real)((mm_long)1 << PULL_BITS))
// eV/A that one contribution may have, as long as forces are summed in 2^-48 eV/A
#define PULL_LIMIT 1024

// Units per eV/A. Coarser where the host had to choose a coarser unit for forces.
NNP_FN real nnp_pull_scale(GLOBAL const real* frame)
{
    real coarser = frame[FRAME_SCALE] * (real)(1.0 / 281474976710656.0);
    return PULL_ONE / PULL_LIMIT * (coarser < 1 ? coarser : (real)1);
}

NNP_FN void nnp_pull_part(real units, int part, int slot, LOCAL_ARG nnp_word* pulled)
{
    nnp_signed_word whole = (nnp_signed_word)rint(units), rest = (nnp_signed_word)((units - (real)whole) * PULL_ONE);
    ATOMIC_ADD(&PULL(part, slot), (nnp_word)whole);
    ATOMIC_ADD(&PULL(part + 1, slot), (nnp_word)rest);
}

// Adds (x, y, z) to a slot.
NNP_FN void nnp_pull(real x, real y, real z, int slot, real scale, LOCAL_ARG nnp_word* pulled, LOCAL_ARG int* failed)
{
    real size = fabs(x) + fabs(y) + fabs(z);
    if (size * scale < PULL_ONE) {
        nnp_pull_part(x * scale, 0, slot, pulled);
        nnp_pull_part(y * scale, 2, slot, pulled);
        nnp_pull_part(z * scale, 4, slot, pulled);
    } else if (size <= (real)1e36) {
        failed[2] = 1;
    } else {
        failed[0] = 1;
    }
}

// The sum of one component, part 0, 2 or 4.
NNP_FN real nnp_pulled(int part, int slot, real scale, LOCAL_ARG const nnp_word* pulled)
{
    real whole = (real)(nnp_signed_word)PULL(part, slot), rest = (real)(nnp_signed_word)PULL(part + 1, slot);
    return (whole + rest / PULL_ONE) / scale;
}
