/* Real spherical harmonics as polynomials of a unit vector (x, y, z), and what pulls a derivative back through them.
 *
 *   Y_lm = norm_lm Q_lm(z) Re (x + iy)^m,   Y_l-m = norm_lm Q_lm(z) Im (x + iy)^m,   Q_lm = d^m P_l / dz^m
 *   norm_lm = sqrt((2l + 1)/(4 pi) (l - m)!/(l + m)!) sqrt(2 if m > 0): orthonormal on the sphere
 *
 * The norms are left out here (nnp_harmonic_norm): they go into the coefficients of an atom, once, instead of into
 * every neighbour. Order: l^2 + l + m, m = -l ... l. dQ_lm/dz = Q_l,m+1, so that a gradient needs nothing new.
 * l_max is a constant at every call: the loops disappear.
 * Reference: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), chapter 8.
 */
#ifndef NNP_HARMONICS_H
#define NNP_HARMONICS_H
#include "real.h"

#define NNP_MOST_L 20
#define NNP_HARMONICS(l_max) (((l_max) + 1) * ((l_max) + 1))
#define NNP_HARMONIC(l, m) ((l) * (l) + (l) + (m))
/* Where Q_lm stands among those with 0 <= m <= l; Q_l,l+1 = 0 has no place. */
#define NNP_LEGENDRE(l, m) ((l) * ((l) + 1) / 2 + (m))
#define NNP_LEGENDRES(l_max) (((l_max) + 1) * ((l_max) + 2) / 2)

/* Q_lm(z) of all l <= l_max, 0 <= m <= l. */
NNP_FN void nnp_legendre(int l_max, real z, real* q)
{
    NNP_UNROLL for (int m = 0; m <= l_max; ++m)
    {
        nnp_scalar top = NNP_C(1); /* (2m - 1)!! */
        NNP_UNROLL for (int i = 1; i <= m; ++i) top *= NNP_C(2 * i - 1);
        q[NNP_LEGENDRE(m, m)] = NNP_SPLAT(top);
        if (m < l_max)
            q[NNP_LEGENDRE(m + 1, m)] = NNP_C(2 * m + 1) * top * z;
        NNP_UNROLL for (int l = m + 2; l <= l_max; ++l)
        {
            nnp_scalar a = NNP_C(2 * l - 1) / NNP_C(l - m), b = NNP_C(l + m - 1) / NNP_C(l - m);
            q[NNP_LEGENDRE(l, m)] = a * z * q[NNP_LEGENDRE(l - 1, m)] - b * q[NNP_LEGENDRE(l - 2, m)];
        }
    }
}

/* cosine[m] = Re (x + iy)^m, sine[m] = Im (x + iy)^m, m <= l_max. */
NNP_FN void nnp_azimuth(int l_max, real x, real y, real* cosine, real* sine)
{
    cosine[0] = NNP_SPLAT(1);
    sine[0] = NNP_SPLAT(0);
    NNP_UNROLL for (int m = 1; m <= l_max; ++m)
    {
        cosine[m] = x * cosine[m - 1] - y * sine[m - 1];
        sine[m] = x * sine[m - 1] + y * cosine[m - 1];
    }
}

/* y_lm [(l_max + 1)^2] without norms, from the parts above. */
NNP_FN void nnp_harmonics(int l_max, const real* q, const real* cosine, const real* sine, real* y_lm)
{
    NNP_UNROLL for (int l = 0; l <= l_max; ++l)
    {
        y_lm[NNP_HARMONIC(l, 0)] = q[NNP_LEGENDRE(l, 0)];
        NNP_UNROLL for (int m = 1; m <= l; ++m)
        {
            y_lm[NNP_HARMONIC(l, m)] = q[NNP_LEGENDRE(l, m)] * cosine[m];
            y_lm[NNP_HARMONIC(l, -m)] = q[NNP_LEGENDRE(l, m)] * sine[m];
        }
    }
}

/* Gradient of sum_lm h_lm Y_lm by x, y and z, each taken as free. h has no norms either: they stand in its factors. */
NNP_FN void nnp_harmonics_gradient(int l_max, const real* q, const real* cosine, const real* sine, const real* h,
                                   real* by_x, real* by_y, real* by_z)
{
    real gx = NNP_SPLAT(0), gy = NNP_SPLAT(0), gz = NNP_SPLAT(0);
    NNP_UNROLL for (int m = 0; m <= l_max; ++m)
    {
        real a = NNP_SPLAT(0), b = NNP_SPLAT(0), slope_a = NNP_SPLAT(0), slope_b = NNP_SPLAT(0);
        NNP_UNROLL for (int l = m; l <= l_max; ++l)
        {
            real even = h[NNP_HARMONIC(l, m)], odd = h[NNP_HARMONIC(l, -m)];
            a += q[NNP_LEGENDRE(l, m)] * even;
            b += q[NNP_LEGENDRE(l, m)] * odd;
            if (l > m) {
                slope_a += q[NNP_LEGENDRE(l, m + 1)] * even;
                slope_b += q[NNP_LEGENDRE(l, m + 1)] * odd;
            }
        }
        gz += slope_a * cosine[m];
        if (m > 0) {
            gz += slope_b * sine[m];
            gx += NNP_C(m) * (a * cosine[m - 1] + b * sine[m - 1]);
            gy += NNP_C(m) * (b * cosine[m - 1] - a * sine[m - 1]);
        }
    }
    *by_x = gx;
    *by_y = gy;
    *by_z = gz;
}

/* Change of every y_lm when (x, y, z) moves by (dx, dy, dz). */
NNP_FN void nnp_harmonics_change(int l_max, const real* q, const real* cosine, const real* sine, real dx, real dy,
                                 real dz, real* dy_lm)
{
    NNP_UNROLL for (int m = 0; m <= l_max; ++m)
    {
        real dc = NNP_SPLAT(0), ds = NNP_SPLAT(0);
        if (m > 0) {
            dc = NNP_C(m) * (cosine[m - 1] * dx - sine[m - 1] * dy);
            ds = NNP_C(m) * (sine[m - 1] * dx + cosine[m - 1] * dy);
        }
        NNP_UNROLL for (int l = m; l <= l_max; ++l)
        {
            real slope = l > m ? q[NNP_LEGENDRE(l, m + 1)] * dz : NNP_SPLAT(0), value = q[NNP_LEGENDRE(l, m)];
            dy_lm[NNP_HARMONIC(l, m)] = slope * cosine[m] + value * dc;
            if (m > 0)
                dy_lm[NNP_HARMONIC(l, -m)] = slope * sine[m] + value * ds;
        }
    }
}

#endif
