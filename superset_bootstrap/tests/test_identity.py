"""Who owns what in Superset."""

from superset_bootstrap.identity import mark_of, marked_id, uuid_of


def test_a_uuid_never_changes():
    assert uuid_of("bookstore", "chart/sales.revenue") == "1ffab178-60bc-598c-ad20-db0dd2ef6532"


def test_equal_names_of_two_projects_are_two_things():
    assert uuid_of("bookstore", "chart/sales.revenue") != uuid_of("flights", "chart/sales.revenue")


def test_what_we_marked_is_ours():
    mark, uuid = mark_of("bookstore", "chart/sales.revenue"), uuid_of("bookstore", "chart/sales.revenue")
    assert marked_id("bookstore", mark, uuid) == "chart/sales.revenue"


def test_a_copy_that_somebody_made_of_our_chart_is_not_ours():
    mark = mark_of("bookstore", "chart/sales.revenue")
    assert marked_id("bookstore", mark, "11111111-1111-1111-1111-111111111111") is None


def test_another_projects_chart_is_not_ours():
    mark, uuid = mark_of("flights", "chart/sales.revenue"), uuid_of("flights", "chart/sales.revenue")
    assert marked_id("bookstore", mark, uuid) is None


def test_what_carries_no_mark_is_not_ours():
    assert marked_id("bookstore", None, uuid_of("bookstore", "chart/sales.revenue")) is None
