// The only unit conversions of the plugin: OpenMM's nm and kJ/mol, the potential's Å and eV.
// Exact constants of the SI, as in nnp/units.py.
#ifndef NNP_PLUGIN_UNITS_H
#define NNP_PLUGIN_UNITS_H

namespace nnp_openmm
{

constexpr double ANGSTROM_PER_NM = 10.0;
constexpr double KJ_MOL_PER_EV = 1.602176634e-19 * 6.02214076e23 / 1000.0;
constexpr double FORCE_PER_EV_ANGSTROM = KJ_MOL_PER_EV * ANGSTROM_PER_NM;  // kJ/mol/nm per eV/Å

}  // namespace nnp_openmm

#endif
