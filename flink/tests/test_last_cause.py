"""Java's stack traces end in one sentence for people."""

import pytest

from flink.rest import last_cause

JOB = """org.apache.flink.runtime.JobException: Recovery is suppressed
\tat org.apache.flink.runtime.executiongraph.failover.ExecutionFailureHandler.handleFailure(ExecutionFailureHandler.java:180)
Caused by: java.io.IOException: unable to open JDBC writer
\tat org.apache.flink.connector.jdbc.internal.JdbcOutputFormat.open(JdbcOutputFormat.java:145)
\t... 15 more
Caused by: org.postgresql.util.PSQLException: FATAL: permission denied for database "analyticsdb"
  Detail: User does not have CONNECT privilege.
\tat org.postgresql.core.v3.QueryExecutorImpl.receiveErrorResponse(QueryExecutorImpl.java:2734)
\t... 15 more
"""
GATEWAY = """Internal server error.
<Exception on server side:
org.apache.flink.table.gateway.api.utils.SqlGatewayException: Failed to fetchResults.
\tat org.apache.flink.table.gateway.service.SqlGatewayServiceImpl.fetchResults(SqlGatewayServiceImpl.java:231)
Caused by: org.apache.flink.table.api.ValidationException: Could not find any factory for identifier 'kafak'.

End of exception on server side>"""


@pytest.mark.parametrize(
    ("trace", "cause"),
    [
        (JOB, 'FATAL: permission denied for database "analyticsdb" Detail: User does not have CONNECT privilege.'),
        (GATEWAY, "Could not find any factory for identifier 'kafak'."),
        ("java.lang.OutOfMemoryError: Java heap space\n\tat java.util.Arrays.copyOf(Arrays.java:3537)", "Java heap space"),
        ("java.lang.InterruptedException\n\tat java.lang.Object.wait(Native Method)", "java.lang.InterruptedException"),
        ("404 Not found.", "404 Not found."),
    ],
)
def test_a_trace_is_told_by_its_last_cause(trace: str, cause: str):
    assert last_cause(trace) == cause
