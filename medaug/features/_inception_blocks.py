"""The blocks that Inception-v3 is made of (Szegedy et al. 2015), as TensorFlow's graph has them.

Average pools leave the padding out, and the last block has a max pool. Names are torch-fidelity's.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Convolution(nn.Conv2d):
    """A convolution and a ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu_(super().forward(x))

    def averaged(self, x: Tensor) -> Tensor:
        """As after an average pool; a mean of fewer channels is quicker, and the same."""
        pooled = F.avg_pool2d(super().forward(x), 3, 1, 1, count_include_pad=False)
        return F.relu_(pooled)


class BlockA(nn.Module):
    """35 x 35: 1 x 1, 5 x 5 and twice 3 x 3."""

    def __init__(self, inputs: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = Convolution(inputs, 64, 1)
        self.branch5x5_1 = Convolution(inputs, 48, 1)
        self.branch5x5_2 = Convolution(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Convolution(inputs, 64, 1)
        self.branch3x3dbl_2 = Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, padding=1)
        self.branch_pool = Convolution(inputs, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool.averaged(x)], 1)


class BlockB(nn.Module):
    """From 35 x 35 to 17 x 17."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = Convolution(inputs, 384, 3, stride=2)
        self.branch3x3dbl_1 = Convolution(inputs, 64, 1)
        self.branch3x3dbl_2 = Convolution(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Convolution(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, 2)], 1)


class BlockC(nn.Module):
    """17 x 17: 7 x 7 as 1 x 7 and 7 x 1."""

    def __init__(self, inputs: int, inner: int) -> None:
        super().__init__()
        self.branch1x1 = Convolution(inputs, 192, 1)
        self.branch7x7_1 = Convolution(inputs, inner, 1)
        self.branch7x7_2 = Convolution(inner, inner, (1, 7), padding=(0, 3))
        self.branch7x7_3 = Convolution(inner, 192, (7, 1), padding=(3, 0))
        self.branch7x7dbl_1 = Convolution(inputs, inner, 1)
        self.branch7x7dbl_2 = Convolution(inner, inner, (7, 1), padding=(3, 0))
        self.branch7x7dbl_3 = Convolution(inner, inner, (1, 7), padding=(0, 3))
        self.branch7x7dbl_4 = Convolution(inner, inner, (7, 1), padding=(3, 0))
        self.branch7x7dbl_5 = Convolution(inner, 192, (1, 7), padding=(0, 3))
        self.branch_pool = Convolution(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool.averaged(x)], 1)


class BlockD(nn.Module):
    """From 17 x 17 to 8 x 8."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = Convolution(inputs, 192, 1)
        self.branch3x3_2 = Convolution(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Convolution(inputs, 192, 1)
        self.branch7x7x3_2 = Convolution(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Convolution(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Convolution(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return torch.cat([three, self.branch7x7x3_4(seven), F.max_pool2d(x, 3, 2)], 1)


class BlockE(nn.Module):
    """8 x 8: 3 x 3 as 1 x 3 beside 3 x 1."""

    def __init__(self, inputs: int, *, max_pool: bool) -> None:
        super().__init__()
        self.max_pool = max_pool
        self.branch1x1 = Convolution(inputs, 320, 1)
        self.branch3x3_1 = Convolution(inputs, 384, 1)
        self.branch3x3_2a = Convolution(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = Convolution(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = Convolution(inputs, 448, 1)
        self.branch3x3dbl_2 = Convolution(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = Convolution(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = Convolution(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = Convolution(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        branches = [
            self.branch1x1(x),
            self.branch3x3_2a(three),
            self.branch3x3_2b(three),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self._pooled(x),
        ]
        return torch.cat(branches, 1)

    def _pooled(self, x: Tensor) -> Tensor:
        if self.max_pool:
            pooled: Tensor = self.branch_pool(F.max_pool2d(x, 3, 1, 1))
            return pooled
        return self.branch_pool.averaged(x)
