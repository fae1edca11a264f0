"""A small valid directory of n2p2's files, and what can be done to it."""

INPUT = """\
number_of_elements 2
elements H O
atom_energy H -0.5
atom_energy O -75.0
cutoff_type 2
scale_symmetry_functions
scale_min_short 0.0
scale_max_short 1.0
global_hidden_layers_short 1
global_nodes_short 2
global_activation_short t l
mean_energy -1.0
conv_energy 2.0
conv_length 3.0
symfunction_short H 2 H 0.1 0.0 8.0
symfunction_short O 2 H 0.1 0.0 8.0
symfunction_short O 20 O -8.0 8.0 p2
"""
SCALING = """\
# element function min max mean sigma
1 1 0.0 2.0 1.0 0.1
2 1 0.0 3.0 1.0 0.1
2 2 0.0 4.0 1.0 0.1
"""
WEIGHTS_H = """\
0.1 a 1 0 1 1 1
0.2 a 2 0 1 1 2
0.3 b 3 1 1
0.4 b 4 1 2
0.5 a 5 1 1 2 1
0.6 a 6 1 2 2 1
0.7 b 7 2 1
"""
WEIGHTS_O = "\n".join(["0.25"] * 9) + "\n"
FILES = {
    "input.nn": INPUT,
    "scaling.data": SCALING,
    "weights.001.data": WEIGHTS_H,
    "weights.008.data": WEIGHTS_O,
}


def change(name, old, new):
    """One piece of text replaced by another, once."""
    assert FILES[name].count(old) == 1, (name, old)
    return name, FILES[name].replace(old, new)


def add(name, line):
    return name, FILES[name] + line + "\n"


