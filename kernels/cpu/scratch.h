// Memory of one worker thread: an arena that grows and then stays, and what the thread reports back.
// Nothing here is inline that allocates: the kernels are compiled for instruction sets this code must not need.
#ifndef NNP_CPU_SCRATCH_H
#define NNP_CPU_SCRATCH_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nnp
{

// Bump allocator, 64-byte aligned. Pointers stay valid until rewind; after the first few atoms it no longer allocates.
class Arena
{
public:
    Arena() = default;
    ~Arena();
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    void* take(size_t bytes);
    void rewind();  // forget everything; merges the blocks into one when there were several
    size_t bytes() const { return held_; }

private:
    struct Block {
        char* data;
        size_t size;
    };
    std::vector<Block> blocks_;
    size_t used_ = 0;  // of the last block
    size_t held_ = 0;
    void add_block(size_t bytes);
};

struct Extrapolation {
    int64_t atom, function;
    double excess;
};

enum class FailureKind { none, overlap, not_finite };

// The first failure by atom index, whichever thread meets it; an overlap before what follows from it.
struct Failure {
    FailureKind kind = FailureKind::none;
    int64_t atom = -1, other = -1;
    double value = 0;       // the distance, or what is not finite
    int32_t function = -1;  // whose value is not finite; -1: only the energy or the force

    void report(FailureKind what, int64_t first, int64_t second, double found, int32_t of_function = -1);
};

// Parts of one atom's work, timed when the library is built with NNP_PROFILE.
enum Phase { GATHER, RADIAL, TRIPLES, ANGULAR, NETWORK, ANGULAR_BACK, EXPAND, SCATTER, N_PHASES };

struct ThreadState {
    Arena arena;                            // of a batch of atoms
    Arena passing;                          // of less than an atom
    std::vector<int64_t> gradient;          // [owners][3] fixed point dE/dr
    std::vector<int64_t> neighbor_virials;  // [owners][9] fixed point, where they are asked for
    std::vector<Extrapolation> extrapolations;
    Failure failure;
    double largest_contribution = 0;
    int64_t triples = 0;
    uint64_t ticks[N_PHASES] = {};

    void flag(int64_t atom, int64_t function, double excess);
};

}  // namespace nnp

#endif
