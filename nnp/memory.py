"""How much memory a process may still take: the machine's, its container's, its own limit's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# A limit of cgroup v1 that means none is the largest number of whole pages.
_NO_LIMIT = 1 << 60
_PAGE = 4096


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes, the least of what Linux says of the machine, of cgroups and of ``ulimit -v``.

    Args:
        root: above ``proc`` and ``sys``.

    Returns:
        None where nothing says it.
    """
    found = [*_machine(root), *_cgroups(root), *_address_space(root)]
    return max(0, min(found)) if found else None


def used_memory(root: Path = Path("/")) -> int:
    """Bytes that this process has in memory now; 0 where nothing says it."""
    words = _text(root / "proc/self/statm").split()
    return int(words[1]) * _PAGE if len(words) > 1 else 0


def _machine(root: Path) -> Iterator[int]:
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            yield 1024 * int(line.split()[1])


def _cgroups(root: Path) -> Iterator[int]:
    """What the limits of this process' groups and of those above leave."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if controllers == "":
            mount = root / "sys/fs/cgroup"
            yield from _left(mount, name, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            mount = root / "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _left(mount, name, *names)


def _left(mount: Path, name: str, limit: str, usage: str, cache: str) -> Iterator[int]:
    folder = mount / name.strip("/")
    for group in (folder, *folder.parents):
        most, used = (_text(group / file).strip() for file in (limit, usage))
        if most.isdecimal() and used.isdecimal() and int(most) < _NO_LIMIT:
            yield int(most) - int(used) + _in_cache(group, cache)
        if group == mount:
            return


def _in_cache(group: Path, name: str) -> int:
    """Bytes of files that the kernel gives back when it is asked for memory."""
    for line in _text(group / "memory.stat").splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _address_space(root: Path) -> Iterator[int]:
    try:
        import resource
    except ImportError:  # Windows
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    words = _text(root / "proc/self/statm").split()
    if limit != resource.RLIM_INFINITY and words:
        yield limit - int(words[0]) * _PAGE


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
