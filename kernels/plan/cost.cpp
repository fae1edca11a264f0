#include "cost.h"

#include "cost_table.h"
#include "nnp/activation.h"
#include "nnp/cutoff.h"
#include "nnp/harmonics.h"

#include <algorithm>
#include <cmath>

namespace nnp
{
namespace
{

// Vector operations, counted in the kernels' loops: roughly, for the table's fit takes up what they share.
constexpr double EXPONENTIAL = 18, COMPACT_ANGLE = 45, SHIFTED_ANGLE = 30, PRODUCT = 3;
constexpr double PAIRS_OF_ELEMENTS = 1500, ROW_GEOMETRY = 50, ROW_WINDOW = 20;  // of compact functions
constexpr double FIRST_LEVEL_CACHE = 32768;                                     // bytes
constexpr double POWER_OF_A_LANE = 120;                                         // std::pow, one lane after the other

double cutoff_operations(int kind)
{
    switch (kind) {
        case NNP_CUTOFF_HARD:
            return 2;
        case NNP_CUTOFF_COSINE:
            return 18;
        case NNP_CUTOFF_TANH:
        case NNP_CUTOFF_TANH_NORMED:
            return 30;
        case NNP_CUTOFF_EXP:
            return 50;
        default:
            return 12;
    }
}

double core_operations(int core)
{
    return 8 + cutoff_operations(NNP_CUTOFF_EXP + core);
}

double radial_operations(const Function& f)
{
    switch (f.family) {
        case NNP_RADIAL_COSINE:
            return 50;
        case NNP_COMPACT_RADIAL:
            return core_operations(f.core);
        default:
            return EXPONENTIAL + 4;
    }
}

double activation_operations(int activation)
{
    switch (activation) {
        case NNP_ACT_IDENTITY:
        case NNP_ACT_RELU:
            return 2;
        default:
            return 30;
    }
}

// One neighbourhood's counts for one element.
class Counter
{
public:
    Counter(const Model& model, const Element& element, const ElementPlan& plan, const Machine& machine,
            const Neighborhood& hood)
        : model_(model),
          element_(element),
          plan_(plan),
          lanes_(machine.lanes()),
          vector_bytes_(machine.lanes() * (machine.single ? 4.0 : 8.0)),
          hood_(hood),
          of_(model.elements.size())
    {
        for (const Neighborhood::At& at : hood.neighbors) {
            if (at.r < plan.reach[at.element])
                of_[at.element].push_back(&at);
        }
    }

    Counts count()
    {
        work_[NNP_COST_ATOM] = 1;
        work_[NNP_COST_ENTRY] = hood_.listed;
        for (const List& list : of_)
            work_[NNP_COST_NEIGHBOR] += static_cast<double>(list.size());
        work_[NNP_COST_FUNCTION] = static_cast<double>(element_.functions.size());
        for (const RadialGroup& group : plan_.radial)
            radial(group);
        for (const AngularGroup& group : plan_.angular)
            angular(group);
        for (const CompactGroup& group : plan_.compact)
            compact(group);
        for (const MomentGroup& group : plan_.moments)
            moments(group);
        for (const Repulsion& repulsion : element_.repulsions)
            work_[NNP_COST_RADIAL] += vectors(static_cast<double>(of_[repulsion.neighbor].size())) *
                                      (20 + EXPONENTIAL * static_cast<double>(repulsion.decays.size()));
        network();
        return work_;
    }

private:
    using List = std::vector<const Neighborhood::At*>;

    const Model& model_;
    const Element& element_;
    const ElementPlan& plan_;
    int lanes_;
    double vector_bytes_;
    const Neighborhood& hood_;
    std::vector<List> of_;  // [element]
    Counts work_ = {};

    double vectors(double n) const { return std::ceil(n / lanes_); }

    List those_of(int element) const
    {
        if (element != ANY_ELEMENT)
            return of_[element];
        List all;
        for (const List& list : of_)
            all.insert(all.end(), list.begin(), list.end());
        return all;
    }

    void radial(const RadialGroup& group)
    {
        double operations = group.has_cutoff ? cutoff_operations(group.cutoff) : 0;
        for (const RadialMember& member : group.members)
            operations += radial_operations(*member.function) + 8;
        work_[NNP_COST_RADIAL] += vectors(static_cast<double>(those_of(group.neighbor).size())) * operations;
    }

