"""What a view's select says: which tables it reads, which columns it returns, which of the columns it names do not exist."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import Dialect, TokenType, exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.tokenizer_core import Token

from project.problems import quoted

_POSTGRES = Dialect.get_or_raise("postgres")
# Every table has these; `user` is a function without parentheses.
_ALWAYS_THERE = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "user"})
_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into)


class SelectError(Exception):
    """The text is not one select; `line` counts in the file."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class TableRead:
    name: str
    schema: str | None  # None: not qualified
    line: int


@dataclass(frozen=True)
class Output:
    """A column that a select returns."""

    name: str  # "" if it has none of its own
    line: int
    is_star: bool


@dataclass(frozen=True)
class UnknownColumn:
    name: str
    line: int
    known: tuple[str, ...]  # the columns that it could have meant


@dataclass(frozen=True)
class Select:
    """One parsed select; names are folded as PostgreSQL folds them."""

    sql: str  # as written, without what stands after its last word
    line: int
    tree: exp.Query

    @property
    def tables(self) -> tuple[TableRead, ...]:
        """The tables and views it reads, in the order of their first use; common table expressions are not among them."""
        found: dict[tuple[str | None, str], TableRead] = {}
        for scope in traverse_scope(self.tree):
            for source in scope.sources.values():
                if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
                    found.setdefault((source.db, source.name), TableRead(source.name, source.db or None, _line(source)))
        return tuple(sorted(found.values(), key=lambda table: table.line))

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The columns it returns, in order."""
        return tuple(Output(_output_name(column), _line(column), column.is_star) for column in self.tree.selects)

    def unknown_columns(self, tables: Mapping[str, Collection[str]]) -> Iterator[UnknownColumn]:
        """Columns that no table in reach has; `tables` gives the columns of those that are known."""
        scopes = {id(scope.expression): scope for scope in traverse_scope(self.tree)}
        for column in self.tree.find_all(exp.Column):
            scope = scopes.get(id(column.find_ancestor(exp.Select)))
            if scope is None or isinstance(column.this, exp.Star) or column.name in _ALWAYS_THERE:
                continue
            known = _columns_in_reach(column, scope, tables)
            if known is not None and column.name not in known:
                yield UnknownColumn(f"{column.table}.{column.name}".lstrip("."), _line(column), known)


def read_select(text: str) -> Select:
    """Parse the select of a view file; SelectError says what is wrong and on which line."""
    try:
        tokens = _POSTGRES.tokenize(text)
    except SqlglotError:
        line = text.count("\n") + 1
        raise SelectError(line, "a quote or comment is never closed; expected one select; close it") from None
    tokens = _one_statement(tokens)
    try:
        tree = _POSTGRES.parser().parse(tokens, text)[0]
        _refuse_all_but_select(tree, tokens[0].line)
        assert isinstance(tree, exp.Query)
        normalize_identifiers(tree, dialect=_POSTGRES)
        traverse_scope(tree)
    except ParseError as error:
        raise _parse_error(error, tokens[0].line) from None
    except SqlglotError as error:
        raise SelectError(tokens[0].line, f"cannot be understood: {quoted(error, 200)}; expected one select; correct it") from None
    except RecursionError:
        raise SelectError(tokens[0].line, "nested too deeply; expected a select that people can read; split it into views") from None
    start = min([tokens[0].start, text.find("--") if "--" in text[: tokens[0].start] else tokens[0].start])
    return Select(text[start : tokens[-1].end + 1], text.count("\n", 0, start) + 1, tree)


def _one_statement(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens = tokens[:-1]
    if not tokens:
        raise SelectError(1, "there is no select after the header; expected one; write it")
    for position, token in enumerate(tokens):
        if token.token_type is TokenType.SEMICOLON:
            raise SelectError(tokens[position + 1].line, "a second statement; expected one select; remove it or make it a view of its own")
    first = tokens[0]
    if first.token_type not in (TokenType.SELECT, TokenType.WITH):
        raise SelectError(first.line, f'the statement begins with {quoted(first.text)}; expected "select" or "with"; write one select')
    return tokens


def _refuse_all_but_select(tree: exp.Expr | None, line: int) -> None:
    if not isinstance(tree, (exp.Select, exp.SetOperation)):
        raise SelectError(line, "this is not a select; expected one; write what the view shows")
    if change := tree.find(*_CHANGES):
        raise SelectError(_line(change) or line, f'"{change.key}" changes data; expected one select; remove it')


def _parse_error(error: ParseError, line: int) -> SelectError:
    first = error.errors[0] if error.errors else {}
    near = str(first.get("highlight") or "")
    what = f"near {quoted(near)}" if near else "at its end"
    return SelectError(
        first.get("line") or line, f"the select cannot be parsed {what}; expected PostgreSQL's syntax; correct it here or just before"
    )


def _output_name(column: exp.Expr) -> str:
    # PostgreSQL names a cast column by its column, and invents names for all other expressions.
    while isinstance(column, (exp.Cast, exp.Paren)):
        column = column.this
    return column.alias_or_name if isinstance(column, (exp.Alias, exp.Column)) else ""


def _columns_in_reach(column: exp.Column, scope: Scope | None, tables: Mapping[str, Collection[str]]) -> tuple[str, ...] | None:
    """The names that this column could have; None if they cannot all be known."""
    reach: dict[str, None] = {}
    if not column.table and not isinstance(column.find_ancestor(exp.Order, exp.Group, exp.Distinct, exp.Select), exp.Select):
        reach.update(dict.fromkeys(column.find_ancestor(exp.Select).named_selects))  # type: ignore[union-attr]
    while scope is not None:
        for alias, source in scope.sources.items():
            if column.table and column.table != alias:
                continue
            found = _columns_of(source, tables)
            if found is None or column.name == alias:  # `t` alone is the whole row
                return None
            reach.update(dict.fromkeys(found))
        scope = scope.parent
    return tuple(reach)


def _columns_of(source: exp.Expr | Scope, tables: Mapping[str, Collection[str]]) -> Collection[str] | None:
    if isinstance(source, exp.Table):
        return None if source.args.get("joins") or source.alias_column_names else tables.get(source.name)
    inner = source.expression if isinstance(source, Scope) else source
    renames = inner.parent and inner.parent.args.get("alias")
    if not isinstance(inner, exp.Query) or inner.is_star or (renames and renames.columns):
        return None
    return inner.named_selects


def _line(node: exp.Expr) -> int:
    """The line of the first identifier in a node, 0 if it has none."""
    lines = (part.meta["line"] for part in node.walk(bfs=False) if "line" in part.meta)
    return next(lines, 0)
