"""What is wrong with a dashboard that only the rest of the project can tell."""

from typing import Any

from project.dashboard_checks import check_dashboards
from project.models import Project

VIEW = {
    "name": "sales", "title": "Sales", "description": "", "sql": "", "time_column": "day",
    "columns": {"day": {"description": "Day"}, "title": {"description": "Title"}},
    "metrics": {"revenue": {"expression": "sum(total)", "label": "Revenue", "description": ""}},
}  # fmt: skip
TABLE = {"chart": "one", "type": "table", "title": "Table", "view": "sales", "columns": ["title"], "description": "", "width": 6}
LINE = {"chart": "one", "type": "line", "title": "Line", "view": "sales", "metrics": ["revenue"], "description": "", "width": 6}
STOCK = {"name": "stock", "title": "Stock", "description": "", "sql": "", "columns": {"shelf": {"description": "Shelf"}}}
PIE = {"type": "pie", "title": "Pie", "view": "sales", "metric": "revenue", "dimension": "title", "description": "", "width": 6}


def problems(*items: dict[str, Any], filters: tuple[dict[str, Any], ...] = ()) -> list[str]:
    dashboard = {"name": "board", "title": "Board", "description": "", "filters": filters, "rows": [{"height": 20, "items": items}]}
    project = Project.model_validate(
        {
            "name": "shop", "title": "Shop", "owner": "us", "schema": "shop", "sources": {}, "streams": {},
            "views": {"sales": VIEW, "stock": STOCK}, "dashboards": {"board": dashboard},
        }
    )  # fmt: skip
    return [problem.message for problem in check_dashboards(project)]


def test_a_good_dashboard_has_no_problem():
    assert problems(PIE | {"chart": "one"}, {"markdown": "Hello", "width": 6}) == []


def test_a_row_wider_than_the_grid():
    assert problems(PIE | {"chart": "one"}, PIE | {"chart": "two", "width": 7}) == [
        "the items of this row are 13 wide; expected at most 12; make them narrower or begin a new row"
    ]


def test_two_charts_of_one_name():
    [message] = problems(PIE | {"chart": "one"}, PIE | {"chart": "one"})
    assert message.startswith('chart "one" again, first at ')
    assert message.endswith("expected each name once; rename one")


def test_filters_that_are_one_in_links():
    named = ({"name": "Sale day", "type": "time_range"}, {"name": "Sale-day", "type": "time_range"})
    assert problems(PIE | {"chart": "one"}, filters=named) == [
        'filter "Sale-day" is sale-day in links, as "Sale day" is; expected names that differ in letters or digits; rename one'
    ]
    greek = ({"name": "Ημέρα", "type": "time_range"}, {"name": "Μήνας", "type": "time_range"})
    assert problems(PIE | {"chart": "one"}, filters=greek) == []


def test_more_charts_than_draw_quickly():
    charts = [PIE | {"chart": f"chart_{number}", "width": 1} for number in range(11)]
    assert problems(*charts) == ["11 charts; expected at most 10, as more draw slowly; move some to another dashboard"]


def test_an_unknown_column_is_named_with_its_nearest():
    assert problems(PIE | {"chart": "one", "dimension": "titel"}) == [
        '"titel" is no column of sales; expected one of day, title; did you mean "title"?'
    ]


def test_a_sort_by_an_unknown_column():
    assert problems(TABLE | {"sort": "-price"}) == ['"price" is no column of sales; expected one of day, title; correct the name']


def test_a_line_that_does_not_run_over_time():
    assert problems(LINE | {"x": "title"}) == [
        '"title" is not the time column of sales, it is day; expected a line over time; set x or time_column'
    ]


def test_a_filter_on_an_unknown_column():
    assert problems(PIE | {"chart": "one"}, filters=({"name": "Shelf", "type": "select", "view": "stock", "column": "self"},)) == [
        '"self" is no column of stock; expected one of shelf; did you mean "shelf"?'
    ]


def test_a_filter_that_acts_on_nothing():
    assert problems(PIE | {"chart": "one"}, filters=({"name": "Shelf", "type": "select", "view": "stock", "column": "shelf"},)) == [
        'filter "Shelf" acts on no chart; expected a filtered chart whose view has a column "shelf"; remove it'
    ]


def test_a_time_filter_over_numbers_of_all_time():
    assert problems(PIE | {"chart": "one", "filtered": False}, filters=({"name": "Day", "type": "time_range"},)) == [
        'filter "Day" acts on no chart; expected a filtered chart whose view has a time_column; remove it'
    ]
