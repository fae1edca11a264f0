"""New figures of matplotlib, imported when one is drawn, and their files."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from nnp.distribution import install
from nnp.errors import OptionError, UnavailableError
from nnp.io.files import check_folder, replacing

_DOTS_PER_INCH = 150
# Scripts that own their process: matplotlib.style.use(STYLE).
STYLE = Path(__file__).with_name("nnp.mplstyle")
_COLOURS = 256  # with fewer, thin lines got the colour of others

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Draw in the package's style, whatever style the caller's matplotlib has.

    Raises:
        UnavailableError: matplotlib is missing.
    """

    @wraps(draw)
    def in_style(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        if not have_matplotlib():
            return draw(*arguments, **options)  # says what is missing
        from matplotlib import style

        with style.context(STYLE):
            return draw(*arguments, **options)

    return in_style


def have_matplotlib() -> bool:
    """Whether pictures can be drawn."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        return False
    return True


def check_picture(path: str | Path) -> None:
    """Refuse what `save_figure` would refuse, before anything is computed for it.

    Raises:
        UnavailableError: matplotlib is missing.
        OptionError: the suffix is none of a picture's.
        NNPError: there is no such folder.
    """
    path = Path(path)
    known = new_figure(1, 1).canvas.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in known:
        raise OptionError(
            f"{path}: the suffix decides a picture's format: {', '.join(sorted(known))}"
        )
    check_folder(path)


# What to print instead of pictures if `have_matplotlib` is False.
NO_MATPLOTLIB = f"no pictures: matplotlib is not installed ({install('plot')})"


def new_figure(width: float, height: float) -> Any:
    """An empty figure of a size in inches.

    Raises:
        UnavailableError: matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UnavailableError(
            f"pictures need matplotlib, which is not installed: {install('plot')}"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


@styled
def save_figure(figure: Any, path: str | Path) -> None:
    """Write a figure; an existing file is replaced, and only by a whole one.

    A PNG has a palette, which makes it a third as large.

    Raises:
        OptionError: the suffix is none of a picture's.
        NNPError: the file system refuses.
    """
    check_picture(path)
    with replacing(path, force=True) as scratch:
        figure.savefig(scratch, dpi=_DOTS_PER_INCH)
        if scratch.suffix.lower() == ".png":
            _reduce(scratch)


def _reduce(path: Path) -> None:
    from PIL import Image  # comes with matplotlib

    with Image.open(path) as image:
        reduced = image.convert("RGB").quantize(_COLOURS)
    reduced.save(path, optimize=True)
