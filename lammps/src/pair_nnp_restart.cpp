// SPDX-License-Identifier: GPL-2.0-only
// Restart files carry the potential itself: a run goes on with what it began with, wherever its file is now.
#include "atom.h"
#include "comm.h"
#include "error.h"
#include "pair_nnp.h"

using namespace LAMMPS_NS;

namespace
{

constexpr int RESTART_VERSION = 1;
enum Setting { VERSION, FLOAT32, THREADS, MOST, SHOW, EVERY, N_SETTINGS };

void write_text(const char* text, size_t size, FILE* file)
{
    const int length = static_cast<int>(size);
    std::fwrite(&length, sizeof(int), 1, file);
    std::fwrite(text, 1, size, file);
}

}  // namespace

// Called by rank 0 alone.
void PairNNP::write_restart(FILE* file)
{
    write_restart_settings(file);
    const int n_types = static_cast<int>(elements_.size());
    std::fwrite(&n_types, sizeof(int), 1, file);
    for (const std::string& element : elements_) {
        write_text(element.data(), element.size(), file);
    }
    write_text(path_.data(), path_.size(), file);
    write_text(bytes_.data(), bytes_.size(), file);
}

void PairNNP::write_restart_settings(FILE* file)
{
    int values[N_SETTINGS];
    values[VERSION] = RESTART_VERSION;
    values[FLOAT32] = options_.float32;
    values[THREADS] = options_.threads;
    values[MOST] = extrapolations_.most;
    values[SHOW] = extrapolations_.show;
    values[EVERY] = extrapolations_.every;
    std::fwrite(values, sizeof(int), N_SETTINGS, file);
}

// Called by all ranks; rank 0 has the file.
void PairNNP::read_restart(FILE* file)
{
    const auto read = [&](void* target, size_t size) {
        if (comm->me == 0) {
            utils::sfread(FLERR, target, 1, size, file, nullptr, error);
        }
        MPI_Bcast(target, static_cast<int>(size), MPI_CHAR, 0, world);
    };
    const auto read_number = [&]() {
        int found = 0;
        read(&found, sizeof(int));
        return found;
    };
    const auto read_bytes = [&]() {
        std::vector<char> bytes(read_number());
        read(bytes.data(), bytes.size());
        return bytes;
    };
    const auto read_text = [&]() {
        const std::vector<char> bytes = read_bytes();
        return std::string(bytes.begin(), bytes.end());
    };
    read_restart_settings(file);
    const int n_types = read_number();
    if (n_types == 0) {
        return;  // written before its pair_coeff
    }
    std::vector<std::string> elements(n_types);
    for (std::string& element : elements) {
        element = read_text();
    }
    path_ = read_text();
    open(read_bytes());
    map_types(elements);
    create_engines();
}

void PairNNP::read_restart_settings(FILE* file)
{
    int values[N_SETTINGS] = {};
    if (comm->me == 0) {
        utils::sfread(FLERR, values, sizeof(int), N_SETTINGS, file, nullptr, error);
    }
    MPI_Bcast(values, N_SETTINGS, MPI_INT, 0, world);
    if (values[VERSION] != RESTART_VERSION) {
        error->all(FLERR, "Pair nnp: the restart file has version {} of its settings, this plugin reads {}",
                   values[VERSION], RESTART_VERSION);
    }
    options_.float32 = values[FLOAT32];
    options_.threads = values[THREADS];
    extrapolations_.most = values[MOST];
    extrapolations_.show = values[SHOW] != 0;
    extrapolations_.every = values[EVERY];
}
