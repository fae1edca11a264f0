#include "arrays.h"

#include "error.h"

#include <cmath>

namespace nnp
{
namespace
{

constexpr int64_t MOST_BLOCKS = 100000;

int64_t in_range(const char* what, int64_t value, int64_t lowest, int64_t highest)
{
    if (value >= lowest && value <= highest)
        return value;
    std::string allowed = std::to_string(lowest);
    if (highest != lowest)
        allowed += " to " + std::to_string(highest);
    throw Error(NNP_BAD_MODEL, std::string(what) + " is " + std::to_string(value) + ", allowed: " + allowed);
}

[[noreturn]] void ends_before(const char* array, const char* what)
{
    throw Error(NNP_BAD_MODEL, std::string("the potential's ") + array + " end before " + what);
}

void refuse_rest(int64_t rest)
{
    if (rest != 0)
        throw Error(NNP_BAD_MODEL,
                    "the potential's arrays hold " + std::to_string(rest) + " numbers more than the layout needs");
}

}  // namespace

int64_t Block::integer(const char* what, int64_t lowest, int64_t highest)
{
    if (integers_ == last_integer_)
        ends_before("integers", what);
    return in_range(what, *integers_++, lowest, highest);
}

double Block::real(const char* what)
{
    if (reals_ == last_real_)
        ends_before("reals", what);
    double value = *reals_++;
    if (!std::isfinite(value))
        throw Error(NNP_BAD_MODEL, std::string(what) + " is not a finite number");
    return value;
}

std::vector<double> Block::numbers(const char* what, int64_t count)
{
    if (count > last_real_ - reals_)
        ends_before("reals", what);
    std::vector<double> values(count);
    for (double& value : values)
        value = real(what);
    return values;
}

void Block::finish() const
{
    refuse_rest((last_integer_ - integers_) + (last_real_ - reals_));
}

Blocks::Blocks(const std::vector<int64_t>& integers, const std::vector<double>& reals)
    : integers_(integers), reals_(reals)
{
    head("the layout's magic number", NNP_LAYOUT_MAGIC, NNP_LAYOUT_MAGIC);
    head("the layout's version", NNP_LAYOUT_VERSION, NNP_LAYOUT_VERSION);
    left_ = head("the number of blocks", 1, MOST_BLOCKS);
}

int64_t Blocks::head(const char* what, int64_t lowest, int64_t highest)
{
    if (next_integer_ >= static_cast<int64_t>(integers_.size()))
        ends_before("integers", what);
    return in_range(what, integers_[next_integer_++], lowest, highest);
}

Block Blocks::next()
{
    --left_;
    int64_t tag = head("a block's tag", INT64_MIN, INT64_MAX);
    int64_t n_integers = head("a block's number of integers", 0, INT64_MAX);
    int64_t n_reals = head("a block's number of reals", 0, INT64_MAX);
    if (n_integers > static_cast<int64_t>(integers_.size()) - next_integer_)
        ends_before("integers", "the end of a block");
    if (n_reals > static_cast<int64_t>(reals_.size()) - next_real_)
        ends_before("reals", "the end of a block");
    Block block(tag, integers_.data() + next_integer_, n_integers, reals_.data() + next_real_, n_reals);
    next_integer_ += n_integers;
    next_real_ += n_reals;
    return block;
}

void Blocks::finish() const
{
    refuse_rest(static_cast<int64_t>(integers_.size()) - next_integer_ + static_cast<int64_t>(reals_.size()) -
                next_real_);
}

}  // namespace nnp
