// Which kernel build runs on this machine.
#include "error.h"
#include "kernel.h"

namespace nnp
{

#define NNP_DECLARE(target)     \
    namespace target            \
    {                           \
    extern const Kernel kernel; \
    }
NNP_DECLARE(baseline_double)
NNP_DECLARE(baseline_single)
#if NNP_X86
NNP_DECLARE(avx2_double)
NNP_DECLARE(avx2_single)
NNP_DECLARE(avx512_double)
NNP_DECLARE(avx512_single)
#endif

namespace
{

enum Target { BEST = 0, BASELINE = 1, AVX2 = 2, AVX512 = 3 };

bool can_run(int target)
{
#if NNP_X86
    if (target == AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && can_run(AVX2);
    if (target == AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return target == BASELINE;
}

}  // namespace

int choose_target(int target)
{
    if (target < BEST || target > AVX512)
        throw Error(NNP_BAD_ARGUMENT, "target " + std::to_string(target) + " is not in 0 to 3");
    if (target == BEST)
        target = can_run(AVX512) ? AVX512 : can_run(AVX2) ? AVX2 : BASELINE;
    if (!can_run(target))
        throw Error(NNP_BAD_ARGUMENT, "this machine lacks the instructions of target " + std::to_string(target) +
                                          ": use 0, the best it has");
    return target;
}

const Kernel& choose_kernel(bool single, int target)
{
    target = choose_target(target);
#if NNP_X86
    if (target == AVX512)
        return single ? avx512_single::kernel : avx512_double::kernel;
    if (target == AVX2)
        return single ? avx2_single::kernel : avx2_double::kernel;
#endif
    return single ? baseline_single::kernel : baseline_double::kernel;
}

}  // namespace nnp
