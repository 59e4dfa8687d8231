"""A mutant put into modules that are loaded already, which spares it the start of a new process."""

import ast
import importlib
import inspect
import sys
from types import CodeType, FunctionType, ModuleType
from typing import Any

from proof.mutation.mutants import Edit

Function = ast.FunctionDef | ast.AsyncFunctionDef


def patch(edit: Edit, source: bytes) -> bool:
    """Exchange the function or the text that the edit changes. False where it changes anything else.

    A function keeps its identity and gets other code, so that whoever holds it runs that; a text is exchanged in every
    module of the service that has imported it. What was made of a text meanwhile stays as it was: a mutant that seems
    to survive has to be tried again in a new process.
    """
    module = importlib.import_module(edit.path.removesuffix(".py").replace("/", "."))
    mutated = edit.applied(source)
    changed = _changed(ast.parse(source), ast.parse(mutated))
    match changed:
        case [ast.Assign(targets=[ast.Name(id=name)], value=value)] | [
            ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ]:
            return _exchange_text(module, name, value)
        case [ast.FunctionDef() | ast.AsyncFunctionDef() as function]:
            return _exchange_code(getattr(module, function.name), _code(mutated, function.name))
        case [ast.ClassDef() as cls, ast.FunctionDef() | ast.AsyncFunctionDef() as function]:
            held = vars(getattr(module, cls.name))[function.name]
            return _exchange_code(held, _code(mutated, f"{cls.name}.{function.name}"))
        case _:
            return False


def _changed(before: ast.Module, after: ast.Module) -> list[ast.stmt]:
    """The statement of the module that differs, and the one of its body if it is a class; empty for several."""
    changed: list[ast.stmt] = []
    inside: tuple[list[ast.stmt], list[ast.stmt]] | None = (before.body, after.body)
    while inside is not None:
        found = [pair for pair in zip(*inside, strict=False) if ast.dump(pair[0]) != ast.dump(pair[1])]
        if len(inside[0]) != len(inside[1]) or len(found) != 1:
            return []
        old, new = found[0]
        changed.append(new)
        both = isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef)
        inside = (old.body, new.body) if both else None  # type: ignore[attr-defined]
    return changed


def _code(source: bytes, name: str) -> CodeType:
    waiting = [compile(source, name, "exec", dont_inherit=True)]
    while waiting:
        code = waiting.pop()
        if code.co_qualname == name:
            return code
        waiting += [const for const in code.co_consts if isinstance(const, CodeType)]
    raise LookupError(name)


def _exchange_code(held: Any, code: CodeType) -> bool:
    if isinstance(held, property):
        held = held.fget
    function = inspect.unwrap(getattr(held, "__func__", held))
    # What a decorator makes of a function need not say which function it was.
    if not isinstance(function, FunctionType) or function.__code__.co_freevars != code.co_freevars:
        return False
    function.__code__ = code
    return True


def _exchange_text(module: ModuleType, name: str, value: ast.expr) -> bool:
    before = vars(module)[name]
    if not isinstance(before, str):
        return False
    after = eval(compile(ast.Expression(value), name, "eval"), vars(module))
    for loaded in [each for place, each in sys.modules.items() if place.startswith("service")]:
        for known in [known for known, held in vars(loaded).items() if held is before]:
            setattr(loaded, known, after)
    return True
