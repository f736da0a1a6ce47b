"""What counts as different: only what we declare."""

from orchestration.applying import change_as_json
from orchestration.reconcile import Action, Change, differences
from project.resources import Difference, Resource


def test_equal_documents_have_no_difference():
    assert list(differences({"a": 1, "b": {"c": [1, 2]}}, {"a": 1, "b": {"c": [1, 2]}})) == []


def test_what_only_the_live_object_has_is_not_ours():
    assert list(differences({"a": 1}, {"a": 1, "added by hand": 2})) == []


def test_a_changed_leaf_is_named_by_its_path():
    assert list(differences({"a": {"b": 1}}, {"a": {"b": 2}})) == [Difference("a.b", 1, 2)]


def test_a_missing_field_is_observed_as_none():
    assert list(differences({"a": 1}, {})) == [Difference("a", 1, None)]


def test_lists_are_compared_as_a_whole():
    assert list(differences({"a": [1, 2]}, {"a": [2, 1]})) == [Difference("a", [1, 2], [2, 1])]


def test_a_declared_none_is_met_by_an_absent_field():
    assert list(differences({"a": None}, {})) == []


def test_a_scalar_in_place_of_a_mapping_is_one_difference():
    assert list(differences({"a": {"b": 1}}, {"a": "x"})) == [Difference("a", {"b": 1}, "x")]


def test_a_password_that_stands_where_a_reference_belongs_is_shown_to_nobody():
    found = Difference("config.database.password", "${file:/etc/connect.properties:capture}", "swordfish")
    change = Change(Resource("connect", "connector", "shop", {}), Action.RESTART, (found,))
    assert "swordfish" not in f"{change} {change_as_json(change)}"
