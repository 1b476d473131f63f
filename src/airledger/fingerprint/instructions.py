"""Single instructions of the processor, for use in kernels. All take a uint64 and give an int64."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # it comes with Numba
from numba.core import types
from numba.extending import intrinsic

_Instruction = Callable[[np.uint64], int]


def _trailing_zeros(_typing: Any, _word: Any) -> Any:
    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), code


def _leading_zeros(_typing: Any, _word: Any) -> Any:
    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), code


def _ones(_typing: Any, _word: Any) -> Any:
    def code(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), code


trailing_zeros = cast("_Instruction", intrinsic(_trailing_zeros))
"""How many lowest bits of a word other than 0 are zero."""

leading_zeros = cast("_Instruction", intrinsic(_leading_zeros))
"""How many highest bits of a word other than 0 are zero."""

ones = cast("_Instruction", intrinsic(_ones))
"""How many bits of a word are set."""
