// r_ij of two points and the shifts between them.
NNP_FN void nnp_displacement(nnp_point i, nnp_point j, int shifts, GLOBAL const real* frame, real* x, real* y,
                             real* z)
{
    int sa = (shifts & 255) - 128, sb = ((shifts >> 8) & 255) - 128, sc = ((shifts >> 16) & 255) - 128;
#if defined(USE_DOUBLE_PRECISION)
    real a = j.a - i.a + sa, b = j.b - i.b + sb, c = j.c - i.c + sc;
#else
    // whole numbers modulo 2^32: exact wherever the sum itself is in range
    real a = (int)((unsigned int)j.a - (unsigned int)i.a + (unsigned int)sa * (unsigned int)frame[FRAME_UNITS]);
    real b = (int)((unsigned int)j.b - (unsigned int)i.b + (unsigned int)sb * (unsigned int)frame[FRAME_UNITS + 1]);
    real c = (int)((unsigned int)j.c - (unsigned int)i.c + (unsigned int)sc * (unsigned int)frame[FRAME_UNITS + 2]);
#endif
    *x = a * frame[0] + b * frame[3] + c * frame[6];
    *y = a * frame[1] + b * frame[4] + c * frame[7];
    *z = a * frame[2] + b * frame[5] + c * frame[8];
}
