"""How a job is, judged from what Flink reports. Its state alone is not enough: endless restarts look alive."""

import re
from collections.abc import Sequence

from flink.cluster import Checkpoints, Job, JobFailure
from project.resources import Health, Resource, State

CHECKPOINT_INTERVAL = 5_000  # milliseconds, see flink.sql.SESSION
_STALE = 6 * CHECKPOINT_INTERVAL
_RECENT = 60_000  # milliseconds after a failure in which a restarted job still shows it


def judge_job(
    resource: Resource, copies: int, job: Job | None = None, checkpoints: Checkpoints | None = None,
    failures: Sequence[JobFailure] = (), restarts: int = 0, now: int = 0,
) -> Health:  # fmt: skip
    """Health of a stream's job; `now` in milliseconds since 1970."""
    if copies == 0:
        return Health(State.FAILED, f"{resource.id} does not run, so its tables stand still; apply it, it goes on where it stood", {"jobs": 0})
    if job is None or checkpoints is None:
        return Health(State.WARNING, f"{resource.id} runs {copies} times; apply it, one copy stays", {"jobs": copies})
    last = checkpoints.last_completed_at
    age = now - (last if last is not None else job.started_at)
    facts = {
        "job": job.id, "digest": job.digest, "state": job.state, "restarts": restarts, "tasks": job.tasks, "tasks_running": job.running_tasks,
        "seconds_since_checkpoint": round(age / 1000), "checkpoints_failed": checkpoints.failed,
    }  # fmt: skip
    cause = failures[0].cause if failures else "Flink reports no cause"
    if not job.runs:
        return Health(State.FAILED, f"{resource.id} is {job.state} with {job.running_tasks} of {job.tasks} tasks running. {_explain(cause)}", facts)
    if age > _STALE:
        return Health(State.FAILED, f"{resource.id} runs, but completed no checkpoint for {age // 1000} s. {_explain(cause)}", facts)
    if failures and now - failures[0].at < _RECENT:
        return Health(State.WARNING, f"{resource.id} failed {(now - failures[0].at) // 1000} s ago and runs again. {_explain(cause)}", facts)
    return Health(State.PASSED, f"{resource.id} runs; last checkpoint {age // 1000} s ago", facts)


# What the innermost cause says → what a person does about it.
_REMEDIES = (
    (r'Unknown "op" value "t"', "A captured table was truncated, and a mirror cannot repeat that: see docs/operation.md, a truncated table."),
    (r"Corrupt Debezium JSON message|Failed to deserialize", "A record cannot be read: see docs/operation.md, an unreadable record."),
    (r"violates|out of range|too long|invalid input", "The analytics table refuses a row: compare its definition with the source's."),
    (r"password authentication|no password was provided", "Flink's pgpass file lacks the writer of the analytics database, or has an old password."),
    (r"Connection to .* refused|the database system is (?:starting up|shutting down)", "Start the analytics database; the job goes on by itself."),
    (r"NoOffsetForPartition|OffsetOutOfRange|out of range with no configured reset", "The stream's next record is gone: see docs/operation.md, a gap in a stream."),
    (r"not enough slots|NoResourceAvailable|free slots|acquire the minimum required resources|Could not acquire", "Start a TaskManager, or free task slots; the job goes on by itself."),
    (r"TaskManager with id|heartbeat of TaskManager|TaskManager .* (?:lost|timed out)|Connection refused.*taskmanager", "The TaskManager went away; once one is back, the job goes on by itself."),
)  # fmt: skip


def _explain(cause: str) -> str:
    remedy = next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, cause, re.IGNORECASE)), None)
    return f"Cause: {cause.rstrip('.')}." + (f" {remedy}" if remedy else " If it does not recover by itself, mend the cause; the job then goes on where it stood.")
