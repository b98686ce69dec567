"""Arithmetic on LANES training images at once: the innermost axis of the patch kernels.

What LLVM would not vectorise by itself is spelled out as vectors here, each beside its plain Python form.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from turingdiff.engine.compile import allocating_helper, compiled_form
from turingdiff.engine.memory import CACHE_LINE

LANES = 64 if not numba.config.DISABLE_JIT else 2


@allocating_helper
def lanes(rows, pixels, like):
    """Zeros (rows, pixels * LANES) in which every pixel begins a cache line."""
    size = rows * pixels * LANES
    raw = np.zeros(size + CACHE_LINE // like.itemsize, like.dtype)
    first = (-raw.ctypes.data % CACHE_LINE) // like.itemsize
    return raw[first : first + size].reshape(rows, pixels * LANES)


def fast_exp(x):
    """exp(x) for x <= 80: relative error 2e-7 in float32, where below -87 it is exp(-87); 4e-16 and -708 in float64."""
    return math.exp(x)


@intrinsic
def _bits_to_float(typingctx, bits):
    return types.float32(types.int32), lambda context, builder, sig, args: builder.bitcast(args[0], ir.FloatType())


@intrinsic
def _times_two_to(typingctx, value, shifted):
    # `shifted` is a whole number n plus 1.5 * 2**52, so that its last bits are n: added to the exponent of `value`.
    def codegen(context, builder, signature, args):
        whole = ir.IntType(64)
        bits, n = (builder.bitcast(argument, whole) for argument in args)
        return builder.bitcast(builder.add(bits, builder.shl(n, whole(52))), ir.DoubleType())

    return types.float64(types.float64, types.float64), codegen


@compiled_form(fast_exp)
def _compiled_exp(x):  # vectorisable: a call into libm is not
    return _exp32() if x == types.float32 else _exp64()


def _exp64():
    log2e, ln2_high, ln2_low = 1.4426950408889634, 6.93147180369123816490e-1, 1.90821492927058770002e-10
    c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 = (1 / math.factorial(n) for n in range(2, 13))
    floor_at, rounding = -708.0, 1.5 * 2.0**52

    def vectorisable(x):
        x = x if x > floor_at else floor_at
        shifted = x * log2e + rounding
        n = shifted - rounding
        r = (x - n * ln2_high) - n * ln2_low
        p = c7 + r * (c8 + r * (c9 + r * (c10 + r * (c11 + r * c12))))
        p = 1.0 + r * (1.0 + r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * (c6 + r * p))))))
        return _times_two_to(p, shifted)

    return vectorisable


def _exp32():
    f = np.float32
    log2e, ln2_high, ln2_low = f(1.442695041), f(0.693359375), f(-2.12194440e-4)
    half, one, floor_at, bias, mantissa = f(0.5), f(1), f(-87), np.int32(127), np.int32(23)
    c2, c3, c4, c5, c6 = f(1 / 2), f(1 / 6), f(1 / 24), f(1 / 120), f(1 / 720)

    def vectorisable(x):
        x = x if x > floor_at else floor_at
        n = np.floor(x * log2e + half)
        r = (x - n * ln2_high) - n * ln2_low
        p = one + r * (one + r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * c6)))))
        return p * _bits_to_float((np.int32(n) + bias) << mantissa)

    return vectorisable


def _vector(context, builder, array_type, array, start):
    """Pointer to the LANES numbers of `array` from `start` on, as one vector."""
    data = context.make_array(array_type)(context, builder, array).data
    vector = ir.VectorType(context.get_data_type(array_type.dtype), LANES)
    return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())


def square_lanes(q, t, base, out, start):
    """Out = base + (q - t)² in the LANES places from `start` on; `out` may be `base`."""
    end = start + LANES
    out[start:end] = base[start:end] + (q - t[start:end]) ** 2


@intrinsic
def _square_lanes(typingctx, q, t, base, out, start):
    # One vector operation on purpose: a loop would need to know that `out` is not `t`, and `q` once a lane.
    def codegen(context, builder, signature, args):
        pointers = [_vector(context, builder, signature.args[n], args[n], args[4]) for n in (1, 2, 3)]
        align = t.dtype.bitwidth // 8
        values, sums = (builder.load(p, align=align) for p in pointers[:2])
        one = builder.insert_element(ir.Constant(values.type, ir.Undefined), args[0], ir.Constant(ir.IntType(32), 0))
        splat = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))
        difference = builder.fsub(splat, values)
        square = builder.fmul(difference, difference, flags=("contract",))
        builder.store(builder.fadd(sums, square, flags=("contract",)), pointers[2], align=align)
        return context.get_dummy_value()

    return types.void(q, t, base, out, types.intp), codegen


@compiled_form(square_lanes)
def _compiled_square(q, t, base, out, start):
    return lambda q, t, base, out, start: _square_lanes(q, t, base, out, start)


def least_of_lanes(a, start):
    """The least of the LANES finite numbers from `start` on."""
    return a[start : start + LANES].min()


@intrinsic
def _least_of_lanes(typingctx, a, start):
    # Spelled out as one vector: LLVM unrolls a loop of 32 into a chain of 31 scalar minima.
    def codegen(context, builder, signature, args):
        pointer = _vector(context, builder, signature.args[0], *args)
        values = builder.load(pointer, align=signature.return_type.bitwidth // 8)
        name = f"llvm.vector.reduce.fmin.v{LANES}f{signature.return_type.bitwidth}"
        function = builder.module.globals.get(name) or ir.Function(
            builder.module, ir.FunctionType(values.type.element, [values.type]), name
        )
        return builder.call(function, [values], fastmath=("nnan", "nsz"))

    return a.dtype(a, types.intp), codegen


@compiled_form(least_of_lanes)
def _compiled_least(a, start):
    return lambda a, start: _least_of_lanes(a, start)
