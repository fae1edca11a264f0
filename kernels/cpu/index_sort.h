// Sorts distinct small integers in about their number of operations: bits of a set, and bits of its words in use.
#ifndef NNP_CPU_INDEX_SORT_H
#define NNP_CPU_INDEX_SORT_H

#include <cstdint>
#include <vector>

namespace nnp
{

class IndexSort
{
public:
    // Indices are below n.
    explicit IndexSort(size_t n) : words_(n / 64 + 1), used_(words_.size() / 64 + 1) {}

    void operator()(int32_t* indices, int count)
    {
        for (int i = 0; i < count; ++i) {
            size_t word = static_cast<uint32_t>(indices[i]) / 64;
            words_[word] |= bit(indices[i]);
            used_[word / 64] |= bit(static_cast<int32_t>(word));
        }
        int32_t* out = indices;
        for (size_t u = 0; u < used_.size(); ++u) {
            for (uint64_t& words = used_[u]; words; words &= words - 1) {
                size_t word = 64 * u + static_cast<size_t>(__builtin_ctzll(words));
                for (uint64_t& bits = words_[word]; bits; bits &= bits - 1)
                    *out++ = static_cast<int32_t>(64 * word) + __builtin_ctzll(bits);
            }
        }
    }

private:
    std::vector<uint64_t> words_, used_;  // all zero between calls

    static uint64_t bit(int32_t i) { return uint64_t{1} << (i % 64); }
};

}  // namespace nnp

#endif
