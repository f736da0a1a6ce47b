"""The JobManager's REST interface: which jobs there are, how they are, and how to stop one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from flink.rest import Rest, last_cause
from project.resources import Refused, Unreachable

RECORD = "It failed on the record"  # which follows behind a cause, as far as it is to blame
_ENDED = {"FINISHED", "CANCELED", "FAILED"}


@dataclass(frozen=True, order=True)
class Job:
    """A job that has not ended. Ordered by age, oldest first."""

    started_at: int  # milliseconds since 1970
    id: str
    name: str
    state: str  # Flink's: RUNNING, RESTARTING, CANCELLING …
    tasks: int
    running_tasks: int
    changed_at: int  # milliseconds since 1970: when the last of its tasks came into its state

    @property
    def stream(self) -> str:
        """<project>.<stream>"""
        return self.name.rpartition("@")[0]

    @property
    def digest(self) -> str:
        return self.name.rpartition("@")[2]

    @property
    def runs(self) -> bool:
        return self.state == "RUNNING" and self.tasks == self.running_tasks > 0


@dataclass(frozen=True)
class Slots:
    total: int
    free: int


@dataclass(frozen=True)
class Checkpoints:
    failed: int
    last_completed_at: int | None  # milliseconds since 1970


@dataclass(frozen=True)
class Failure:
    at: int  # milliseconds since 1970
    cause: str  # the innermost one


@dataclass(frozen=True)
class Report:
    """All that Flink says about one job."""

    job: Job
    checkpoints: Checkpoints
    failures: tuple[Failure, ...]  # the newest ones, newest first
    restarts: int


class Cluster:
    def __init__(self, url: str) -> None:
        self.rest = Rest(url, "Flink's JobManager", "start it; its jobs are then submitted again where they stood")

    def jobs(self) -> list[Job]:
        """All jobs that have not ended, oldest first."""
        found = self.rest.call("GET", "/jobs/overview")["jobs"]
        return sorted(_job(job) for job in found if job["state"] not in _ENDED)

    def slots(self) -> Slots | None:
        """None where they are not what limits a job: the cluster starts TaskManagers as it needs them, or is starting its first."""
        overview = self.rest.call("GET", "/overview")
        settings = self.rest.call("GET", "/jobmanager/config")
        if not overview["slots-total"] or any(one["key"].startswith(("kubernetes.", "yarn.")) for one in settings):
            return None
        return Slots(overview["slots-total"], overview["slots-available"])

    def slots_of(self, job: Job) -> int:
        """All parts of a job share its slots."""
        return max((one["parallelism"] for one in self.rest.call("GET", f"/jobs/{job.id}")["vertices"]), default=0)

    def report(self, job: Job) -> Report:
        metrics = self.rest.call("GET", f"/jobs/{job.id}/metrics?get=numRestarts")
        return Report(job, self._checkpoints(job), self.failures(job), int(metrics[0]["value"]) if metrics else 0)

    def failures(self, job: Job) -> tuple[Failure, ...]:
        """The newest failures, newest first."""
        entries = self.rest.call("GET", f"/jobs/{job.id}/exceptions?maxExceptions=5")["exceptionHistory"]["entries"]
        return tuple(Failure(entry["timestamp"], last_cause(entry["stacktrace"]) + failed_on(entry["stacktrace"])) for entry in entries)

    def checkpoint(self, job: Job, patience: float) -> bool:
        """Take a checkpoint now, which commits the offsets; False if it did not complete in time."""
        path = f"/jobs/{job.id}/checkpoints"
        trigger = self.rest.call("POST", path, {"checkpointType": "CONFIGURED"})["request-id"]
        done = _until(lambda answer: answer["status"]["id"] == "COMPLETED", patience, lambda: self.rest.call("GET", f"{path}/{trigger}"))
        return done is not None and done["operation"].get("failureCause") is None

    def finish(self, job: Job, patience: float) -> bool:
        """Let a job write what it has read, commit its offsets, and end there; False if it did not in time, or the cluster has no place
        for savepoints."""
        try:
            trigger = self.rest.call("POST", f"/jobs/{job.id}/stop", {"drain": False})["request-id"]
        except Unreachable:
            raise
        except Refused:
            return False
        path = f"/jobs/{job.id}/savepoints/{trigger}"
        done = _until(lambda answer: answer["status"]["id"] == "COMPLETED", patience, lambda: self.rest.call("GET", path))
        if done is None or (savepoint := done["operation"].get("location")) is None:  # it failed, as where a task was lost meanwhile
            return False
        # Nothing is ever started from it: the committed offsets are all the state there is.
        self.rest.call("POST", "/savepoint-disposal", {"savepoint-path": savepoint})
        return True

    def cancel(self, jobs: Iterable[Job], patience: float = 60) -> None:
        """Cancel jobs and wait until they are gone."""
        names = {job.id: job.name for job in jobs}
        for job_id in names:
            self.rest.call("PATCH", f"/jobs/{job_id}?mode=cancel")
        if _until(lambda left: not left, patience, lambda: [job for job in self.jobs() if job.id in names]) is None:
            raise Refused(
                f"Flink has not ended {', '.join(names.values())} within {patience:.0f} s; look at its web page, then apply again"
            )

    def wait_until_running(self, job_id: str, patience: float) -> Job | None:
        """The job once all its tasks run; None if that did not happen in time."""
        found = _until(lambda jobs: bool(jobs) and jobs[0].runs, patience, lambda: [job for job in self.jobs() if job.id == job_id])
        return found[0] if found else None

    def _checkpoints(self, job: Job) -> Checkpoints:
        answer = self.rest.call("GET", f"/jobs/{job.id}/checkpoints")
        completed = answer["latest"]["completed"]
        return Checkpoints(answer["counts"]["failed"], completed and completed["latest_ack_timestamp"])


def _until(done: Any, patience: float, ask: Any) -> Any:
    """The first answer that is as wanted; None when patience (seconds) ends."""
    try:
        return Retrying(retry=retry_if_result(lambda answer: not done(answer)), stop=stop_after_delay(patience), wait=wait_fixed(0.2))(ask)
    except RetryError:
        return None


def _job(job: dict[str, Any]) -> Job:
    tasks = job["tasks"]
    return Job(job["start-time"], job["jid"], job["name"], job["state"], tasks["total"], tasks["running"], job["last-modification"])


def writes_since(job: Job, failures: Iterable[Failure]) -> int:
    """When a job began to write what it writes now (milliseconds since 1970): after a failure it is set back, and writes again."""
    # A failure of the last 3 s Flink may not tell yet (web.refresh-interval); when its tasks began, it does.
    return max([job.started_at, job.changed_at, *(failure.at for failure in failures)])


def failed_on(trace: str) -> str:
    """The record that a failed job was reading; nothing if it was writing, as then others are to blame."""
    quoted = re.search(r"Failed to deserialize JSON ('.*')\.$", trace, re.MULTILINE)
    return f" {RECORD} {quoted[1]}" if quoted and "Writing records to JDBC failed" not in trace else ""
