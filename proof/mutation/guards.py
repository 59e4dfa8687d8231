"""Protections in Python code, found in its syntax tree: refusals, checks, answers, redactions, tiers, workflow parties."""

import ast
import re
from collections.abc import Collection, Iterator

from proof.mutation.mutants import Edit, Mutant

# A form that is refused protects nobody but its sender; shapes of input have property tests of their own.
NOT_PROTECTION = frozenset({"ValidationProblem"})
CHECK = re.compile(r"^_?check_")
ANSWER = re.compile(r"^_?may(_|$)")
REDACTING = re.compile(r"^_?(redacted|masked)")
# Who sees a field, by the names that declarations carry; SHOWN is for everybody with a key.
TIERS = frozenset({"DETAIL", "CONTACT", "POSTED_BY", "INTERNAL", "OPENED"})
FACTORIES = frozenset({"as_error"})


def refusals(trees: Collection[ast.Module]) -> frozenset[str]:
    """Names of all exceptions that the service declares, and of functions that make one."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known = {"Exception", "ValueError", "RuntimeError"}
    while more := {name for name, above in bases.items() if above & known} - known:
        known |= more
    return frozenset(known & set(bases)) - NOT_PROTECTION | FACTORIES


class Finder(ast.NodeVisitor):
    """Collects the mutants of one file."""

    def __init__(self, path: str, source: bytes, refusing: frozenset[str]) -> None:
        self.path, self.source, self.refusing = path, source, refusing
        self.found: list[Mutant] = []
        self._inside: list[str] = []
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def _add(self, kind: str, label: str, node: ast.expr | ast.stmt, replacement: str) -> None:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._lines[node.lineno - 1] + node.col_offset
        end = self._lines[node.end_lineno - 1] + node.end_col_offset
        where = ".".join(self._inside) or "module"
        text = replacement.replace("…", self.source[start:end].decode())
        self.found.append(Mutant(f"{kind}:{self.path}:{where}:{label}", Edit(self.path, start, end, text.encode())))

    def _enter(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self._inside.append(node.name)
        self.generic_visit(node)
        self._inside.pop()

    visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = _enter

    def visit_If(self, node: ast.If) -> None:
        """A condition before a refusal becomes false; of an alternative, each part by itself."""
        refusal = _raised(node.body[-1])
        if refusal in self.refusing:
            self._add("guard", refusal, node.test, "(…) and False")
            if isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.Or):
                for number, operand in enumerate(node.test.values, 1):
                    self._add("operand", f"{refusal}.{number}", operand, "((…) and False)")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A call of a check, made for its refusal alone, is left out."""
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        name = _called(call)
        if CHECK.match(name):
            self._add("call", name, node, "pass")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        """Who may is everybody, and everybody is as near as the owner."""
        if self._inside and self._inside[-1] == "tier_of" and node.value is not None:
            given = ast.unparse(node.value)
            if given != "Tier.OWNER":
                self._add("tier", given, node.value, "Tier.OWNER")
        if self._inside and ANSWER.match(self._inside[-1]) and node.value is not None and not _is_true(node.value):
            self._add("answer", self._inside[-1], node.value, "bool(…) or True")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """What would be redacted is given as it is; a step of a workflow is open to everybody."""
        name = _called(node)
        if REDACTING.match(name) and node.args:
            whole = ast.get_source_segment(self.source.decode(), node.args[-1]) or ""
            self._add("redaction", name, node, whole)
        if name == "redact" and len(node.args) == 2:
            whole = ast.get_source_segment(self.source.decode(), node.args[0]) or ""
            self._add("redaction", name, node, whole)
        if name == "step" and self.path.endswith("tables.py") and len(node.args) > 3:
            action, sources, target = (str(ast.literal_eval(part)) for part in node.args[:3])
            self._add("party", f"{action} {sources} to {target}", node.args[3], "(OWNER, *Role)")
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        """A field that a redacting function empties is left filled."""
        if self._inside and REDACTING.match(self._inside[-1]):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and _is_none(value):
                    self._add("redaction", str(key.value), key, "'-'")
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """A field with a tier is shown to everybody."""
        for part in ast.walk(node.annotation):
            if isinstance(part, ast.Name) and part.id in TIERS:
                self._add("tier", f"{ast.unparse(node.target)} {part.id}", part, "type(…)(type(….tier)(0))")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """As above, where one field is emptied by itself."""
        target = node.targets[0]
        if not self._inside and isinstance(target, ast.Name) and isinstance(node.value, ast.Call):
            # A table: its rows are told apart by its name.
            self._inside.append(target.id)
            self.generic_visit(node)
            self._inside.pop()
            return
        redacting = bool(self._inside) and REDACTING.match(self._inside[-1]) is not None
        if redacting and _is_none(node.value) and isinstance(target, ast.Subscript):
            self._add("redaction", ast.unparse(target.slice).strip("'"), node, "pass")
        self.generic_visit(node)


def _raised(statement: ast.stmt) -> str:
    if not isinstance(statement, ast.Raise) or statement.exc is None:
        return ""
    return _called(statement.exc) or (statement.exc.id if isinstance(statement.exc, ast.Name) else "")


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def find(files: Collection[tuple[str, bytes]]) -> Iterator[Mutant]:
    """The mutants of all files, in their order."""
    trees = [(path, source, ast.parse(source)) for path, source in files]
    refusing = refusals([tree for _, _, tree in trees])
    for path, source, tree in trees:
        finder = Finder(path, source, refusing)
        finder.visit(tree)
        yield from finder.found
