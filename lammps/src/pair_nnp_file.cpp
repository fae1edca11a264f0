// SPDX-License-Identifier: GPL-2.0-only
// The model file: read by rank 0, for a thousand ranks at one file are a load of their own.
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "comm.h"
#include "error.h"
#include "pair_nnp.h"

using namespace LAMMPS_NS;

namespace
{

constexpr size_t BLOCK = 1 << 16;

// Throws std::runtime_error.
std::vector<char> bytes_of(const std::string& path)
{
    struct stat found = {};
    if (stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) {
        throw std::runtime_error(
            "it is a folder; pair_style nnp reads model files: convert n2p2's once, by 'nnp convert " + path +
            " potential.nnp'");
    }
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
    if (!file) {
        throw std::runtime_error(std::strerror(errno));
    }
    std::vector<char> bytes;
    for (size_t size = 0, got = BLOCK; got == BLOCK; size += got) {
        bytes.resize(size + BLOCK);
        got = std::fread(bytes.data() + size, 1, BLOCK, file.get());
        bytes.resize(size + got);
    }
    if (std::ferror(file.get()) != 0 || bytes.size() > INT_MAX) {
        throw std::runtime_error("it cannot be read to its end");
    }
    return bytes;
}

}  // namespace

// Every rank gets the bytes, or the reason why there are none: so all of them stop, with one message.
std::vector<char> PairNNP::read_file(const std::string& path)
{
    std::vector<char> bytes;
    int failed = 0;
    if (comm->me == 0) {
        try {
            const std::string found = utils::get_potential_file_path(path);
            bytes = bytes_of(found.empty() ? path : found);
        } catch (const std::exception& failure) {
            const std::string why = failure.what();
            bytes.assign(why.begin(), why.end());
            failed = 1;
        }
    }
    int size = static_cast<int>(bytes.size());
    MPI_Bcast(&failed, 1, MPI_INT, 0, world);
    MPI_Bcast(&size, 1, MPI_INT, 0, world);
    bytes.resize(size);
    MPI_Bcast(bytes.data(), size, MPI_CHAR, 0, world);
    if (failed != 0) {
        error->all(FLERR, "Pair nnp: {}: {}", path, std::string(bytes.begin(), bytes.end()));
    }
    return bytes;
}
