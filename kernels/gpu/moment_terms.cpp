#include "moment_terms.h"

#include "error.h"
#include "nnp/harmonics.h"

#include <algorithm>
#include <array>
#include <map>

namespace nnp::gpu
{
namespace
{

constexpr int64_t MOST_FACTORS = 65535;  // half an int

// coefficient * the product of four moments, or of fewer: the rest are ONE. Sorted, so that equal products are one.
using Product = std::array<int64_t, 4>;
constexpr int64_t ONE = -1;

// Products and their coefficients, by row.
using Polynomials = std::vector<std::map<Product, double>>;

Product product_of(std::vector<int64_t> factors)
{
    Product product = {ONE, ONE, ONE, ONE};
    std::sort(factors.begin(), factors.end());
    std::copy(factors.begin(), factors.end(), product.begin());
    return product;
}

// The polynomials of one element's groups in terms of the moments without norms.
class Expansion
{
public:
    Expansion(MomentTables& tables, const MomentGroup& group, const MomentSeries& series, Polynomials& polynomials)
        : tables_(tables), group_(group), series_(series), polynomials_(polynomials)
    {
    }

    void expand()
    {
        for (const MomentSum& s : group_.sums)
            add(s.index, s.coefficient, {at(s.n, 0)});
        for (const MomentPair& p : group_.pairs) {
            for (int row = p.l * p.l; row < (p.l + 1) * (p.l + 1); ++row)
                add(p.index, p.coefficient, {at(p.n_1, row), at(p.n_2, row)});
        }
        for (const MomentTriple& t : group_.triples) {
            reserve(t.index);
            for (int k = t.first_term; k < t.first_term + t.n_terms; ++k) {
                const TripleTerm& c = group_.terms[k];
                add(t.index, c.value, {at(t.n_1, c.row_1), at(t.n_2, c.row_2), at(t.n_3, c.row_3)});
            }
        }
        for (const MomentQuartic& q : group_.quartics) {
            for (int a = 1; a < 4; ++a) {
                for (int b = 1; b < 4; ++b)
                    add(q.index, q.coefficient, {at(q.n, a), at(q.n, a), at(q.n, b), at(q.n, b)});
            }
        }
    }

private:
    struct Moment {
        int64_t number;
        double norm;
    };

    MomentTables& tables_;
    const MomentGroup& group_;
    const MomentSeries& series_;
    Polynomials& polynomials_;

    Moment at(int n, int row) const
    {
        return {series_.first_moment + n * series_.rows() + row - series_.first_row(), group_.norms[row]};
    }

    std::map<Product, double>& reserve(int function)
    {
        auto found = std::find(tables_.functions.begin(), tables_.functions.end(), function);
        auto place = found - tables_.functions.begin();
        if (found == tables_.functions.end()) {
            tables_.functions.push_back(function);
            polynomials_.emplace_back();
        }
        return polynomials_[place];
    }

    void add(int function, double coefficient, std::initializer_list<Moment> factors)
    {
        std::vector<int64_t> numbers;
        for (const Moment& factor : factors) {
            numbers.push_back(factor.number);
            coefficient *= factor.norm;
        }
        reserve(function)[product_of(numbers)] += coefficient;
    }
};

// A table's row: products of two factors, and of up to four.
struct Row {
    std::vector<std::pair<Product, double>> pairs, fours;

