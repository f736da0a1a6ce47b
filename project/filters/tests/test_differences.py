"""What a change of filters means is said in words."""

from project.filters.differences import differences
from project.filters.models import Filter

LOANS = {
    "id": "loans", "name": "Loans", "consumerId": "desk", "outputTopic": "loans", "enabled": True,
    "conditions": [{"field": "eventName", "operator": "equals", "value": "LoanCreated"}],
}  # fmt: skip


def read(**changes: object) -> dict[str, Filter]:
    return {"loans": Filter.model_validate({**LOANS, **changes})}


def test_what_begins_and_what_ends_is_told_with_whom_it_reaches():
    who = "consumer desk and whoever else reads loans"
    begins = f"filter loans, version 1, begins: {who} get what meets all of (eventName equals 'LoanCreated')"
    assert list(differences({}, read())) == [begins]
    assert list(differences(read(), {})) == [f"filter loans ends: {who} get no more of its events"]
    assert list(differences(read(), read(samples=[], description="Told otherwise."))) == []


def test_a_change_is_told_condition_by_condition():
    large = {"field": "amount", "operator": "greaterThan", "value": 5}
    any_of = {"any": [large, {"not": {"field": "at", "operator": "between", "min": "09:00", "max": "17:00", "valueType": "timeOfDay",
                                      "timeZone": "Europe/Berlin"}}]}  # fmt: skip
    [said] = differences(read(), read(version=2, conditions=[large, any_of], consumerId="risk"))
    assert said == (
        "filter loans changes for consumer risk and whoever else reads loans: consumer desk → risk; version 1 → 2; no longer asks "
        "eventName equals 'LoanCreated'; now asks amount greaterThan 5; now asks any of (amount greaterThan 5, not (at between '09:00' and "
        "'17:00' as timeOfDay in Europe/Berlin))"
    )
    [said] = differences(read(), read(conditions=[large]))
    assert said.endswith("; now asks amount greaterThan 5")


def test_of_which_elements_something_is_asked_is_told():
    loan = {"field": "entities[*].entityType", "operator": "equals", "value": "Loan"}
    inside = {"over": "entities", "quantifier": "all", "all": [{"field": "entityType", "operator": "isNotNull"}]}
    [said] = differences(read(conditions=[loan]), read(conditions=[{**loan, "quantifier": "all"}, inside]))
    assert said.endswith(
        ": no longer asks entities[*].entityType equals 'Loan' in any element; now asks entities[*].entityType equals 'Loan' in every "
        "element; now asks all of (entityType isNotNull) in every element of entities"
    )


def test_topics_with_conditions_of_their_own_are_told_apart():
    def to(value: int) -> dict[str, Filter]:
        outputs = [{"topic": "large", "condition": {"field": "amount", "operator": "greaterThan", "value": value}}]
        return read(outputTopic=None, outputTopics=outputs, version=value)

    [said] = differences(to(5), to(6))
    assert "topic large: amount greaterThan 5 → amount greaterThan 6" in said
