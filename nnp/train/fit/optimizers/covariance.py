"""The Kalman filter's covariance, kept so that a step touches as few of its p² numbers as it can.

With 1,297 parameters P is 13.5 MB, and passing over it is the largest part of a step. So
corrections wait and are subtracted together, and on the CPU only one triangle is kept up to date:
BLAS's symv reads, and its syrk writes, half of what a general product would.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg.blas import get_blas_funcs
from torch import Tensor

from nnp.train.fit.optimizers.base import State

# Rows that may wait before they are subtracted from the matrix: one pass in so many steps, and
# still a small product beside that with the matrix.
PENDING = 32
# Up to so many rows one symv each is faster than one product (measured, p = 1,297, one core).
_ROW_BY_ROW = 16
# Names in a state.
_LOWER, _WHOLE = "lower", "covariance"


class Covariance:
    """P = s (Q − UᵀU) + d, Q settled, U the rows that wait.

    A step reads Q once; the factor of forgetting waits in s, the noise in d, until there are
    `PENDING` rows.

    Args:
        diagonal: of P at the start.
        n_parameters: p.
        dtype: of all numbers.
        device: where they are.
    """

    def __init__(
        self,
        diagonal: float,
        n_parameters: int,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ) -> None:
        # NumPy asks the system for large pages, torch does not: a pass takes a fifth less time.
        start = torch.from_numpy(diagonal * np.eye(n_parameters))
        self._matrix = start.to(device, dtype)
        self._rows = self._matrix.new_empty((PENDING, n_parameters))
        self._waiting = 0
        self._scale, self._diagonal = 1.0, 0.0

    def times(self, rows: Tensor) -> Tensor:
        """H P of rows H (m, p)."""
        product = _product(rows, self._matrix)
        if self._waiting:
            waiting = self._rows[: self._waiting]
            product -= (rows @ waiting.T) @ waiting
        return product.mul_(self._scale).add_(rows, alpha=self._diagonal)

    def reduce(self, half: Tensor, forgetting: float, noise: float) -> None:
        """P ← (P − hᵀh) / λ + q, with h (m, p), λ ``forgetting`` and q ``noise``."""
        end, scale = self._waiting + len(half), self._scale
        self._scale /= forgetting
        self._diagonal = self._diagonal / forgetting + noise
        if end <= PENDING:
            torch.mul(half, scale**-0.5, out=self._rows[self._waiting : end])
            self._waiting = end
        else:
            self._settle(torch.cat([self._rows[: self._waiting], half * scale**-0.5]))

    def state(self) -> State:
        """What is settled and what waits, so that a resumed run rounds alike.

        The matrix is not copied: it is the largest array of a fit.
        """
        return {
            _kept(self._matrix): self._matrix.cpu().numpy(),
            "pending": self._rows[: self._waiting].cpu().numpy(),
            "pending_scalars": np.array([self._scale, self._diagonal]),
        }

    def restore(self, state: State) -> None:
        """Continue from what `state` returned."""
        self._matrix.copy_(torch.from_numpy(state[_LOWER if _LOWER in state else _WHOLE]))
        if _kept(self._matrix) == _LOWER:
            self._matrix.tril_()
        elif _LOWER in state:
            self._matrix.copy_(_mirrored(self._matrix))
        self._waiting = len(state["pending"])
        self._rows[: self._waiting] = torch.from_numpy(state["pending"]).to(self._rows)
        self._scale, self._diagonal = (float(x) for x in state["pending_scalars"])

    def dense(self) -> Tensor:
        """P (p, p)."""
        self._settle(self._rows[: self._waiting])
        return _both_halves(self._matrix)

    def _settle(self, rows: Tensor) -> None:
        _add_square(self._matrix, rows, -self._scale, self._scale)
        self._matrix.diagonal().add_(self._diagonal)
        self._waiting, self._scale, self._diagonal = 0, 1.0, 0.0


def _product(rows: Tensor, matrix: Tensor) -> Tensor:
    """H P from the lower triangle of P."""
    if rows.device.type != "cpu":
        return rows @ matrix
    if len(rows) > _ROW_BY_ROW:
        symm = get_blas_funcs("symm", (_columns(matrix),))
        return torch.from_numpy(symm(1.0, _columns(matrix), _columns(rows)).T)
    symv = get_blas_funcs("symv", (_columns(matrix),))
    products = [symv(1.0, _columns(matrix), row) for row in rows.numpy()]
    return torch.from_numpy(np.stack(products))


def _add_square(matrix: Tensor, rows: Tensor, alpha: float, beta: float) -> None:
    """M ← β M + α UᵀU, on the CPU its lower triangle."""
    if matrix.device.type != "cpu":
        matrix.addmm_(rows.T, rows, alpha=alpha, beta=beta)
        return
    syrk = get_blas_funcs("syrk", (_columns(matrix),))
    syrk(alpha, _columns(rows), beta=beta, c=_columns(matrix), overwrite_c=True)


def _kept(matrix: Tensor) -> str:
    """Name of what is kept up to date of the matrix: on the CPU its lower triangle."""
    return _LOWER if matrix.device.type == "cpu" else _WHOLE


def _both_halves(matrix: Tensor) -> Tensor:
    return _mirrored(matrix) if _kept(matrix) == _LOWER else matrix


def _mirrored(lower: Tensor) -> Tensor:
    return lower.tril() + lower.tril(-1).T


def _columns(matrix: Tensor) -> NDArray[np.floating]:
    """The transpose, column by column as BLAS wants it; its upper triangle is our lower one."""
    return np.asarray(matrix.contiguous().numpy().T)
