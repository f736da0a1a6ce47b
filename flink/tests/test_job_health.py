"""What an operator is told about a stream's job."""

from dataclasses import replace

import pytest

from flink.cluster import RECORD, Checkpoints, Failure, Job, Report, failed_on, writes_since
from flink.health import explain, judge_copies, judge_job
from flink.rest import last_cause
from project.resources import State

NOW = 1_000_000_000


def report(
    state: str = "RUNNING", running: int = 4, checkpoint_age: int | None = 2, failed_ago: int | None = None, cause: str = "boom"
) -> Report:
    job = Job(NOW - 3_600_000, "b9e1", "bookstore.ecom@0123456789ab", state, 4, running, NOW - 3_500_000)
    failures = () if failed_ago is None else (Failure(NOW - failed_ago * 1000, cause),)
    return Report(job, Checkpoints(0, None if checkpoint_age is None else NOW - checkpoint_age * 1000), failures, 3)


@pytest.mark.parametrize(
    ("found", "state", "says"),
    [
        (report(), State.PASSED, "runs; its last checkpoint is 2 s old"),
        (report("RESTARTING", 0, 400, 5), State.FAILED, "is RESTARTING with 0 of 4 tasks running. Cause: boom."),
        (report("RUNNING", 3), State.FAILED, "3 of 4 tasks running. Flink reports no failure"),
        (report(checkpoint_age=45), State.FAILED, "no checkpoint for 45 s"),
        (report(checkpoint_age=None), State.FAILED, "no checkpoint for 3600 s"),
        (report(failed_ago=10), State.WARNING, "failed 10 s ago and runs again. Cause: boom."),
        (report(checkpoint_age=12, failed_ago=10), State.WARNING, "failed 10 s ago and runs again. Cause: boom."),
        (report(checkpoint_age=31, failed_ago=1), State.FAILED, "runs, but has completed no checkpoint for 31 s. Cause: boom."),
        (report(failed_ago=600), State.PASSED, "runs"),
    ],
)
def test_health_says_what_is_wrong(found: Report, state: State, says: str):
    health = judge_job("job/ecom", found, NOW)
    assert health.state is state
    assert says in health.text


@pytest.mark.parametrize(("ago", "told"), [(30, "violates check"), (300, "no TaskManager")])
def test_a_lost_taskmanager_is_told_with_what_ended_it_just_before(ago: int, told: str):
    found = report("RESTARTING", 0)
    failures = (Failure(NOW, "no TaskManager"), Failure(NOW - 1, "Could not acquire a slot"), Failure(NOW - ago * 1000, "violates check"))
    assert f"Cause: {told}." in judge_job("job/ecom", replace(found, failures=failures), NOW).text


def test_a_lost_job_and_a_second_copy_are_told():
    assert judge_copies("job/ecom", 0).state is State.FAILED
    assert judge_copies("job/ecom", 2).state is State.WARNING


TRACE = (
    "java.io.IOException: Failed to deserialize consumer record due to\n"
    "\tat org.apache.flink.connector.kafka.source.reader.KafkaRecordEmitter.emitRecord(KafkaRecordEmitter.java:56)\n"
    'Caused by: java.io.IOException: Failed to deserialize JSON \'{"before":null,"after":null,"source":{"schema":"public",'
    '"table":"orders","txId":836,"lsn":29401528},"op":"t"}\'.\n'
    "\tat org.apache.flink.formats.json.JsonParserRowDataDeserializationSchema.deserialize(JsonParserRowDataDeserializationSchema.java)\n"
    "Caused by: org.apache.flink.table.runtime.operators.sink.constraint.EnforcerException: Column 'id' is NOT NULL, however, a null value "
    "is being written into it. You can set job configuration 'table.exec.sink.not-null-enforcer'='DROP' to suppress this exception and "
    "drop such records silently.\n"
    "\tat org.apache.flink.table.runtime.operators.sink.constraint.NotNullConstraint.enforce(NotNullConstraint.java:48)\n"
)
TRUNCATED = last_cause(TRACE) + failed_on(TRACE)


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (
            TRUNCATED,
            "Cause: Column 'id' is NOT NULL, however, a null value is being written into it, in the change of public.orders at position "
            "29401528, transaction 836. "
            "A record is no change of a row, as when its table was truncated at its source, which a mirror cannot repeat: it is set aside "
            "within a minute; then run `headrace dead-letters replay all`, or `headrace reread` for the source.",
        ),
        (
            'ERROR: null value in column "total" violates not-null constraint Detail: Failing row contains (7, secret).',
            'Cause: ERROR: null value in column "total" violates not-null constraint. '
            "The analytics table refuses a row, which is set aside within a minute: make the table take what its source takes, then run "
            "`headrace dead-letters replay all`.",
        ),
        (
            "Connection to 127.0.0.1:15433 refused. Check that the hostname and port are correct.",
            "Cause: Connection to 127.0.0.1:15433 refused. Check that the hostname and port are correct. "
            "Start the analytics database; the job then goes on by itself.",
        ),
        (
            "The TaskExecutor is shutting down.",
            "Cause: The TaskExecutor is shutting down. Start a TaskManager; the job then goes on by itself.",
        ),
    ],
)
def test_a_cause_is_told_without_values_and_with_the_way_out(cause: str, told: str):
    assert explain(cause) == told


@pytest.mark.parametrize("record", ["[" * 5000, "{not json", '{"op": "x"}', "[1]"])
def test_a_record_that_is_no_change_has_no_position(record: str):
    assert explain(f"broken{RECORD}'{record}'.").startswith("Cause: broken. ")


def test_a_record_is_not_blamed_for_rows_that_were_being_written():
    assert failed_on(TRACE.replace("consumer record due to", "consumer record\nCaused by: Writing records to JDBC failed.")) == ""
    assert failed_on("java.lang.OutOfMemoryError: Java heap space") == ""


def test_what_a_job_wrote_before_its_newest_failure_is_no_work_of_the_one_that_runs():
    well, failed = report(), report(failed_ago=10)
    assert writes_since(well.job, well.failures) == NOW - 3_500_000
    assert writes_since(failed.job, failed.failures) == NOW - 10_000
