"""How a job is, judged from what Flink reports. Its state alone is not enough: endless restarts look alive."""

import json
import re

from flink.cluster import RECORD, Failure, Report
from project.resources import Health, State

# Milliseconds without a completed checkpoint: fifteen intervals. Who fails again and again runs for moments, but never completes one.
_STALE = 30_000
_RECENT = 60_000  # milliseconds for which a failure shows after the job has recovered
_TOGETHER = 120_000  # milliseconds within which failures belong together


def judge_copies(job_id: str, copies: int) -> Health:
    """Health of a stream that has no job, or several."""
    if copies:
        return Health(State.WARNING, f"{job_id} runs {copies} times; apply it, and one copy stays", {"jobs": copies})
    return Health(State.FAILED, f"{job_id} does not run, so its tables stand still; apply it: it goes on where it stood", {"jobs": 0})


def judge_job(job_id: str, report: Report, now: int) -> Health:
    """Health of a stream's one job; `now` in milliseconds since 1970."""
    job, failures = report.job, report.failures
    last = report.checkpoints.last_completed_at
    age = now - (job.started_at if last is None else last)
    facts = {
        "job": job.id, "digest": job.digest, "state": job.state, "tasks": job.tasks, "tasks_running": job.running_tasks,
        "restarts": report.restarts, "seconds_since_checkpoint": age // 1000, "checkpoints_failed": report.checkpoints.failed,
    }  # fmt: skip
    cause = explain(_telling(failures).cause) if failures else "Flink reports no failure; look at the log of its JobManager."
    if not job.runs:
        return Health(State.FAILED, f"{job_id} is {job.state} with {job.running_tasks} of {job.tasks} tasks running. {cause}", facts)
    if age > _STALE:
        return Health(State.FAILED, f"{job_id} runs, but has completed no checkpoint for {age // 1000} s. {cause}", facts)
    if failures and now - failures[0].at < _RECENT:
        return Health(State.WARNING, f"{job_id} failed {(now - failures[0].at) // 1000} s ago and runs again. {cause}", facts)
    return Health(State.PASSED, f"{job_id} runs; its last checkpoint is {age // 1000} s old", facts)


_NO_SLOT, _NO_TASKMANAGER = "slot|resource", "TaskManager|TaskExecutor"

# What the innermost cause says → what a person does about it. The job itself tries again for ever.
_REMEDIES = (
    (
        "a null value is being written into it",
        "A record is no change of a row, as when its table was truncated at its source, which a mirror cannot repeat: it is set aside "
        "within a minute; then run `headrace dead-letters replay all`, or `headrace reread` for the source.",
    ),
    (
        "could not be parsed|deserialize|Unrecognized token|Unexpected character|JSON|For input string",
        "A record cannot be read: it is set aside within a minute, and `headrace dead-letters list` shows it; where nothing does, "
        "run `headrace reread` for the source.",
    ),
    (
        "violates|overflow|out of range for type|value too long|invalid input|Unicode escape|exceeds",
        "The analytics table refuses a row, which is set aside within a minute: make the table take what its source takes, then run "
        "`headrace dead-letters replay all`.",
    ),
    ("password|pg_hba", "Flink's pgpass file lacks the password of the analytics database's writer, or has an old one."),
    ("permission denied", "The writer of the analytics database lacks a grant: apply the stream's schema and tables."),
    ("does not exist", "Apply the stream's tables and topics."),
    ("Connection to .* refused|database system is|terminating connection", "Start the analytics database; the job then goes on by itself."),
    ("offset.* out of range|no .*offset|NoOffset", "The stream's next record is gone: run `headrace reread` for the source."),
    (_NO_SLOT, "Start a TaskManager or free task slots; the job then goes on by itself."),
    (_NO_TASKMANAGER, "Start a TaskManager; the job then goes on by itself."),
)


# Where PostgreSQL quotes a row, and Flink advises to drop records.
_UNTOLD = re.compile(r"\s*(?:Detail: (?:Failing row|Key \()|Where: |You can set job configuration ).*", re.DOTALL)


def _telling(failures: tuple[Failure, ...]) -> Failure:
    """The newest failure that is no mere consequence: a write that fails for good ends the TaskManager, which is then told last."""
    newest = failures[0]
    recent = (failure for failure in failures if newest.at - failure.at < _TOGETHER)
    return next((failure for failure in recent if not re.search(f"{_NO_SLOT}|{_NO_TASKMANAGER}", failure.cause, re.IGNORECASE)), newest)


def explain(cause: str) -> str:
    """The cause without the record's values, and what to do about it."""
    message, _, record = cause.partition(RECORD)
    fitting = (remedy for pattern, remedy in _REMEDIES if re.search(pattern, message, re.IGNORECASE))
    remedy = next(fitting, "Mend it; the job then goes on by itself.")
    return f"Cause: {_UNTOLD.sub('', message).strip().rstrip('.')}{_position(record)}. {remedy}"


def _position(record: str) -> str:
    """Where a Debezium record that Flink quotes comes from."""
    try:
        source = json.loads(record.strip().strip(".").strip("'"))["source"]
        return f", in the change of {source['schema']}.{source['table']} at position {source['lsn']}, transaction {source['txId']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
