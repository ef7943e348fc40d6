"""The code of notebook cells, read and not run: what a cell binds and reads, and how an exercise is
put together.
"""

import ast
import re
import symtable
from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """The names that a cell binds or changes, and those that it reads."""

    bound: set[str]
    read: set[str]


def names(source: str) -> Names:
    """The names of a cell; lines for the shell are passed over."""
    source = re.sub(r"^([ \t]*)[%!].*", r"\1pass", source, flags=re.MULTILINE)
    top = symtable.symtable(source, "a cell", "exec")
    bound = {one.get_name() for one in top.get_symbols() if one.is_assigned() or one.is_imported()}
    for node in ast.walk(ast.parse(source)):  # table["x"] = 1 changes what is called table
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            bound |= {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
    return Names(bound, _read(top))


def _read(table: symtable.SymbolTable) -> set[str]:
    outer = table.get_type() == "module"
    own = {one.get_name() for one in table.get_symbols() if one.is_referenced()}
    if not outer:
        own = {name for name in own if table.lookup(name).is_global()}
    return own.union(*map(_read, table.get_children()))


@dataclass(frozen=True)
class Exercise:
    """A cell to fill in, which ends with the call of its check."""

    source: str

    def __post_init__(self) -> None:
        last = ast.parse(self.source).body[-1]
        if not (isinstance(last, ast.Expr) and is_check(last.value)):
            raise ValueError(
                f"An exercise must end with the call of its check, not '{self.source[-60:]}'."
            )

    @property
    def lines(self) -> str:
        """All but the call of the check."""
        last = ast.parse(self.source).body[-1]
        return "\n".join(self.source.splitlines()[: last.lineno - 1]).rstrip()

    @property
    def call(self) -> ast.Call:
        """The call of the check, without ``mine``."""
        last = ast.parse(self.source).body[-1]
        assert isinstance(last, ast.Expr) and isinstance(last.value, ast.Call)
        keywords = [keyword for keyword in last.value.keywords if keyword.arg != "mine"]
        return ast.Call(last.value.func, last.value.args, keywords)

    @property
    def name(self) -> str:
        """The name of the check."""
        return ast.unparse(self.call.func).removeprefix("exercises.")

    @property
    def blanks(self) -> set[str]:
        """The names that a learner gives a value: bound to a constant, or defined."""
        found = set()
        for node in ast.parse(self.lines).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                found |= {to.id for to in node.targets if isinstance(to, ast.Name)}
        return found


def is_check(node: ast.AST) -> bool:
    """Whether an expression is ``exercises.SOMETHING(...)``."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("exercises.")


def not_mine(call: ast.Call) -> ast.Call:
    """The call of a check whose pass is not noted as the learner's own."""
    return ast.Call(
        call.func, call.args, [*call.keywords, ast.keyword("mine", ast.Constant(False))]
    )
