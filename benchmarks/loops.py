"""What bounds the kernels' inner loops: instructions counted, ports as LLVM models them.

    python benchmarks/loops.py …/nnp_kernel_avx512_double.dir/cpu/kernel.cpp.o expand_rows

Disassembles an object file (objdump), finds the innermost loops of the functions whose names
contain one of the words, and asks llvm-mca for cycles per pass on a processor (Zen 4): all of it,
as its schedulers and latencies allow, and the busiest unit alone. Of an object file, for a linked
library has no names any more.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from dataclasses import dataclass

from nnp.cli.table import text_table

JUMP = re.compile(r"^(j\w+)\s+([0-9a-f]+)")
WIDE = re.compile(r"%[xyz]mm")
SHUFFLES = ("vperm", "vcompress", "vexpand", "vunpck", "vshuf", "vinsert", "vextract", "vpmov")
ARITHMETIC = ("vfm", "vfnm", "vadd", "vsub", "vmul", "vdiv", "vsqrt", "vrsqrt", "vmax", "vmin")
HEADER = ["function", "instructions", "loads", "stores", "arithmetic", "moves of lanes"]
HEADER += ["cycles", "busiest unit", "its cycles"]


@dataclass
class Loop:
    """One innermost loop."""

    function: str
    lines: list[str]  # AT&T

    def count(self, *starts: str) -> int:
        """Instructions whose names begin so."""
        return sum(line.startswith(starts) for line in self.lines)

    def memory(self, write: bool) -> int:
        """Vector instructions that write memory, or read it."""
        found = 0
        for line in self.lines:
            operands = line.partition(" ")[2]
            if WIDE.search(line) and "(" in operands:
                found += operands.rstrip().rsplit(",", 1)[-1].endswith(")") == write
        return found


def loops_of(path: str, words: list[str]) -> list[Loop]:
    """Innermost loops with vector instructions, in the order of the file."""
    command = ["objdump", "-d", "-C", "--no-show-raw-insn", path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = []
    for part in re.split(r"\n(?=[0-9a-f]{16} <)", text)[1:]:
        name = part.partition("<")[2].partition(">:")[0]
        if not any(word in name for word in words):
            continue
        at = [line.split("\t", 1) for line in part.splitlines()[1:] if "\t" in line]
        code = [(int(where.strip(" :"), 16), what.strip()) for where, what in at]
        index = {where: i for i, (where, _) in enumerate(code)}
        spans = []
        for end, (_, what) in enumerate(code):
            jump = JUMP.match(what)
            start = index.get(int(jump[2], 16), end + 1) if jump else end + 1
            if start <= end:
                spans.append((start, end))
        for start, end in spans:
            if any((a, b) != (start, end) and start <= a and b <= end for a, b in spans):
                continue
            lines = [what for _, what in code[start:end] if not what.startswith(("j", "nop"))]
            if sum("%zmm" in line or "%ymm" in line for line in lines) > 5:
                found.append(Loop(re.sub(r".*::|\(.*", "", name.partition("(nnp")[0]), lines))
    return found


def modelled(loop: Loop, mca: str, processor: str) -> tuple[float, str, float]:
    """Cycles per pass; the busiest unit and its cycles."""
    code = "\n".join(re.sub(r"\s*(#|<).*", "", line) for line in loop.lines)
    command = [mca, f"-mcpu={processor}", "-iterations=200", "-mtriple=x86_64"]
    done = subprocess.run(command, input=code, capture_output=True, text=True, check=True).stdout
    cycles = float(re.search(r"Total Cycles:\s+(\d+)", done)[1]) / 200
    names = dict(re.findall(r"^(\[\S+\])\s+- (\S+)", done, re.MULTILINE))
    table = done.split("Resource pressure per iteration:\n")[1].splitlines()
    columns = re.findall(r"\[\S+\]", table[0])
    values = [0.0 if word == "-" else float(word) for word in table[1].split()]
    most, column = max(zip(values, columns, strict=False))
    return cycles, names.get(column, column), most


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("object")
    parser.add_argument("words", nargs="+", help="parts of functions' names")
    parser.add_argument("--mca", default="llvm-mca")
    parser.add_argument("--processor", default="znver4")
    arguments = parser.parse_args()
    rows = []
    for loop in loops_of(arguments.object, arguments.words):
        counts = [len(loop.lines), loop.memory(False), loop.memory(True)]
        counts += [loop.count(*ARITHMETIC), loop.count(*SHUFFLES)]
        cycles, unit, most = modelled(loop, arguments.mca, arguments.processor)
        rows.append([loop.function, *map(str, counts), f"{cycles:.1f}", unit, f"{most:.1f}"])
    print(text_table(HEADER, rows))


if __name__ == "__main__":
    main()
