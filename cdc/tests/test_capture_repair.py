"""Only what differs is changed: a table that is as it should be is not locked."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from cdc.capture import capture, comment, missed, statements
from cdc.prerequisites import missing, read_as
from project.environment import Environment
from project.models import Project

MARK = comment("bookstore", "ecom", "0123456789ab")


@pytest.fixture
def desired(bookstore: Project, environment: Environment) -> dict[str, Any]:
    return capture(bookstore, bookstore.sources["ecom"], environment.source("ecom"))


def repair(desired: dict[str, Any], alter: Callable[[dict[str, Any]], object]) -> list[str]:
    observed = copy.deepcopy(desired)
    alter(observed)
    return [statement for statement in statements(desired, observed, "ecomdb", MARK) if not statement.startswith("comment")]


def test_nothing_is_changed_where_nothing_differs(desired: dict[str, Any]):
    assert repair(desired, lambda observed: None) == []


def test_a_table_that_left_the_publication_comes_back(desired: dict[str, Any]):
    [statement] = repair(desired, lambda observed: observed["publication"]["tables"].remove("public.orders"))
    assert statement.startswith('alter publication "headrace_bookstore_ecom" set table ') and '"public"."orders"' in statement


def test_a_replica_identity_that_was_altered_is_full_again(desired: dict[str, Any]):
    altered = repair(desired, lambda observed: observed["tables"]["public.books"].update(replica_identity="default"))
    assert altered == ['alter table "public"."books" replica identity full']


def test_a_revoked_grant_is_given_again(desired: dict[str, Any]):
    granted = repair(desired, lambda observed: observed["tables"]["public.books"].update(grants=[]))
    assert granted == ['grant select on "public"."books" to "headrace_capture"']


def test_a_publication_without_truncate_gets_it_back(desired: dict[str, Any]):
    altered = repair(desired, lambda observed: observed["publication"].update(operations=["insert", "update", "delete"]))
    assert altered == ["alter publication \"headrace_bookstore_ecom\" set (publish = 'insert, update, delete, truncate')"]


def lost(desired: dict[str, Any], alter: Callable[[dict[str, Any]], object]) -> tuple[str, ...]:
    observed = copy.deepcopy(desired)
    alter(observed)
    return missed(desired, observed)


def test_only_tables_whose_changes_were_not_published_are_read_again(desired: dict[str, Any]):
    captured = ("public.books", "public.order_items", "public.orders")
    assert lost(desired, lambda observed: None) == ()
    assert lost(desired, lambda observed: observed["publication"]["tables"].remove("public.orders")) == ("public.orders",)
    assert lost(desired, lambda observed: observed["publication"]["tables"].remove("public.headrace_pulse")) == ()
    assert lost(desired, lambda observed: observed["publication"].update(operations=["insert", "update", "truncate"])) == captured


def problems(desired: dict[str, Any], alter: Callable[[dict[str, Any]], object]) -> tuple[str, ...]:
    observed = copy.deepcopy(desired) | {"slots": ["theirs"], "most_slots": 2}
    alter(observed)
    return missing(desired, observed)


def test_a_source_that_has_all_is_not_complained_about(desired: dict[str, Any]):
    assert problems(desired, lambda observed: None) == ()


def test_our_own_tables_are_not_the_users_to_create(desired: dict[str, Any]):
    assert problems(desired, lambda observed: observed["tables"].pop("public.headrace_pulse")) == ()


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (
            lambda observed: observed.update(wal_level="replica"),
            "wal_level is replica, not logical; run `alter system set wal_level = 'logical'` and restart the server, or set it among its "
            "parameters",
        ),
        (
            lambda observed: observed.update(most_slots=1),
            "all 1 replication slots are taken (theirs); run `alter system set max_replication_slots = 11` and restart the server, "
            "or drop one that nobody reads",
        ),
        (
            lambda observed: observed["role"].update(name=None, login=False, replication=False),
            'role "headrace_capture" does not exist; run `create role "headrace_capture" login replication password \'…\'`',
        ),
        (
            lambda observed: observed["role"].update(replication=False),
            'role "headrace_capture" may not log in or replicate; run `alter role "headrace_capture" login replication`, '
            'on RDS `grant rds_replication to "headrace_capture"`',
        ),
        (
            lambda observed: observed["tables"].pop("public.orders"),
            "table public.orders does not exist; correct its name in the spec or create it",
        ),
        (
            lambda observed: observed["tables"]["public.orders"]["columns"].pop("total"),
            "column public.orders.total does not exist; the table has id, user_id, status, created_at; correct the spec or add the column",
        ),
        (
            lambda observed: observed["tables"]["public.orders"]["columns"].update(total="numeric(8,2)"),
            "column public.orders.total is numeric(8,2), not numeric(10,2); correct its type in the spec",
        ),
        (
            lambda observed: observed["tables"]["public.orders"].update(key=[]),
            'table public.orders has no primary key; run `alter table "public"."orders" add primary key ("id")`',
        ),
        (
            lambda observed: observed["tables"]["public.orders"].update(key=["id", "user_id"]),
            "the primary key of public.orders is (id, user_id), not (id); correct `key` in the spec",
        ),
        (
            lambda observed: observed["tables"]["public.orders"].update(partitioned=True),
            "table public.orders is partitioned, and its changes are published under the names of its partitions; "
            "leave it out of the spec, or name its partitions there, each as a table",
        ),
    ],
)
def test_what_the_source_lacks_is_told_with_the_way_out(desired: dict[str, Any], alter: Callable[[dict[str, Any]], object], told: str):
    assert problems(desired, alter) == (told,)


@pytest.mark.parametrize(
    ("declared", "actual", "read"),
    [
        ("text", "character varying(20)", "text"),
        ("text", "enum", "text"),
        ("text", "uuid", "text"),
        ("bigint", "integer", "bigint"),
        ("integer", "bigint", "bigint"),
        ("timestamptz", "timestamp with time zone", "timestamptz"),
        ("timestamp", "timestamp with time zone", "timestamptz"),
        ("numeric(10,2)", "numeric(10,2)", "numeric(10,2)"),
        ("text", "jsonb", "jsonb"),
    ],
)
def test_a_wider_declaration_can_read_a_narrower_column(declared: str, actual: str, read: str):
    assert read_as(declared, actual) == read