    void add(const Product& product, double value) { (product[2] == ONE ? pairs : fours).emplace_back(product, value); }
};

int32_t word_of(int64_t first, int64_t second, int64_t one)
{
    auto number = [&](int64_t factor) { return static_cast<uint32_t>(factor == ONE ? one : factor); };
    return static_cast<int32_t>(number(first) | number(second) << 16);
}

// Appends a table; the number of products of two in it.
int64_t append(MomentTables& tables, const std::vector<Row>& rows)
{
    std::vector<int32_t> pair_starts = {0}, four_starts = {0}, pairs, fours;
    std::vector<double> pair_values, four_values;
    for (const Row& row : rows) {
        for (const auto& [product, value] : row.pairs) {
            pairs.push_back(word_of(product[0], product[1], tables.n_moments));
            pair_values.push_back(value);
        }
        for (const auto& [product, value] : row.fours) {
            fours.push_back(word_of(product[0], product[1], tables.n_moments));
            fours.push_back(word_of(product[2], product[3], tables.n_moments));
            four_values.push_back(value);
        }
        pair_starts.push_back(static_cast<int32_t>(pairs.size()));
        four_starts.push_back(static_cast<int32_t>(four_values.size()));
    }
    for (const auto* part : {&pair_starts, &four_starts, &pairs, &fours})
        tables.terms.insert(tables.terms.end(), part->begin(), part->end());
    for (const auto* part : {&pair_values, &four_values})
        tables.values.insert(tables.values.end(), part->begin(), part->end());
    return static_cast<int64_t>(pairs.size());
}

std::vector<Row> rows_of(const Polynomials& polynomials)
{
    std::vector<Row> rows(polynomials.size());
    for (size_t f = 0; f < polynomials.size(); ++f) {
        for (const auto& [product, value] : polynomials[f])
            rows[f].add(product, value);
    }
    return rows;
}

// By moment: the function's number first, then what is left of the product.
std::vector<Row> slopes_of(const Polynomials& polynomials, int64_t n_moments)
{
    std::vector<Row> rows(n_moments);
    for (size_t f = 0; f < polynomials.size(); ++f) {
        for (const auto& [product, value] : polynomials[f]) {
            for (size_t i = 0; i < product.size() && product[i] != ONE; ++i) {
                if (i > 0 && product[i] == product[i - 1])
                    continue;  // its power's slope stands already
                Product rest = {static_cast<int64_t>(f), ONE, ONE, ONE};
                size_t to = 1;
                for (size_t k = 0; k < product.size() && product[k] != ONE; ++k) {
                    if (k != i)
                        rest[to++] = product[k];
                }
                rows[product[i]].add(
                    rest, value * static_cast<double>(std::count(product.begin(), product.end(), product[i])));
            }
        }
    }
    return rows;
}

void append_series(MomentTables& tables, MomentSeries& s)
{
    s.radii_at = static_cast<int64_t>(tables.values.size());
    tables.values.insert(tables.values.end(), s.series.radii.begin(), s.series.radii.end());
    s.coefficients_at = static_cast<int64_t>(tables.values.size());
    int n = s.series.n_functions, n_terms = s.series.n_terms;
    for (size_t element = 0; element < s.series.radii.size(); ++element) {
        const double* c = s.series.coefficients.data() + static_cast<int64_t>(element) * n * n_terms;
        for (int k = 0; k < n_terms; ++k) {
            for (int i = 0; i < n; ++i)
                tables.values.push_back(c[i * n_terms + k]);
        }
    }
}

}  // namespace

MomentTables moment_tables(const std::vector<MomentGroup>& groups)
{
    MomentTables tables;
    Polynomials polynomials;
    for (const MomentGroup& group : groups) {
        if (group.l_max > MOST_L)
            throw Error(NNP_UNAVAILABLE,
                        "the GPU kernels have functions of moments up to l = " + std::to_string(MOST_L) +
                            ", the potential has higher ones: take the CPU engine, engine='cpu'");
        tables.series.push_back({group.series, group.l_min, group.l_max, tables.n_moments, 0, 0});
        Expansion(tables, group, tables.series.back(), polynomials).expand();
        tables.n_moments += group.series.n_functions * tables.series.back().rows();
    }
    if (std::max(tables.n_moments, static_cast<int64_t>(polynomials.size())) > MOST_FACTORS)
        throw Error(NNP_UNAVAILABLE, "the GPU kernels have room for " + std::to_string(MOST_FACTORS) +
                                         " moments of an element, the potential has " +
                                         std::to_string(tables.n_moments) + ": take the CPU engine, engine='cpu'");
    if (tables.series.empty())
        return tables;
    tables.function_pairs = append(tables, rows_of(polynomials));
    tables.slopes_at = static_cast<int64_t>(tables.terms.size());
    tables.slope_values_at = static_cast<int64_t>(tables.values.size());
    tables.slope_pairs = append(tables, slopes_of(polynomials, tables.n_moments));
    for (MomentSeries& s : tables.series)
        append_series(tables, s);
    tables.values.insert(tables.values.end(), MOST_AT_ONCE, 0.0);  // read with the last radial functions, and not used
    return tables;
}

}  // namespace nnp::gpu
