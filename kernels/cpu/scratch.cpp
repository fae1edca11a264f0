#include "scratch.h"

#include <algorithm>
#include <new>

namespace nnp
{
namespace
{
constexpr size_t ALIGNMENT = 64;
constexpr size_t SMALLEST_BLOCK = size_t{1} << 16;
}  // namespace

Arena::~Arena()
{
    for (Block& block : blocks_)
        ::operator delete(block.data, std::align_val_t(ALIGNMENT));
}

void Arena::add_block(size_t bytes)
{
    blocks_.reserve(blocks_.size() + 1);
    char* data = static_cast<char*>(::operator new(bytes, std::align_val_t(ALIGNMENT)));
    blocks_.push_back({data, bytes});
    held_ += bytes;
    used_ = 0;
}

void* Arena::take(size_t bytes)
{
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (blocks_.empty() || used_ + bytes > blocks_.back().size)
        add_block(std::max({bytes, SMALLEST_BLOCK, held_}));
    void* taken = blocks_.back().data + used_;
    used_ += bytes;
    return taken;
}

void Arena::rewind()
{
    used_ = 0;
    if (blocks_.size() <= 1)
        return;
    size_t total = held_;
    for (Block& block : blocks_)
        ::operator delete(block.data, std::align_val_t(ALIGNMENT));
    blocks_.clear();
    held_ = 0;
    add_block(total);
}

void Failure::report(FailureKind what, int64_t first, int64_t second, double found, int32_t of_function)
{
    bool weightier = kind == FailureKind::none || (kind == FailureKind::not_finite && what == FailureKind::overlap);
    bool earlier = what == kind && (first < atom || (first == atom && second < other));
    if (weightier || earlier) {
        kind = what;
        atom = first;
        other = second;
        value = found;
        function = of_function;
    }
}

void ThreadState::flag(int64_t atom, int64_t function, double excess)
{
    extrapolations.push_back({atom, function, excess});
}

}  // namespace nnp
