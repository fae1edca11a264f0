// The same box as energy.c by the domain call: the program makes the images (ghosts) and the list of neighbours itself,
// as a parallel MD program has them, and sends the forces on ghosts home.   domain MODEL.nnp
#include <nnp.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <vector>

namespace
{

using Vector = std::array<double, 3>;
constexpr int CELLS = 2, N = 8 * CELLS * CELLS * CELLS;
constexpr double A = 5.43, EDGE = A * CELLS, SKIN = 0.5;

struct Release {
    void operator()(nnp_model* model) const { nnp_model_release(model); }
    void operator()(nnp_engine* engine) const { nnp_engine_destroy(engine); }
};

void check(int code, const nnp_error& error)
{
    if (code != NNP_OK)
        throw std::runtime_error(error.text);
}

std::vector<Vector> make_box()
{
    const Vector base[8] = {{0, 0, 0},       {0, .5, .5},     {.5, 0, .5},     {.5, .5, 0},
                            {.25, .25, .25}, {.25, .75, .75}, {.75, .25, .75}, {.75, .75, .25}};
    std::vector<Vector> positions(N);
    for (int i = 0; i < N; ++i) {
        const int c[3] = {i / 8 % CELLS, i / 8 / CELLS % CELLS, i / 8 / CELLS / CELLS};
        for (int k = 0; k < 3; ++k)
            positions[i][k] = A * (c[k] + base[i % 8][k]) + 0.01 * ((7 * i + 3 * k) % 11 - 5);
    }
    return positions;
}

// Centres first, then every image that one of them may see; `home` is the atom that each is an image of.
void add_ghosts(double reach, std::vector<Vector>& positions, std::vector<int>& home)
{
    for (int i = 0; i < N; ++i)
        home.push_back(i);
    const int images = static_cast<int>(std::ceil(reach / EDGE)) + 1;
    for (int a = -images; a <= images; ++a)
        for (int b = -images; b <= images; ++b)
            for (int c = -images; c <= images; ++c)
                for (int i = 0; i < N; ++i) {
                    const Vector r = {positions[i][0] + a * EDGE, positions[i][1] + b * EDGE,
                                      positions[i][2] + c * EDGE};
                    bool near = a || b || c;
                    for (double x : r)
                        near = near && x > -reach - 1 && x < EDGE + reach + 1;
                    if (near) {
                        positions.push_back(r);
                        home.push_back(i);
                    }
                }
}

std::vector<std::vector<int32_t>> make_rows(double reach, const std::vector<Vector>& positions)
{
    std::vector<std::vector<int32_t>> rows(positions.size());
    for (int i = 0; i < N; ++i)
        for (size_t j = 0; j < positions.size(); ++j) {
            double r2 = 0;
            for (int k = 0; k < 3; ++k)
                r2 += std::pow(positions[j][k] - positions[i][k], 2);
            if (static_cast<int>(j) != i && r2 < reach * reach)
                rows[i].push_back(static_cast<int32_t>(j));
        }
    return rows;
}

void run(const char* path)
{
    nnp_error error;
    nnp_model* opened = nullptr;
    check(nnp_model_open(path, &opened, &error), error);
    std::unique_ptr<nnp_model, Release> model(opened);
    nnp_engine* made = nullptr;
    check(nnp_engine_create(model.get(), nullptr, &made, &error), error);
    std::unique_ptr<nnp_engine, Release> engine(made);

    const double reach = nnp_model_cutoff(model.get()) + SKIN;  // rows may reach beyond the cutoff
    std::vector<Vector> positions = make_box();
    std::vector<int> home;
    add_ghosts(reach, positions, home);
    const auto rows = make_rows(reach, positions);
    std::vector<const int32_t*> row_of;
    std::vector<int32_t> counts, centres, species(positions.size(), 0);  // element 0 of the model, the only one
    for (const auto& row : rows) {
        row_of.push_back(row.data());
        counts.push_back(static_cast<int32_t>(row.size()));
    }
    for (int i = 0; i < N; ++i)
        centres.push_back(i);
    nnp_domain domain = {};
    domain.n_atoms = static_cast<int64_t>(positions.size());
    domain.positions = positions[0].data();
    domain.species = species.data();
    domain.n_centres = N;
    domain.centres = centres.data();
    domain.counts = counts.data();
    domain.neighbors = row_of.data();
    domain.mask = -1;

    double energy = 0;
    std::vector<Vector> forces(positions.size()), sums(N);
    nnp_results results = {};
    results.energy = &energy;
    results.forces = forces[0].data();
    check(nnp_engine_compute_domain(engine.get(), &domain, &results, &error), error);
    for (size_t i = 0; i < forces.size(); ++i)
        for (int k = 0; k < 3; ++k)
            sums[home[i]][k] += forces[i][k];
    std::printf("energy %.12f eV\n", energy);
    for (int i = 0; i < N; ++i)
        std::printf("%3d  %18.12f %18.12f %18.12f eV/angstrom\n", i, sums[i][0], sums[i][1], sums[i][2]);
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: domain MODEL.nnp\n");
        return 2;
    }
    try {
        run(argv[1]);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "error: %s\n", failure.what());
        return 1;
    }
    return 0;
}
