/* Independent multiply-adds in registers: what the core can do at most. Compiled by bench_network.py. */
#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX2__)
#define BYTES 32
#else
#define BYTES 16
#endif
#define CHAINS 12 /* more than latency times pipes; they and two constants fit 16 registers */

#define PEAK(name, scalar)                                                                 \
    long name(long n)                                                                      \
    {                                                                                      \
        typedef scalar vector __attribute__((vector_size(BYTES)));                         \
        vector a[CHAINS], x = (vector){} + (scalar)0.999, y = (vector){} + (scalar)0.001;  \
        for (int c = 0; c < CHAINS; ++c)                                                   \
            a[c] = (vector){} + (scalar)c;                                                 \
        for (long i = 0; i < n; ++i) {                                                     \
            _Pragma("GCC unroll 12") for (int c = 0; c < CHAINS; ++c) a[c] = a[c] * x + y; \
        }                                                                                  \
        for (int c = 1; c < CHAINS; ++c)                                                   \
            a[0] += a[c];                                                                  \
        __asm__ volatile("" : : "x"(a[0]));                                                \
        return 2 * n * CHAINS * (long)(BYTES / sizeof(scalar));                            \
    }

PEAK(float64, double)
PEAK(float32, float)
