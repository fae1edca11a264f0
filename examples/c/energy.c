/* Energy and forces of a box of silicon, with nothing but nnp.h.   energy MODEL.nnp */
#include <nnp.h>

#include <stdio.h>

enum { CELLS = 2, N = 8 * CELLS * CELLS * CELLS };

/* Diamond with its atoms a little out of place. */
static void make_box(double a, double positions[N][3], double cell[3][3])
{
    static const double base[8][3] = {{0, 0, 0},       {0, .5, .5},     {.5, 0, .5},     {.5, .5, 0},
                                      {.25, .25, .25}, {.25, .75, .75}, {.75, .25, .75}, {.75, .75, .25}};
    for (int i = 0; i < N; ++i) {
        int c[3] = {i / 8 % CELLS, i / 8 / CELLS % CELLS, i / 8 / CELLS / CELLS};
        for (int k = 0; k < 3; ++k)
            positions[i][k] = a * (c[k] + base[i % 8][k]) + 0.01 * ((7 * i + 3 * k) % 11 - 5);
    }
    for (int k = 0; k < 9; ++k)
        cell[k / 3][k % 3] = k % 4 == 0 ? a * CELLS : 0;
}

static int say(const nnp_error* error)
{
    fprintf(stderr, "error %d: %s\n", error->code, error->text);
    return 1;
}

int main(int argc, char** argv)
{
    nnp_error error;
    nnp_model* model = NULL;
    nnp_engine* engine = NULL;
    if (argc != 2) {
        fprintf(stderr, "usage: energy MODEL.nnp\n");
        return 2;
    }
    if (nnp_model_open(argv[1], &model, &error) != NNP_OK)
        return say(&error);
    int code = nnp_engine_create(model, NULL, &engine, &error);
    nnp_model_release(model); /* the engine keeps what it needs */
    if (code != NNP_OK)
        return say(&error);

    static double positions[N][3], forces[N][3];
    double cell[3][3], energy;
    int32_t numbers[N];
    make_box(5.43, positions, cell);
    for (int i = 0; i < N; ++i)
        numbers[i] = 14;
    nnp_structure box = {N, positions[0], numbers, cell[0], {1, 1, 1}};
    nnp_results results = {0};
    results.energy = &energy;
    results.forces = forces[0];
    code = nnp_engine_compute(engine, &box, &results, &error);
    nnp_engine_destroy(engine);
    if (code != NNP_OK)
        return say(&error);
    printf("energy %.12f eV\n", energy);
    for (int i = 0; i < N; ++i)
        printf("%3d  %18.12f %18.12f %18.12f eV/angstrom\n", i, forces[i][0], forces[i][1], forces[i][2]);
    return 0;
}
