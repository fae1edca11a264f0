#include "bytes.h"

#include "error.h"

#include <cstring>

namespace nnp
{
namespace
{

constexpr char MAGIC[] = "NNPARRAY";
constexpr size_t WORD = 8, HEAD = 5 * WORD;

uint64_t word(const Bytes& bytes, size_t index)
{
    uint64_t value = 0;
    for (size_t b = 0; b < WORD; ++b)
        value |= static_cast<uint64_t>(bytes.data[WORD * index + b]) << 8 * b;
    return value;
}

[[noreturn]] void damaged(const std::string& how)
{
    throw Error(NNP_BAD_FILE, "the potential's arrays are damaged: " + how);
}

}  // namespace

bool are_arrays(const Bytes& bytes)
{
    return bytes.size >= WORD && std::memcmp(bytes.data, MAGIC, WORD) == 0;
}

std::shared_ptr<Model> read_arrays(const Bytes& bytes)
{
    if (!are_arrays(bytes) || bytes.size < HEAD || bytes.size % WORD != 0)
        damaged("they are cut off or something else");
    uint64_t n_integers = word(bytes, 1), n_reals = word(bytes, 2), words = (bytes.size - HEAD) / WORD;
    if (n_integers > words || n_reals != words - n_integers)
        damaged("their header announces " + std::to_string(n_integers) + " and " + std::to_string(n_reals) +
                " numbers, but they hold " + std::to_string(words));
    std::vector<int64_t> integers(n_integers);
    std::vector<double> reals(n_reals);
    uint64_t sum = 0, weighted = 0;
    for (uint64_t i = 0; i < words; ++i) {
        uint64_t w = word(bytes, HEAD / WORD + i);
        sum += w;
        weighted += (i + 1) * w;
        if (i < n_integers)
            std::memcpy(&integers[i], &w, WORD);
        else
            std::memcpy(&reals[i - n_integers], &w, WORD);
    }
    if (sum != word(bytes, 3) || weighted != word(bytes, 4))
        damaged("their checksum is wrong");
    const nnp_arrays arrays = {integers.data(), static_cast<int64_t>(n_integers), reals.data(),
                               static_cast<int64_t>(n_reals)};
    return read_model(arrays);
}

}  // namespace nnp
