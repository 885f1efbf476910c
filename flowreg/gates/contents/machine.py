"""A pickle read as the program it is, without running it: which names it imports, and whether it was followed to its end.

Rule 1: the stack of the pickle machine is followed with unknown values; only texts are kept, since a name is made of two.
Rule 2: what cannot be followed with certainty is trouble, never "nothing found".
Rule 3: a stream may hold several pickles in a row (old files of torch do); all of them are read.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass, field
from typing import IO, Any

OPCODE_LIMIT = 50_000_000
_TEXTS = frozenset({"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"})
_CALLS = frozenset({"REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"})
_IMPORTS = frozenset({"GLOBAL", "INST", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4"})
_MARK = object()
_OPCODES: dict[bytes, Any] = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}


@dataclass
class Read:
    """What was found. ``imports``, ``calls``: it does. ``ended``: a pickle of it came to its regular end; all made ``steps`` steps."""

    names: set[str] = field(default_factory=set)
    trouble: str | None = None
    imports: bool = False
    calls: bool = False
    ended: bool = False
    steps: int = 0

    @property
    def is_pickle(self) -> bool:
        """Was it one at all? For bytes that do not say so at their start."""
        return bool(self.names) and (self.calls or self.ended)


class Trouble(Exception):
    """The program cannot be followed any further."""


def read_pickles(stream: IO[bytes]) -> Read:
    """Follow all the pickles of ``stream``, from where it stands to its end."""
    read = Read()
    try:
        while True:
            _one(stream, read)
            if not stream.read(1):
                return read
            stream.seek(-1, 1)
    except Trouble as trouble:
        read.trouble = f"of what follows its end: {trouble}" if read.ended else str(trouble)
    except (ValueError, EOFError, OSError, RecursionError, MemoryError, IndexError, TypeError, AttributeError) as error:
        read.trouble = f"it cannot be read to its end: {type(error).__name__}: {str(error)[:200]}"
    return read


def _one(stream: IO[bytes], read: Read) -> None:
    machine = _Machine(read)
    while read.steps < OPCODE_LIMIT:
        opcode = _OPCODES.get(byte := stream.read(1))
        if opcode is None:
            raise Trouble(f"byte {byte.hex()} is no step of a pickle" if byte else "it ends in the middle")
        machine.step(opcode, _argument(opcode, stream))
        read.steps += 1
        if opcode.name == "STOP":
            read.ended = True
            return
    raise Trouble(f"it has more than {OPCODE_LIMIT} steps")


def _argument(opcode: Any, stream: IO[bytes]) -> Any:
    """What the step brings. Numbers written as text are not read: pickle takes forms of them that pickletools refuses."""
    if opcode.arg is None:
        return None
    if opcode.name in ("INT", "LONG", "FLOAT"):
        return stream.readline()
    return opcode.arg.reader(stream)


class _Machine:
    def __init__(self, read: Read) -> None:
        self._read = read
        self._stack: list[Any] = []  # a text, ``_MARK``, or None for whatever else
        self._memo: dict[int, Any] = {}

    def step(self, opcode: Any, argument: Any) -> None:
        name = opcode.name
        self._read.imports = self._read.imports or name in _IMPORTS
        if name in ("GLOBAL", "INST"):
            self._import(*_parted(argument))
        elif name == "STACK_GLOBAL":
            self._import(*self._two_texts())
        elif name in ("EXT1", "EXT2", "EXT4"):
            raise Trouble("it imports by a number of a registry of extensions, which can be anything")
        self._move(name, opcode, argument)
        self._read.calls = self._read.calls or name in _CALLS

    def _import(self, module: str, name: str) -> None:
        self._read.names.add(f"{module}.{name}")

    def _two_texts(self) -> tuple[str, str]:
        module, name = self._stack[-2:] if len(self._stack) >= 2 else (None, None)
        if not isinstance(module, str) or not isinstance(name, str):
            raise Trouble("it imports something whose name is made while it runs")
        return module, name

    def _move(self, name: str, opcode: Any, argument: Any) -> None:
        """What the opcode does to stack and memo."""
        match name:
            case "MEMOIZE":
                self._memo[len(self._memo)] = self._top()
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[int(argument)] = self._top()
            case "GET" | "BINGET" | "LONG_BINGET":
                if int(argument) not in self._memo:
                    raise Trouble(f"it asks for what it has not kept ({argument})")
                self._stack.append(self._memo[int(argument)])
            case "DUP":
                self._stack.append(self._top())
            case "POP":
                self._pop(anything=True)
            case _:
                self._change(opcode, argument)

    def _change(self, opcode: Any, argument: Any) -> None:
        """Take off what stands in the table of opcodes, put on what does; what is put on is known only for texts."""
        before = [kind.name for kind in opcode.stack_before]
        if "mark" in before:
            while self._pop(anything=True) is not _MARK:
                pass
            before = before[: before.index("mark")]
        for _ in before:
            self._pop()
        for kind in opcode.stack_after:
            text = argument if opcode.name in _TEXTS and isinstance(argument, str) else None
            self._stack.append(_MARK if kind.name == "mark" else text)

    def _top(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise Trouble("it takes from an empty stack")
        return self._stack[-1]

    def _pop(self, *, anything: bool = False) -> Any:
        if not self._stack or (self._stack[-1] is _MARK and not anything):
            raise Trouble("it takes from an empty stack")
        return self._stack.pop()


def _parted(argument: Any) -> tuple[str, str]:
    module, _, name = str(argument).partition(" ")
    return module, name
