"""Short names for the array types of the engine, and the decorator of its compiled kernels."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

C64 = NDArray[np.complex64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
Flags = NDArray[np.bool_]

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])


def kernel(function: _Kernel) -> _Kernel:
    """Compile `function` to machine code on first call, keep it on disk, and run it without the interpreter lock.

    Bounds are not checked inside: callers hand over arrays that were validated.
    """
    return cast("_Kernel", numba.njit(cache=True, nogil=True)(function))