    // Operations per vector of triples, forward and back.
    double triple_operations(const AngularGroup& g) const
    {
        double operations = 22;
        if (g.narrow)
            operations += 8 + (g.compact ? core_operations(g.cutoff_or_core) : cutoff_operations(g.cutoff_or_core));
        for (const ExponentialSlot& slot : g.exponentials)
            operations += slot.first_factor >= 0 ? PRODUCT : slot.eta == 0 ? 1 : EXPONENTIAL;
        for (const PowerTask& task : g.tasks) {
            int levels = task.top_only ? 1 : task.n_levels, n = task.n_exponentials;
            operations += 18 + 8 * n + 4 * task.n_levels + levels * (2 + 4 * n);
        }
        for (const AngleSlot& slot : g.angles)
            operations += 2 * (slot.op == AngleOp::power     ? POWER_OF_A_LANE * lanes_
                               : slot.op == AngleOp::compact ? COMPACT_ANGLE / 2
                               : slot.op == AngleOp::shifted ? SHIFTED_ANGLE / 2
                                                             : PRODUCT);
        return operations + 9 * static_cast<double>(g.slotted.size());
    }

    void angular(const AngularGroup& g)
    {
        work_[NNP_COST_GROUP] += 1;
        List one = those_of(g.neighbor_1), two = those_of(g.neighbor_2);
        const bool same = g.neighbor_1 == g.neighbor_2;
        if (two.size() < one.size())
            std::swap(one, two);
        double triples = 0;
        for (size_t j = 0; j < one.size(); ++j) {
            if (one[j]->r >= g.radius)
                continue;
            work_[NNP_COST_ROW] += 1;
            const size_t first = same ? j + 1 : 0;
            work_[NNP_COST_ROW_VECTOR] += vectors(static_cast<double>(two.size() - first));
            for (size_t k = first; k < two.size(); ++k)
                triples += two[k]->r < g.radius && (!g.narrow || apart(*one[j], *two[k]) < g.radius);
        }
        work_[NNP_COST_TRIPLE] += vectors(triples) * triple_operations(g);
        const double arrays = 5 + static_cast<double>(g.exponentials.size());
        if (vectors(triples) * arrays * vector_bytes_ > FIRST_LEVEL_CACHE)
            work_[NNP_COST_SPILL] += vectors(triples) * arrays;
    }

    static double apart(const Neighborhood::At& a, const Neighborhood::At& b)
    {
        double x = a.x - b.x, y = a.y - b.y, z = a.z - b.z;
        return std::sqrt(x * x + y * y + z * z);
    }

    static List sorted(List list)
    {
        std::sort(list.begin(), list.end(),
                  [](const Neighborhood::At* a, const Neighborhood::At* b) { return a->r < b->r; });
        return list;
    }

    struct Seen {
        double begin, end;
    };

    static Seen seen_by(const CompactWindow& window, const List& side)
    {
        auto closer = [](const Neighborhood::At* a, double r) { return a->r < r; };
        auto begin = std::lower_bound(side.begin(), side.end(), window.left, closer);
        auto end = std::lower_bound(side.begin(), side.end(), window.right, closer);
        return {static_cast<double>(begin - side.begin()), static_cast<double>(std::max(begin, end) - side.begin())};
    }

    void compact(const CompactGroup& g)
    {
        work_[NNP_COST_GROUP] += 1;
        List one = sorted(those_of(g.neighbor_1)), two = sorted(those_of(g.neighbor_2));
        const bool same = g.neighbor_1 == g.neighbor_2;
        if (two.size() < one.size())
            std::swap(one, two);
        const int n_windows = static_cast<int>(g.windows.size());
        std::vector<Seen> rows, lanes;
        for (const CompactWindow& window : g.windows) {
            rows.push_back(seen_by(window, one));
            lanes.push_back(seen_by(window, two));
            for (const Seen& side : {lanes.back(), same ? Seen{0, 0} : rows.back()})
                work_[NNP_COST_RADIAL] += vectors(side.end - side.begin) * core_operations(window.core);
        }
        double pairs = 0;                        // in all rows before
        std::vector<double> last(n_windows, 0);  // end of the vectors of pairs that a window has seen
        for (int j = 0; j < static_cast<int>(one.size()); ++j) {
            const double after = same ? j + 1 : 0;
            auto from = [&](int w) { return std::max(lanes[w].begin, after); };
            auto sees = [&](int w) { return j >= rows[w].begin && j < rows[w].end && lanes[w].end > from(w); };
            Seen row = {static_cast<double>(two.size()), 0};
            for (int w = 0; w < n_windows; ++w) {
                if (sees(w))
                    row = {std::min(row.begin, from(w)), std::max(row.end, lanes[w].end)};
            }
            if (row.end <= row.begin)
                continue;
            work_[NNP_COST_ROW] += 1;
            work_[NNP_COST_COMPACT] += vectors(row.end - row.begin) * ROW_GEOMETRY;
            for (int w = 0; w < n_windows; ++w) {
                if (!sees(w))
                    continue;
                const double begin = std::floor((pairs + from(w) - row.begin) / lanes_),
                             end = vectors(pairs + lanes[w].end - row.begin), own = g.starts[w + 1] - g.starts[w];
                work_[NNP_COST_COMPACT] += vectors(lanes[w].end - from(w)) * ROW_WINDOW +
                                           (end - std::max(begin, last[w])) *
                                               (own * 6 + 12 + (g.narrow ? 2 * core_operations(g.windows[w].core) : 0));
                last[w] = end;
            }
            pairs += row.end - row.begin;
        }
        double angles = 2 * COMPACT_ANGLE;
        for (const CompactWindow& angle : g.angles)
            angles += 2 * core_operations(angle.core) + 8;
        work_[NNP_COST_COMPACT] += vectors(pairs) * angles + PAIRS_OF_ELEMENTS;
    }

