// Threads that share a model, each with engines of its own: the same bits everywhere. Run under ThreadSanitizer.
//   threads MODEL.nnp
#include <nnp.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

namespace
{

constexpr int THREADS = 4, TURNS = 3, N = 8;
constexpr double EDGE = 5.43;
const double BASE[N][3] = {{0, 0, 0},       {0, .5, .5},     {.5, 0, .5},     {.5, .5, 0},
                           {.25, .25, .25}, {.25, .75, .75}, {.75, .25, .75}, {.75, .75, .25}};

struct Outcome {
    double energy, forces[N][3];
};

// A structure by an engine made here; `threads` of its own inside.
bool evaluate(const nnp_model* model, int threads, Outcome& out)
{
    nnp_error error;
    nnp_engine* engine = nullptr;
    nnp_options options = {NNP_FLOAT64, threads, -1, 0, NNP_WIDE_AUTOMATIC};
    if (nnp_engine_create(model, &options, &engine, &error) != NNP_OK) {
        std::fprintf(stderr, "%s\n", error.text);
        return false;
    }
    double positions[N][3], cell[3][3] = {{EDGE, 0, 0}, {0, EDGE, 0}, {0, 0, EDGE}};
    int32_t numbers[N];
    nnp_results results = {};
    results.energy = &out.energy;
    results.forces = out.forces[0];
    bool good = true;
    for (int turn = 0; turn < TURNS && good; ++turn) {
        for (int i = 0; i < N; ++i) {
            numbers[i] = nnp_model_atomic_number(model, 0);
            for (int k = 0; k < 3; ++k)
                positions[i][k] = EDGE * BASE[i][k] + 0.02 * turn * ((3 * i + k) % 5);
        }
        nnp_structure box = {N, positions[0], numbers, cell[0], {1, 1, 1}};
        good = nnp_engine_compute(engine, &box, &results, &error) == NNP_OK;
    }
    nnp_engine_destroy(engine);
    return good;
}

}  // namespace

int main(int argc, char** argv)
{
    nnp_model* model = nullptr;
    nnp_error error;
    if (argc != 2 || nnp_model_open(argv[1], &model, &error) != NNP_OK)
        return 2;
    Outcome wanted = {};
    if (!evaluate(model, 1, wanted))
        return 2;
    std::vector<std::thread> team;
    std::vector<Outcome> found(THREADS);
    std::atomic<int> failures{0};
    for (int t = 0; t < THREADS; ++t)
        team.emplace_back([&, t] {
            nnp_function_info info;
            failures += nnp_model_function(model, 0, 0, &info) != NNP_OK;
            failures += !evaluate(model, 1 + t % 2, found[t]);
        });
    for (std::thread& thread : team)
        thread.join();
    nnp_model_release(model);
    for (const Outcome& one : found)
        failures += std::memcmp(&one, &wanted, sizeof one) != 0;
    std::printf("%d failures\n", failures.load());
    return failures.load() ? 1 : 0;
}
