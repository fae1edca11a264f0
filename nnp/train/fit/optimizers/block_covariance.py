"""A covariance of several blocks that count as uncorrelated; see `blocks`."""

from __future__ import annotations

import torch
from torch import Tensor

from nnp.train.fit.optimizers.base import State
from nnp.train.fit.optimizers.blocks import Blocks
from nnp.train.fit.optimizers.covariance import Covariance


class BlockCovariance:
    """P, block-diagonal; products and updates as those of `Covariance`.

    Args:
        diagonal: of P at the start.
        blocks: indices into θ, every parameter in one of them.
        dtype: of all numbers.
        device: where they are.
    """

    def __init__(
        self,
        diagonal: float,
        blocks: Blocks,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ) -> None:
        self._columns = [torch.from_numpy(block.reshape(-1)).to(device) for block in blocks]
        self._parts = [
            Covariance(diagonal, size, dtype, device)
            if count == 1
            else _Stack(diagonal, count, size, dtype, device)
            for count, size in (block.shape for block in blocks)
        ]

    def times(self, rows: Tensor) -> Tensor:
        """H P of rows H (m, p)."""
        product = torch.empty_like(rows)
        for columns, part in zip(self._columns, self._parts, strict=True):
            product[:, columns] = part.times(rows[:, columns])
        return product

    def reduce(self, half: Tensor, forgetting: float, noise: float) -> None:
        """P ← (P − hᵀh) / λ + q within every block, with h (m, p)."""
        for columns, part in zip(self._columns, self._parts, strict=True):
            part.reduce(half[:, columns], forgetting, noise)

    def state(self) -> State:
        """Those of the parts, with their numbers."""
        return {
            f"{name}_{number}": array
            for number, part in enumerate(self._parts)
            for name, array in part.state().items()
        }

    def restore(self, state: State) -> None:
        """Continue from what `state` returned."""
        for number, part in enumerate(self._parts):
            end = f"_{number}"
            own = {k.removesuffix(end): a for k, a in state.items() if k.endswith(end)}
            part.restore(own)

    def dense(self) -> Tensor:
        """P (p, p)."""
        p = sum(map(len, self._columns))
        whole = self._parts[0].dense().new_zeros((p, p))
        for columns, part in zip(self._columns, self._parts, strict=True):
            whole[columns[:, None], columns] = part.dense()
        return whole


class _Stack:
    """Several blocks of one size: small matrices, settled in every step.

    Args:
        diagonal: of each at the start.
        count: b.
        size: s.
        dtype: of all numbers.
        device: where they are.
    """

    def __init__(
        self, diagonal: float, count: int, size: int, dtype: torch.dtype, device: torch.device | str
    ) -> None:
        unit = torch.eye(size, dtype=dtype, device=device)
        self._matrices = (diagonal * unit).repeat(count, 1, 1)

    def times(self, rows: Tensor) -> Tensor:
        """(m, b s) products, from rows of that shape."""
        return torch.bmm(self._by_block(rows), self._matrices).transpose(0, 1).flatten(1)

    def reduce(self, half: Tensor, forgetting: float, noise: float) -> None:
        """See `BlockCovariance.reduce`."""
        h = self._by_block(half)
        self._matrices.baddbmm_(h.mT, h, beta=1 / forgetting, alpha=-1 / forgetting)
        self._matrices.diagonal(dim1=1, dim2=2).add_(noise)

    def state(self) -> State:
        """The matrices."""
        return {"covariance": self._matrices.cpu().numpy()}

    def restore(self, state: State) -> None:
        """Continue from what `state` returned."""
        self._matrices.copy_(torch.from_numpy(state["covariance"]))

    def dense(self) -> Tensor:
        """(b s, b s)."""
        whole: Tensor = torch.block_diag(*self._matrices)  # type: ignore[no-untyped-call]
        return whole

    def _by_block(self, rows: Tensor) -> Tensor:
        count, size, _ = self._matrices.shape
        return rows.view(len(rows), count, size).transpose(0, 1)