# damage: (file, its new content), the sentence without the folder
DAMAGE = [
    # --- input.nn: keywords
    (
        add("input.nn", "use_electrostatics"),
        r"input\.nn, line 18: use_electrostatics is not supported: charges and",
    ),
    (
        add("input.nn", "nnp_type 4G-HDNNP"),
        r"input\.nn, line 18: nnp_type 4G-HDNNP is not supported: only short-range \(2G\)",
    ),
    (add("input.nn", "nnp_type"), r"input\.nn, line 18: nnp_type without a value is not supported"),
    (
        add("input.nn", "cutoff_type 1"),
        r"input\.nn, line 18: cutoff_type is repeated, after line 5: keep one",
    ),
    (
        add("input.nn", "atom_energy O -74.0"),
        r"input\.nn, line 18: atom_energy is repeated, after line 4",
    ),
    (
        add("input.nn", "element_nodes_short H 2\nelement_nodes_short H 3"),
        r"input\.nn, line 19: element_nodes_short is repeated, after line 18",
    ),
    (
        add("input.nn", "element_nodes_short Si 2"),
        r"input\.nn, line 18: element_nodes_short names 'Si', which is not among the elements H O",
    ),
    (
        add("input.nn", "element_activation_short"),
        r"input\.nn, line 18: element_activation_short names no element",
    ),
    (
        add("input.nn", "elements H O"),
        r"input\.nn, line 18: elements is repeated, after line 2",
    ),
    (
        add("input.nn", "normalize_nodes 1"),
        r"input\.nn, line 18: normalize_nodes takes no argument, got 1",
    ),
    (
        add("input.nn", "scale_symmetry_functions_sigma"),
        r"input\.nn, line 18: scale_symmetry_functions_sigma and scale_symmetry_functions are mut",
    ),
    # --- input.nn: elements
    (
        change("input.nn", "elements H O\n", "elements H Xx\n"),
        r"input\.nn, line 2: elements has 'Xx', which is no element's symbol",
    ),
    (
        change("input.nn", "elements H O\n", "elements H H\n"),
        r"input\.nn, line 2: elements must list each element once",
    ),
    (change("input.nn", "\nelements H O\n", "\n"), r"input\.nn: the keyword elements is missing"),
    (
        change("input.nn", "number_of_elements 2", "number_of_elements 3"),
        r"input\.nn, line 1: number_of_elements is 3, but elements lists 2",
    ),
    (
        change("input.nn", "number_of_elements 2", "number_of_elements two"),
        r"input\.nn, line 1: number_of_elements has 'two' where a whole number is expected",
    ),
    (
        change("input.nn", "symfunction_short H 2 H 0.1 0.0 8.0\n", ""),
        r"input\.nn: no symfunction_short line for H",
    ),
    (
        change("input.nn", "atom_energy H", "atom_energy C"),
        r"input\.nn, line 3: atom_energy names 'C', which is not among the elements",
    ),
    (
        change("input.nn", "atom_energy H -0.5", "atom_energy H"),
        r"input\.nn, line 3: atom_energy has 1 arguments, 2 are expected",
    ),
    # --- input.nn: numbers
    (
        change("input.nn", "conv_energy 2.0", "conv_energy zwei"),
        r"input\.nn, line 13: 'zwei' is not a number",
    ),
    (
        change("input.nn", "conv_energy 2.0", "conv_energy 1_0"),
        r"input\.nn, line 13: '1_0' is not a number",
    ),
    (
        change("input.nn", "conv_energy 2.0", "conv_energy"),
        r"input\.nn, line 13: conv_energy has 0 arguments, 1 are expected",
    ),
    (
        change("input.nn", "conv_energy 2.0", "conv_energy 0"),
        r"input\.nn, line 13: conv_energy is 0: it must be positive",
    ),
    (
        change("input.nn", "mean_energy -1.0\n", ""),
        r"input\.nn: conv_energy and conv_length without mean_energy: all three or none",
    ),
    (
        change("input.nn", "mean_energy -1.0\nconv_energy 2.0\n", ""),
        r"input\.nn: conv_length without conv_energy and mean_energy: all three or none",
    ),
    (
        change("input.nn", "mean_energy -1.0", "mean_energy NaN"),
        r"input\.nn, line 12: the value NaN is not finite",
    ),
    (
        change("input.nn", "mean_energy -1.0", "mean_energy 1e999"),
        r"input\.nn, line 12: the value 1e999 is not finite",
    ),
    (
        change("input.nn", "scale_max_short 1.0", "scale_max_short 0.0"),
        r"scaling\.data: H: scaling target range 0\.0 to 0\.0 is empty",
    ),
    # --- input.nn: cutoffs and functions
    (
        change("input.nn", "cutoff_type 2", "cutoff_type 9"),
        r"input\.nn, line 5: cutoff_type is 9: types are 0 to 8",
    ),
    (
        change("input.nn", "cutoff_type 2", "cutoff_type 1 1.0"),
        r"input\.nn, line 5: cutoff_type is not allowed: inner fraction 1\.0 .* not in \[0, 1\)",
    ),
    (
        change("input.nn", "H 2 H 0.1 0.0 8.0", "H 2 H 0.1 0.0 -8.0"),
        r"input\.nn, line 15: .* 0\.0 -8\.0: cutoff radius -4\.23\d+ .*positive \(lengths",
    ),
    (
        change("input.nn", "H 2 H 0.1 0.0 8.0", "H 2 H 0.1 0.0"),
        r"input\.nn, line 15: symfunction_short has 5 arguments, 6 are expected",
    ),
    (
        change("input.nn", "H 2 H 0.1 0.0 8.0", "H"),
        r"input\.nn, line 15: symfunction_short needs at least a central element and a type",
    ),
    (
        change("input.nn", "H 2 H 0.1 0.0 8.0", "H 7 H 0.1 0.0 8.0"),
        r"input\.nn, line 15: symfunction_short has type 7: known are 1, 2, 3, 4, 9, 12, 13, 20,",
    ),
    (
        change("input.nn", "H 2 H 0.1 0.0 8.0", "Q 2 H 0.1 0.0 8.0"),
        r"input\.nn, line 15: symfunction_short names 'Q', which is not among the elements H O",
    ),
    (
        change("input.nn", "H 2 H 0.1 0.0 8.0", "H 2 Si 0.1 0.0 8.0"),
        r"input\.nn, line 15: symfunction_short names 'Si', which is not among the elements H O",
    ),
    (
        change("input.nn", "H 2 H 0.1 0.0 8.0", "H 2 H inf 0.0 8.0"),
        r"input\.nn, line 15: the value inf is not finite",
    ),
    (
        change("input.nn", "-8.0 8.0 p2", "-8.0 8.0 p5"),
        r"input\.nn, line 17: symfunction_short has subtype 'p5': p1, p2, p3, p4 or e is expected",
    ),
    (
        change("input.nn", "-8.0 8.0 p2", "9.0 8.0 p2"),
        r"input\.nn, line 17: symfunction_short O 20 O 9\.0 8\.0 p2: r_left=4\.76\d+ must be below",
    ),
    (
        change("input.nn", "20 O -8.0 8.0 p2", "22 O O -8.0 8.0 -20 60 p2"),
        r"input\.nn, line 17: symfunction_short .*: theta range -20\.0 to 60\.0 deg.* such as",
    ),
    # --- input.nn: networks
    (
        change("input.nn", "global_hidden_layers_short 1\n", ""),
        r"input\.nn: the keyword global_hidden_layers_short is missing",
    ),
    (
        change("input.nn", "global_nodes_short 2", "global_nodes_short 2 2"),
        r"input\.nn, line 10: global_nodes_short gives 2 sizes, 1 hidden layers are announced",
    ),
    (
        change("input.nn", "global_nodes_short 2", "global_nodes_short 0"),
        r"input\.nn, line 10: global_nodes_short has a layer without neurons",
    ),
    (
        change("input.nn", "global_nodes_short 2", "global_nodes_short 2.5"),
        r"input\.nn, line 10: global_nodes_short has '2\.5' where a whole number is expected",
    ),
    (
        change("input.nn", "global_nodes_short 2", "global_nodes_short 9999999999"),
        r"weights\.001\.data has 7 weights and biases, but a network 1-9999999999-1 .*29999999998",
    ),
    (
        change("input.nn", "short t l", "short t"),
        r"input\.nn, line 11: global_activation_short gives 1 letters, 2 are expected: hidden",
    ),
    (
        change("input.nn", "short t l", "short q l"),
        r"input\.nn, line 11: global_activation_short has 'q': known are l t s p r g c S e h",
    ),
    (
        change("input.nn", "short t l", "short ts l"),
        r"input\.nn, line 11: global_activation_short has 'ts': known are l t",
    ),
    # --- scaling.data
    (
        change("scaling.data", "2 2 0.0 4.0 1.0 0.1\n", ""),
        r"scaling\.data: the row of function 2 of O is missing",
    ),
    (
        change("scaling.data", "2 2 0.0", "2 1 0.0"),
        r"scaling\.data, line 4: this function already has a row",
    ),
    (
        change("scaling.data", "2 2 0.0", "2 3 0.0"),
        r"scaling\.data, line 4: function 3 of O is not in 1 to 2, the number of its symfunction",
    ),
    (
        change("scaling.data", "2 2 0.0", "3 2 0.0"),
        r"scaling\.data, line 4: element 3 is not in 1 to 2",
    ),
    (
        change("scaling.data", "2 2 0.0 4.0 1.0 0.1", "2 2 0.0 4.0"),
        r"scaling\.data, line 4: 4 columns, 5 or 6 are expected: element, function, min, max, mean",
    ),
    (
        change("scaling.data", "1 1 0.0 2.0 1.0 0.1", "1 1"),
        r"scaling\.data, line 2: 2 columns, 5 or 6 are expected",
    ),
    (
        change("scaling.data", "2 2 0.0 4.0", "2 2 4.0 4.0"),
        r"scaling\.data: O: scaling of function 2 divides by zero \(min = max\): .*remove it or",
    ),
    (
        change("scaling.data", "2 2 0.0 4.0", "2 2 5.0 4.0"),
        r"scaling\.data: O: scaling of function 2: maximum is below minimum",
    ),
    (
        change("scaling.data", "2 2 0.0 4.0", "2 2 0.0 1e-320"),
        r"scaling\.data: O: scaling of function 2, range 0 to .* is too narrow or too wide",
    ),
    (
        change("scaling.data", "2 2 0.0 4.0", "2 2 -1e308 1e308"),
        r"scaling\.data: O: scaling of function 2, range -1e\+308 to 1e\+308, is too narrow or too",
    ),
    (
        change("scaling.data", "2 2 0.0 4.0", "2 2 0.0 nan"),
        r"scaling\.data, line 4: the value nan is not finite",
    ),
    (
        change("scaling.data", "2 2 0.0 4.0", "2 2 0.0 4,0"),
        r"scaling\.data, line 4: '4,0' is not a number",
    ),
    # --- weights
    (
        change("weights.001.data", "0.7 b 7 2 1\n", ""),
        r"weights\.001\.data has 6 weights and biases, but a network 1-2-1 .* has 7: the files do",
    ),
    (
        add("weights.001.data", "0.8"),
        r"weights\.001\.data has 8 weights and biases, but a network 1-2-1",
    ),
    (
        change("weights.001.data", "0.3 b 3", "NaN b 3"),
        r"weights\.001\.data, line 3: the value NaN is not finite",
    ),
    (
        change("weights.001.data", "0.3 b 3", "x0.3 b 3"),
        r"weights\.001\.data, line 3: 'x0\.3' is not a number",
    ),
    (
        change("weights.001.data", "0.3 b 3 1 1", "0.3 a 3 1 1"),
        r"weights\.001\.data, line 3: type 'a' where 'b' belongs \(a weight, b bias\)",
    ),
    (
        change("weights.001.data", "0.2 a 2 0 1 1 2", "0.2 a 2 0 2 1 1"),
        r"weights\.001\.data, line 2: layers and neurons 0 2 1 1 where 0 1 1 2 belong: rows are",
    ),
    (
        change("weights.001.data", "0.2 a 2 0 1 1 2", "0.2 a 2"),
        r"weights\.001\.data, line 2: layers and neurons missing where 0 1 1 2 belong",
    ),
]
