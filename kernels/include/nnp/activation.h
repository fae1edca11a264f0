/* Activation functions of a network node, value and slope. The letters are those of n2p2's input.nn. */
#ifndef NNP_ACTIVATION_H
#define NNP_ACTIVATION_H
#include "real.h"

enum {
    NNP_ACT_IDENTITY = 0,     /* l: x */
    NNP_ACT_TANH = 1,         /* t: tanh x */
    NNP_ACT_LOGISTIC = 2,     /* s: 1/(1 + exp(-x)) */
    NNP_ACT_SOFTPLUS = 3,     /* p: ln(1 + exp x) */
    NNP_ACT_RELU = 4,         /* r: max(0, x) */
    NNP_ACT_GAUSSIAN = 5,     /* g: exp(-x^2/2) */
    NNP_ACT_COS = 6,          /* c: cos x */
    NNP_ACT_REVLOGISTIC = 7,  /* S: 1 - logistic */
    NNP_ACT_EXP = 8,          /* e: exp(-x) */
    NNP_ACT_HARMONIC = 9,     /* h: x^2 */
    NNP_ACT_SCALED_TANH = 10, /* aenet: 1.7159 tanh(2x/3) */
    NNP_ACT_TWIST = 11,       /* aenet: the same plus a x */
    NNP_ACT_COUNT = 12
};

/* `twist` is the a of NNP_ACT_TWIST and is ignored by the others. */
NNP_FN void nnp_activation(int kind, real x, nnp_scalar twist, real* y, real* dy_dx)
{
    if (kind == NNP_ACT_TANH) {
        real t = NNP_TANH(x);
        *y = t;
        *dy_dx = NNP_C(1) - t * t;
    } else if (kind == NNP_ACT_LOGISTIC || kind == NNP_ACT_REVLOGISTIC) {
        real e = NNP_EXP(NNP_SELECT(x < NNP_SPLAT(0), x, -x)); /* exp(-|x|), never overflows */
        real small = e / (NNP_C(1) + e), large = NNP_C(1) / (NNP_C(1) + e);
        real up = NNP_SELECT(x < NNP_SPLAT(0), small, large), down = NNP_SELECT(x < NNP_SPLAT(0), large, small);
        *y = kind == NNP_ACT_LOGISTIC ? up : down;
        *dy_dx = kind == NNP_ACT_LOGISTIC ? small * large : -(small * large);
    } else if (kind == NNP_ACT_SOFTPLUS) {
        real e = NNP_EXP(NNP_SELECT(x < NNP_SPLAT(0), x, -x));
        *y = NNP_LOG1P(e) + NNP_SELECT(x < NNP_SPLAT(0), NNP_SPLAT(0), x);
        *dy_dx = NNP_SELECT(x < NNP_SPLAT(0), e, NNP_SPLAT(1)) / (NNP_C(1) + e);
    } else if (kind == NNP_ACT_RELU) {
        *y = NNP_SELECT(x > NNP_SPLAT(0), x, NNP_SPLAT(0));
        *dy_dx = NNP_SELECT(x > NNP_SPLAT(0), NNP_SPLAT(1), NNP_SPLAT(0));
    } else if (kind == NNP_ACT_GAUSSIAN) {
        *y = NNP_EXP(NNP_C(-0.5) * x * x);
        *dy_dx = -x * *y;
    } else if (kind == NNP_ACT_COS) {
        *y = NNP_COS(x);
        *dy_dx = -NNP_SIN(x);
    } else if (kind == NNP_ACT_EXP) {
        *y = NNP_EXP(-x);
        *dy_dx = -*y;
    } else if (kind == NNP_ACT_HARMONIC) {
        *y = x * x;
        *dy_dx = NNP_C(2) * x;
    } else if (kind == NNP_ACT_SCALED_TANH || kind == NNP_ACT_TWIST) {
        nnp_scalar a = kind == NNP_ACT_TWIST ? twist : NNP_C(0);
        real t = NNP_TANH((NNP_C(2) / NNP_C(3)) * x);
        *y = NNP_C(1.7159) * t + a * x;
        *dy_dx = NNP_C(1.7159 * 2.0 / 3.0) * (NNP_C(1) - t * t) + a;
    } else {
        *y = x;
        *dy_dx = NNP_SPLAT(1);
    }
}

#endif
