"""Flush subnormal numbers to zero while a kernel runs.

Numbers below 1e-38 (float32) take a slow path in most processors, and a reaction-diffusion field is full of them
ahead of a front. Setting FTZ and DAZ in MXCSR (x86) or FZ in FPCR (Arm) costs two instructions a kernel call; the
caller's setting is restored. Control registers belong to a thread, so this is done inside the parallel region.
Elsewhere, and where kernels run as plain Python, both functions do nothing.
"""

from __future__ import annotations

import platform

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from turingdiff.engine.compile import compiled_form

X86_FTZ_DAZ = 0x8040
ARM_FZ = 1 << 24
MACHINE = platform.machine().lower()


def flush_subnormals():
    """Turn flushing on for this thread; returns the previous setting."""
    return 0


def restore_subnormals(previous):
    """Put back what `flush_subnormals` returned."""


def x86_read(builder: ir.IRBuilder):
    """Emit a read of MXCSR."""
    slot = builder.alloca(ir.IntType(32))
    _call(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), [_bytes(builder, slot)])
    return builder.zext(builder.load(slot), ir.IntType(64))


def x86_write(builder: ir.IRBuilder, value) -> None:
    """Emit a write of MXCSR."""
    slot = builder.alloca(ir.IntType(32))
    builder.store(builder.trunc(value, ir.IntType(32)), slot)
    _call(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), [_bytes(builder, slot)])


def arm_read(builder: ir.IRBuilder):
    """Emit a read of FPCR."""
    return _call(builder, "llvm.aarch64.get.fpcr", ir.IntType(64), [])


def arm_write(builder: ir.IRBuilder, value) -> None:
    """Emit a write of FPCR."""
    _call(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), [value])


def _bytes(builder, slot):
    """The pointer that MXCSR's instructions take where pointers have types, as they have up to Numba 0.61."""
    return builder.bitcast(slot, ir.IntType(8).as_pointer())


def _call(builder, name, result, arguments):
    module = builder.module
    function = module.globals.get(name) or ir.Function(
        module, ir.FunctionType(result, [a.type for a in arguments]), name
    )
    return builder.call(function, arguments)


REGISTER = {
    "x86_64": (x86_read, x86_write, X86_FTZ_DAZ),
    "amd64": (x86_read, x86_write, X86_FTZ_DAZ),
    "aarch64": (arm_read, arm_write, ARM_FZ),
    "arm64": (arm_read, arm_write, ARM_FZ),
}

if MACHINE in REGISTER and not numba.config.DISABLE_JIT:
    READ, WRITE, FLUSH = REGISTER[MACHINE]

    @intrinsic
    def _flush(typingctx):
        def codegen(context, builder, signature, args):
            previous = READ(builder)
            WRITE(builder, builder.or_(previous, ir.Constant(ir.IntType(64), FLUSH)))
            return previous

        return types.uint64(), codegen

    @intrinsic
    def _restore(typingctx, previous):
        def codegen(context, builder, signature, args):
            WRITE(builder, args[0])
            return context.get_dummy_value()

        return types.void(types.uint64), codegen

    compiled_form(flush_subnormals)(lambda: lambda: _flush())
    compiled_form(restore_subnormals)(lambda previous: lambda previous: _restore(previous))
else:
    compiled_form(flush_subnormals)(lambda: lambda: 0)
    compiled_form(restore_subnormals)(lambda previous: lambda previous: None)
