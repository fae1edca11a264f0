"""Changes of a file that happen as a whole or not at all, killed at every one of their steps."""

from __future__ import annotations

import contextlib
import os

import numpy as np
import pytest

from nnp.io import transaction
from nnp.io.transaction import Transaction, journal_of, recover

OLD = bytes(range(200))
# What a kill can fall between: each of these calls of the system.
CALLS = ("pwrite", "ftruncate")


def change(file):
    """Bytes before, across and behind the end; later ones over earlier ones."""
    for place, data in ((10, b"abc"), (195, b"0123456789"), (11, b"Z"), (230, b"far")):
        file.seek(place)
        file.write(data)


def changed(path):
    with Transaction(path) as file:
        change(file)
        file.commit()


def expected():
    found = bytearray(OLD) + bytearray(33)
    for place, data in ((10, b"abc"), (195, b"0123456789"), (11, b"Z"), (230, b"far")):
        found[place : place + len(data)] = data
    return bytes(found)


def test_what_is_changed_is_read_and_reaches_the_disk_with_the_commit(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with Transaction(path) as file:
        change(file)
        file.seek(0)
        assert file.read() == expected()
        file.seek(-3, os.SEEK_END)
        assert file.read(8) == b"far"
        assert path.read_bytes() == OLD
    assert path.read_bytes() == OLD
    changed(path)
    assert path.read_bytes() == expected()
    assert list(tmp_path.iterdir()) == [path]


def test_any_order_of_changes_is_that_of_a_plain_file(tmp_path):
    path, rng = tmp_path / "file", np.random.default_rng(3)
    path.write_bytes(OLD)
    plain = bytearray(OLD)
    with Transaction(path) as file:
        for _ in range(300):
            place, count = rng.integers(0, 260), rng.integers(0, 40)
            if rng.random() < 0.2:
                file.truncate(place)
                plain = plain[:place] + bytes(max(place - len(plain), 0))
            elif rng.random() < 0.5:
                file.seek(place)
                assert file.read(count) == plain[place : place + count]
            else:
                data = rng.bytes(count)
                file.seek(place)
                file.write(data)
                if count:
                    plain += bytes(max(place + count - len(plain), 0))
                    plain[place : place + count] = data
        file.commit()
    assert path.read_bytes() == plain


def killed_at(path, number):
    """A change that ends at a call of the system, half done; the calls that were made."""
    calls = 0

    def dying(name, real):
        def call(descriptor, *rest):
            nonlocal calls
            calls += 1
            if calls == number:
                if name == "pwrite":
                    real(descriptor, rest[0][: len(rest[0]) // 2], rest[1])
                raise KeyboardInterrupt
            return real(descriptor, *rest)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(transaction.os, name, dying(name, getattr(os, name)))
        with contextlib.suppress(KeyboardInterrupt):
            changed(path)
    return calls


def test_killed_anywhere_it_is_the_old_file_or_the_new_one(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    count = killed_at(path, 0)
    ends = set()
    for number in range(1, count + 1):
        path.write_bytes(OLD)
        killed_at(path, number)
        recover(path)
        found = path.read_bytes()
        new = found == expected()
        assert new or found[: len(OLD)] == OLD  # behind the old end nobody looks
        ends.add(new)
        assert list(tmp_path.iterdir()) == [path]
    assert count > 5
    assert ends == {True, False}


def test_a_disk_that_is_full_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(OLD)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(transaction.os, "pwrite", full)
    with pytest.raises(OSError, match="No space"):
        changed(path)
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_half_a_journal_is_forgotten(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    journal_of(path).write_bytes(b"nnp journal 1\nhalf")
    recover(path)
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]
