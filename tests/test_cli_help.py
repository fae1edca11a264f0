"""``--help`` of every command: 80 columns, each option explained, defaults as they are typed."""

from __future__ import annotations

import argparse
import re

import pytest
from runs import nnp

from nnp.cli.program import COMMANDS, build_parser

PARSERS = build_parser()._subparsers._group_actions[0].choices
OPTIONS = {name for parser in PARSERS.values() for name in parser._option_string_actions}
each_command = pytest.mark.parametrize("command", COMMANDS)


def shown(capsys, monkeypatch, *words, columns=80):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert nnp(*words, "--help") == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("columns", [80, 120, 300])
def test_lines_fit(capsys, monkeypatch, columns):
    for words in ((), *((command,) for command in COMMANDS)):
        text = shown(capsys, monkeypatch, *words, columns=columns)
        assert max(map(len, text.splitlines())) <= min(columns, 100)


@each_command
def test_defaults_are_what_one_types(capsys, monkeypatch, command):
    text = " ".join(shown(capsys, monkeypatch, command).split())
    for said in re.findall(r"\(default: ([^()]*)\)", text):
        assert not re.search(r"^(None|False|True|\[\]|\(\)|'.*')$|[\[(]\d|\d\.0\b", said)


@each_command
def test_every_option_is_explained(command):
    for action in PARSERS[command]._actions:
        assert re.sub(r"\(default.*", "", action.help or "").strip(), action.option_strings
        if action.option_strings and action.nargs != 0 and not action.choices:
            assert action.metavar is not None, f"{action.option_strings}: no word for its value"


@each_command
def test_options_stay_in_one_piece(capsys, monkeypatch, command):
    text = shown(capsys, monkeypatch, command)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= OPTIONS
    assert not re.search(r"\w-\n", text)


def test_usage_is_one_line_without_options(capsys, monkeypatch):
    first = shown(capsys, monkeypatch, "train").splitlines()[:2]
    assert first == ["usage: nnp train [OPTIONS] CONFIG|DATA …", ""]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "md a b --temprature 3",
            "unrecognized arguments: --temprature 3; did you mean --temperature?",
        ),
        ("lammps --qqq=1", "nnp lammps: error: unrecognized arguments: --qqq=1\n"),
    ],
)
def test_unknown_options_are_told_by_the_command(capsys, words, said):
    assert nnp(*words.split()) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith(f"usage: nnp {words.split()[0]} …, see nnp {words.split()[0]} --help\n")


def test_a_metavar_stands_once():
    parser = argparse.ArgumentParser(formatter_class=PARSERS["md"].formatter_class)
    parser.add_argument("--tol", "--tolerance", metavar="X", default=[1, 2.50], help="h")
    parser.add_argument("--many", nargs="*", metavar="N", help="100%% sure")
    text = parser.format_help()
    assert "--tol, --tolerance X" in text
    assert "h (default: 1 2.5)" in text
    assert "--many [N …]" in text
