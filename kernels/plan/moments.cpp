#include "moments.h"

#include "nnp/harmonics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

namespace nnp
{
namespace
{

constexpr double PI = 3.14159265358979323846;
constexpr double NOTHING = 1e-12;  // integrals below are zeros of symmetry

double factorial(int n)
{
    double product = 1;
    for (int i = 2; i <= n; ++i)
        product *= i;
    return product;
}

// Points and weights that integrate polynomials up to degree 2 n - 1 over [-1, 1] exactly (Gauss and Legendre).
void gauss_legendre(int n, std::vector<double>& points, std::vector<double>& weights)
{
    for (int i = 0; i < n; ++i) {
        double x = std::cos(PI * (i + 0.75) / (n + 0.5)), slope = 0;
        for (int step = 0; step < 100; ++step) {
            double before = 1, value = x;
            for (int k = 2; k <= n; ++k) {
                double next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
                before = value;
                value = next;
            }
            slope = n * (x * value - before) / (x * x - 1);
            double change = value / slope;
            x -= change;
            if (std::fabs(change) < 1e-16)
                break;
        }
        points.push_back(x);
        weights.push_back(2 / ((1 - x * x) * slope * slope));
    }
}

// All Y_lm of l <= l_max at points that integrate products of three of them exactly, and the points' weights.
struct Sphere {
    std::vector<std::vector<double>> harmonics;
    std::vector<double> weights;

    double integral(int i, int j, int k) const
    {
        double sum = 0;
        for (size_t p = 0; p < weights.size(); ++p)
            sum += weights[p] * harmonics[p][i] * harmonics[p][j] * harmonics[p][k];
        return sum;
    }