    void moments(const MomentGroup& g)
    {
        const double rows = NNP_HARMONICS(g.l_max) - g.l_min * g.l_min, n_terms = g.series.n_terms;
        // unrolled for l above 8 the harmonics outgrow registers and the instruction cache
        const double spilled = g.l_max > 8 ? 2.5 : g.l_max > 4 ? 1.4 : 1;
        double functions = 0;
        for (size_t e = 0; e < of_.size(); ++e) {
            const double seen = g.seen[e].end - g.seen[e].begin;
            const double in_reach = static_cast<double>(
                std::count_if(of_[e].begin(), of_[e].end(), [&](auto* at) { return at->r < g.series.radii[e]; }));
            if (seen == 0 || in_reach == 0)
                continue;
            double series = cutoff_operations(g.series.cutoff);
            if (g.only_sums())
                series += 12 * n_terms;
            else if (g.gaussians.empty())
                series += 6 * n_terms + 4 * n_terms * seen + 4 * seen;
            else
                series += (EXPONENTIAL + 12) * seen;
            double angles = g.only_sums() ? 0 : spilled * (10 * rows + 3.5 * rows * seen + rows * std::ceil(seen / 4));
            work_[NNP_COST_SERIES] += 1;
            work_[NNP_COST_MOMENT] += vectors(in_reach) * (series + angles);
            functions += seen;
            if (!g.only_sums())
                work_[NNP_COST_MOMENT_ATOM] += 3 * rows * seen;
        }
        if (g.only_sums()) {
            work_[NNP_COST_MOMENT_ATOM] += static_cast<double>(g.sums.size()) * n_terms;
            return;
        }
        // atoms are lanes: what a vector of them costs, shared (cpu/moment_lanes.h)
        double products = 0, terms = 0;
        for (size_t i = 0; i < g.pairs.size(); ++i) {
            const MomentPair &p = g.pairs[i], &before = g.pairs[i ? i - 1 : 0];
            if (i == 0 || p.l != before.l || p.n_1 != before.n_1 || p.n_2 != before.n_2)
                products += 2 * p.l + 1;
        }
        for (const MomentTriple& t : g.triples)
            terms += t.n_terms;
        const bool triples = !plan_.angular.empty() || !plan_.compact.empty();
        const double together = triples ? std::min(lanes_, TOGETHER_WITH_TRIPLES) : lanes_;
        const double members = static_cast<double>(g.pairs.size() + g.squares.size() + g.quartics.size());
        work_[NNP_COST_MOMENT_ATOM] +=
            (4 * rows * g.series.n_functions + 8 * products + 18 * terms + 6 * members) / together;
    }

    void network()
    {
        for (const Layer& layer : element_.layers) {
            work_[NNP_COST_WEIGHT] += layer.n_in * vectors(layer.n_out) + layer.n_out * vectors(layer.n_in);
            work_[NNP_COST_NODE] += vectors(layer.n_out) * activation_operations(layer.activation) + 10;
        }
    }
};

}  // namespace

Counts count_work(const Model& model, const Element& element, const ElementPlan& plan, const Machine& machine,
                  const std::vector<Neighborhood>& neighborhoods)
{
    Counts sum = {};
    for (const Neighborhood& hood : neighborhoods) {
        Counts one = Counter(model, element, plan, machine, hood).count();
        for (size_t i = 0; i < sum.size(); ++i)
            sum[i] += one[i] / static_cast<double>(neighborhoods.size());
    }
    return sum;
}

Counts price(const Counts& work, const Machine& machine)
{
    Counts out;
    for (size_t i = 0; i < out.size(); ++i)
        out[i] = 1e-3 * work[i] * NANOSECONDS[machine.single][machine.target - 1][i];
    return out;
}

double total(const Counts& items)
{
    double sum = 0;
    for (double item : items)
        sum += item;
    return sum;
}

}  // namespace nnp
