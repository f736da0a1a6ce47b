"""What a view's select says: which tables it reads, which columns it returns, which of the columns it names do not exist."""

import re
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
class UnknownName:
    """A column, or the alias before one, that nothing in the from clauses has."""

    kind: str  # column, alias
    name: str
    line: int
    known: tuple[str, ...]  # what it could have been


@dataclass(frozen=True)
class Select:
    """One parsed select; names are folded as PostgreSQL folds them."""

    sql: str  # as written, without what stands after its last word
    line: int
    tree: exp.Query
    tables: tuple[TableRead, ...]  # by line; common table expressions are not among them
    outputs: tuple[Output, ...]  # the columns it returns, in order

    def unknown_names(self, tables: Mapping[str, Collection[str]]) -> Iterator[UnknownName]:
        """Columns that no table in reach has; `tables` gives the columns of those that are known."""
        scopes = {id(scope.expression): scope for scope in traverse_scope(self.tree)}
        for column in self.tree.find_all(exp.Column):
            scope = scopes.get(id(column.find_ancestor(exp.Select)))
            if scope is None or isinstance(column.this, exp.Star) or column.name in _ALWAYS_THERE:
                continue
            sources = _sources_in_reach(scope)
            if column.table and column.table not in sources:
                yield UnknownName("alias", column.table, _line(column), tuple(sources))
                continue
            known = _columns_in_reach(column, sources, tables)
            if known is not None and column.name not in known:
                yield UnknownName("column", column.name, _line(column), known)


def read_select(text: str) -> Select:
    """Parse the select of a view file; SelectError says what is wrong and on which line."""
    try:
        tokens = _POSTGRES.tokenize(text)
    except SqlglotError as error:
        raise SelectError(_unclosed_line(text, error), "a quote or comment is never closed; expected its end; close it") from None
    tokens = _one_statement(tokens)
    first = tokens[0].line
    try:
        tree = _query(_POSTGRES.parser().parse(tokens, text)[0], first)
        found = _tables(tree), _outputs(tree)
    except ParseError as error:
        raise _parse_error(error, first) from None
    except RecursionError:
        raise SelectError(first, "nested too deeply; expected a select that people can read; split it into views") from None
    except (SqlglotError, AttributeError, TypeError, ValueError, LookupError):  # sqlglot trips over some malformed texts
        raise SelectError(first, "the select cannot be parsed; expected PostgreSQL's syntax; correct it") from None
    start = len(text) - len(text.lstrip())  # comments before the select stay with it
    return Select(text[start : tokens[-1].end + 1], text.count("\n", 0, start) + 1, tree, *found)


def _unclosed_line(text: str, error: SqlglotError) -> int:
    # The tokenizer says only in the text of the cause where the quote began.
    begin = re.search(r"from \d+:(\d+)", str(error.__cause__))
    return text.count("\n", 0, int(begin[1]) if begin else text.rfind("/*")) + 1


def _one_statement(tokens: list[Token]) -> list[Token]:
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens = tokens[:-1]
    if not tokens:
        raise SelectError(1, "there is no select; expected one; write it")
    for position, token in enumerate(tokens):
        if token.token_type is TokenType.SEMICOLON:
            raise SelectError(tokens[position + 1].line, "a second statement; expected one select; remove it or make it a view of its own")
    first = tokens[0]
    if first.token_type not in (TokenType.SELECT, TokenType.WITH):
        raise SelectError(first.line, f'the statement begins with {quoted(first.text)}; expected "select" or "with"; write one select')
    return tokens


def _query(tree: exp.Expr | None, line: int) -> exp.Query:
    """The tree with its names folded, if it reads and does nothing else."""
    if not isinstance(tree, (exp.Select, exp.SetOperation)):
        raise SelectError(line, "this is not a select; expected one; write what the view shows")
    if change := tree.find(*_CHANGES):
        raise SelectError(_line(change) or line, f'"{change.key}" changes data; expected one select; remove it')
    return normalize_identifiers(tree, dialect=_POSTGRES)


def _tables(tree: exp.Query) -> tuple[TableRead, ...]:
    found: dict[tuple[str, str], TableRead] = {}
    for scope in traverse_scope(tree):
        for source in scope.sources.values():
            if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
                found.setdefault((source.db, source.name), TableRead(source.name, source.db or None, _line(source)))
    return tuple(sorted(found.values(), key=lambda table: table.line))


def _outputs(tree: exp.Query) -> tuple[Output, ...]:
    return tuple(Output(_output_name(column), _line(column), column.is_star) for column in tree.selects)


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


def _sources_in_reach(scope: Scope) -> dict[str, exp.Expr | Scope]:
    """What the from clauses name, the nearest first."""
    sources: dict[str, exp.Expr | Scope] = {}
    inner: Scope | None = scope
    while inner is not None:
        sources = {**inner.sources, **sources}
        inner = None if inner.is_cte or inner.is_derived_table else inner.parent
    return sources


def _columns_in_reach(
    column: exp.Column, sources: Mapping[str, exp.Expr | Scope], tables: Mapping[str, Collection[str]]
) -> tuple[str, ...] | None:
    """The names that this column could have; None if they cannot all be known."""
    reach: dict[str, None] = {}
    clause = column.find_ancestor(exp.Order, exp.Group, exp.Distinct, exp.Select)
    select = column.find_ancestor(exp.Select)
    if not column.table and select and clause is not select:  # These clauses may name what the select returns.
        reach.update(dict.fromkeys(select.named_selects))
    for alias, source in sources.items():
        if column.table and column.table != alias:
            continue
        found = _columns_of(source, tables)
        if found is None or column.name == alias:  # `t` alone is the whole row.
            return None
        reach.update(dict.fromkeys(found))
    return tuple(reach)


def _columns_of(source: exp.Expr | Scope, tables: Mapping[str, Collection[str]]) -> Collection[str] | None:
    if isinstance(source, exp.Table):
        return None if source.args.get("joins") or source.alias_column_names else tables.get(source.name)
    inner = source.expression if isinstance(source, Scope) else source
    holder = inner.parent
    while isinstance(holder, exp.SetOperation):  # A recursive table's own name stands for its first select.
        holder = holder.parent
    renames = holder and holder.args.get("alias")
    if not isinstance(inner, exp.Query) or inner.is_star or (renames and renames.columns):
        return None
    return inner.named_selects


def _line(node: exp.Expr) -> int:
    """The line of the first identifier in a node, 0 if it has none."""
    lines = (part.meta["line"] for part in node.walk(bfs=False) if "line" in part.meta)
    return next(lines, 0)
