"""What happens to files: bits flip, disks fill, editors convert, strangers forge."""

from __future__ import annotations

import io
import json
import re
import zipfile

NUMBERS = (
    "1e308", "-1e308", "1e-320", "1e999", "nan", "inf", "-1", "0", "0.5", "2147483648",
    "9223372036854775807", "99999999999999999999", "1099511627776", "-0.0", "1e30", "x", "",
)  # fmt: skip
STRANGE = (
    None, True, -1, 0, 2**63, 10**30, 1e308, "", "x", "\0", "\ud800", [], {}, [[]], [0] * 1000,
    "a" * 10_000, {"a": {}},
)  # fmt: skip


def mutate(data, rng):
    """One to three accidents of a file's bytes; those of a zip hit its members as well.

    Args:
        data: the file.
        rng: `random.Random`.

    Returns:
        The names of what happened, and the new bytes.
    """
    done = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        if data[:2] == b"PK" and rng.random() < 0.7:
            accident = rng.choice(ZIP_ACCIDENTS)
        else:
            accident = rng.choice(ACCIDENTS)
        try:
            data = accident(data, rng)
        except Exception:  # noqa: BLE001
            data = flip(data, rng)  # no zip any more, or no text
        done.append(accident.__name__)
    return "+".join(done), data


def flip(data, rng):
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 8)) if data else 0):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def truncate(data, rng):
    return data[: rng.randrange(len(data) + 1)]


def empty(_data, _rng):
    return b""


def nul(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + bytes(rng.choice((1, 3, 4096))) + data[at:]


def crlf(data, _rng):
    return data.replace(b"\n", b"\r\n")


def utf16(data, _rng):
    return data.decode("latin-1").encode("utf-16")


def accent(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice((b"\xe9", "µ水".encode(), b"\xff\xfe", b"\x1b[2J")) + data[at:]


def huge_number(data, rng):
    found = list(re.finditer(rb"[-+]?\d+\.?\d*(?:[eEdD][-+]?\d+)?", data[:200_000]))
    if not found:
        return flip(data, rng)
    at = rng.choice(found)
    return data[: at.start()] + rng.choice(NUMBERS).encode() + data[at.end() :]


def lose_line(data, rng):
    lines = data.split(b"\n")
    del lines[rng.randrange(len(lines))]
    return b"\n".join(lines)


def double_line(data, rng):
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    lines[at:at] = [lines[at]] * rng.choice((1, 2, 1000))
    return b"\n".join(lines)


def swap_words(data, rng):
    words = re.split(rb"(\s+)", data)
    a, b = rng.randrange(len(words)), rng.randrange(len(words))
    words[a], words[b] = words[b], words[a]
    return b"".join(words)


def lose_block(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 16, 512)) :]


def long_line(data, rng):
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice((b"9", b"x", b" ", b"(", b"[")) * 20_000 + data[at:]


ACCIDENTS = (
    flip, flip, truncate, empty, nul, crlf, utf16, accent, huge_number, huge_number, lose_line,
    double_line, swap_words, lose_block, long_line,
)  # fmt: skip


# ---- zips: the same inside, with checksums that are right ------------------------------------


def _members(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()[:50]}


def _packed(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def in_member(data, rng):
    members = _members(data)
    name = rng.choice(sorted(members))
    if members[name][:2] == b"PK" or not members[name]:
        members[name] = mutate(members[name], rng)[1]
    else:
        members[name] = rng.choice(ACCIDENTS)(members[name], rng)
    return _packed(members)


def swap_members(data, rng):
    members = _members(data)
    a, b = rng.choice(sorted(members)), rng.choice(sorted(members))
    members[a], members[b] = members[b], members[a]
    return _packed(members)


def lose_member(data, rng):
    members = _members(data)
    del members[rng.choice(sorted(members))]
    return _packed(members)


def another_member(data, rng):
    members = _members(data)
    return _packed(members | {"another": rng.choice((b"", b"x" * 1000, data[:5000]))})


def in_json(data, rng):
    """One value of the header becomes something strange."""
    members = _members(data)
    name = rng.choice([n for n in sorted(members) if members[n][:1] == b"{"] or [""])
    tree = json.loads(members[name]) if name else {}
    node, path = tree, []
    while isinstance(node, dict | list) and node and (not path or rng.random() < 0.8):
        key = rng.choice(sorted(node)) if isinstance(node, dict) else rng.randrange(len(node))
        path.append((node, key))
        node = node[key]
    if not path:
        return flip(data, rng)
    parent, key = path[-1]
    if rng.random() < 0.2:
        del parent[key]
    else:
        parent[key] = rng.choice(STRANGE)
    return _packed(members | {name: json.dumps(tree).encode()})


ZIP_ACCIDENTS = (in_member, in_member, swap_members, lose_member, another_member, in_json, in_json)