    explicit Sphere(int l_max)
    {
        int degree = 3 * l_max;
        std::vector<double> z, weights_z;
        gauss_legendre(degree / 2 + 1, z, weights_z);
        int n_phi = degree + 1;
        for (size_t i = 0; i < z.size(); ++i) {
            for (int k = 0; k < n_phi; ++k) {
                double phi = 2 * PI * k / n_phi, rho = std::sqrt(1 - z[i] * z[i]);
                harmonics.push_back(at(l_max, rho * std::cos(phi), rho * std::sin(phi), z[i]));
                weights.push_back(weights_z[i] * 2 * PI / n_phi);
            }
        }
    }

private:
    static std::vector<double> at(int l_max, double x, double y, double z)
    {
        std::vector<double> q(NNP_LEGENDRES(l_max)), c(l_max + 1), s(l_max + 1), values(NNP_HARMONICS(l_max));
        nnp_legendre(l_max, z, q.data());
        nnp_azimuth(l_max, x, y, c.data(), s.data());
        nnp_harmonics(l_max, q.data(), c.data(), s.data(), values.data());
        for (int l = 0; l <= l_max; ++l) {
            for (int m = -l; m <= l; ++m)
                values[NNP_HARMONIC(l, m)] *= harmonic_norm(l, m);
        }
        return values;
    }
};

// Wigner's 3j symbol with all m = 0, by Racah's formula.
double wigner_3j_zero(int a, int b, int c)
{
    int sum = a + b + c, half = sum / 2;
    double delta = factorial(sum - 2 * a) * factorial(sum - 2 * b) * factorial(sum - 2 * c) / factorial(sum + 1);
    double value = std::sqrt(delta) * factorial(half) / factorial(half - a) / factorial(half - b) / factorial(half - c);
    return half % 2 ? -value : value;
}

// Rows of moments with the same n and l in rising order.
std::array<int, 3> one_order(const std::array<int, 3>& n, const std::array<int, 3>& l, std::array<int, 3> rows)
{
    for (int pass = 0; pass < 2; ++pass) {
        for (const std::array<int, 2>& p : {std::array<int, 2>{0, 1}, {1, 2}, {0, 2}}) {
            if (n[p[0]] == n[p[1]] && l[p[0]] == l[p[1]] && rows[p[0]] > rows[p[1]])
                std::swap(rows[p[0]], rows[p[1]]);
        }
    }
    return rows;
}

void add_triple(MomentGroup& group, const Function& f, int index)
{
    std::vector<TripleTerm> terms = coupling(f.n_1, f.l_1, f.n_2, f.l_2, f.n_3, f.l_3);
    for (TripleTerm& term : terms)
        term.value *= f.coefficient;
    group.triples.push_back(
        {f.n_1, f.n_2, f.n_3, static_cast<int>(group.terms.size()), static_cast<int>(terms.size()), index});
    group.terms.insert(group.terms.end(), terms.begin(), terms.end());
    for (int l : {f.l_1, f.l_2, f.l_3})
        need_degree(group, l);
}

// Sum over j < k of w_j w_k T_N: half of what all pairs of neighbours make, less a neighbour with itself.
void add_chebyshev(MomentGroup& group, const Function& f, int index)
{
    std::vector<double> c = chebyshev_in_legendre(f.l_1, f.legacy != 0);
    double itself = 0;
    for (int l = 0; l <= f.l_1; ++l) {
        if (c[l] != 0)
            group.pairs.push_back({f.n_1, f.n_1, l, f.coefficient / 2 * c[l] * legendre_weight(l), index});
        itself += c[l];
    }
    group.sums.push_back({f.n_2, -f.coefficient / 2 * itself * std::sqrt(4 * PI), index});
    need_degree(group, 0);
    need_degree(group, f.l_1);
}

void add_member(MomentGroup& group, const Function& f, int index)
{
    group.indices.push_back(index);
    if (f.family == NNP_MOMENT_SUM) {
        group.sums.push_back({f.n_1, f.coefficient, index});
        need_degree(group, 0);
    } else if (f.family == NNP_MOMENT_PAIR) {
        group.pairs.push_back({f.n_1, f.n_2, f.l_1, f.coefficient, index});
        need_degree(group, f.l_1);
    } else if (f.family == NNP_MOMENT_QUARTIC) {
        group.quartics.push_back({f.n_1, f.coefficient, index});
        need_degree(group, 1);
    } else if (f.family == NNP_MOMENT_CHEBYSHEV) {
        add_chebyshev(group, f, index);
    } else {
        add_triple(group, f, index);
    }
}

}  // namespace

std::vector<MomentGroup> moment_groups(const Element& element)
{
    std::vector<MomentGroup> groups;
    for (int number = 0; number < static_cast<int>(element.series.size()); ++number) {
        MomentGroup group;
        group.series = element.series[number];
        group.l_min = NNP_MOST_L;
        for (size_t i = 0; i < element.functions.size(); ++i) {
            const Function& f = element.functions[i];
            if (f.moment && f.series == number)
                add_member(group, f, static_cast<int>(i));
        }
        if (group.indices.empty())
            continue;
        finish_group(group);
        groups.push_back(group);
    }
    return groups;
}

bool MomentGroup::sees_all() const
{
    return std::all_of(seen.begin(), seen.end(),
                       [&](const FunctionRange& r) { return r.begin == 0 && r.end == series.n_functions; });
}

void need_degree(MomentGroup& group, int l)
{
    group.l_min = std::min(group.l_min, l);
    group.l_max = std::max(group.l_max, l);
}

void finish_group(MomentGroup& group)
{
    group.coefficients_single.assign(group.series.coefficients.begin(), group.series.coefficients.end());
    if (group.seen.empty())
        group.seen.assign(group.series.radii.size(), {0, group.series.n_functions});
    group.l_max = kernel_degree(group.l_max);
    std::stable_sort(group.pairs.begin(), group.pairs.end(), [](const MomentPair& a, const MomentPair& b) {
        return std::tie(a.l, a.n_1, a.n_2) < std::tie(b.l, b.n_1, b.n_2);
    });
    for (int l = 0; l <= group.l_max; ++l) {
        for (int m = -l; m <= l; ++m)
            group.norms.push_back(harmonic_norm(l, m));
    }
}

int kernel_degree(int l)
{
    constexpr int DEGREES[] = {12, 16, NNP_MOST_L};  // those of cpu/moment_pass.h above 8
    return l <= 8 ? l : *std::lower_bound(std::begin(DEGREES), std::end(DEGREES), l);
}

// (shift + slope t) sum_l values_l P_l(t), by t P_l = ((l + 1) P_l+1 + l P_l-1) / (2l + 1).
std::vector<double> times_linear(const std::vector<double>& values, double shift, double slope)
{
    const int count = static_cast<int>(values.size());
    std::vector<double> out(values.size() + 1);
    for (int l = 0; l < count; ++l) {
        out[l] += shift * values[l];
        out[l + 1] += slope * values[l] * (l + 1) / (2 * l + 1);
        if (l > 0)
            out[l - 1] += slope * values[l] * l / (2 * l + 1);
    }
    return out;
}

std::vector<double> chebyshev_in_legendre(int order, bool legacy)
{
    double slope = legacy ? 2 / PI : 1, shift = legacy ? -1 : 0;
    std::vector<double> before, value = {1};
    for (int n = 0; n < order; ++n) {
        double twice = n == 0 ? 1 : 2;  // T_1 = x T_0, T_n+1 = 2 x T_n - T_n-1
        std::vector<double> next = times_linear(value, twice * shift, twice * slope);
        for (size_t l = 0; l < before.size(); ++l)
            next[l] -= before[l];
        before = value;
        value = next;
    }
    return value;
}

double legendre_weight(int l)
{
    return 4 * PI / (2 * l + 1);
}

double harmonic_norm(int l, int m)
{
    int k = std::abs(m);
    return std::sqrt((2 * l + 1) / (4 * PI) * factorial(l - k) / factorial(l + k) * (k ? 2 : 1));
}

std::vector<TripleTerm> coupling(int n_1, int a, int n_2, int b, int n_3, int c)
{
    if ((a + b + c) % 2 || c > a + b || a > b + c || b > a + c)
        return {};
    // the integral of F_a F_b F_c over the sphere is this coupling times a root times 3j(0 0 0)
    double scale = std::sqrt((2 * a + 1) * (2 * b + 1) * (2 * c + 1) / (4 * PI)) * wigner_3j_zero(a, b, c);
    Sphere sphere(std::max({a, b, c}));
    std::map<std::array<int, 3>, double> merged;
    for (int i = NNP_HARMONIC(a, -a); i <= NNP_HARMONIC(a, a); ++i) {
        for (int j = NNP_HARMONIC(b, -b); j <= NNP_HARMONIC(b, b); ++j) {
            for (int k = NNP_HARMONIC(c, -c); k <= NNP_HARMONIC(c, c); ++k) {
                double integral = sphere.integral(i, j, k);
                if (std::fabs(integral) > NOTHING)
                    merged[one_order({n_1, n_2, n_3}, {a, b, c}, {i, j, k})] += integral / scale;
            }
        }
    }
    std::vector<TripleTerm> terms;
    for (const auto& term : merged)
        terms.push_back({term.first[0], term.first[1], term.first[2], term.second});
    return terms;
}

}  // namespace nnp
