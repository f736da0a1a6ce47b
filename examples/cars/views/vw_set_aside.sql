/*
title: Set aside
description: Events that a filter could not judge or a consumer could not take; each waits, with its bytes, until somebody settles it.
time_column: set_aside_at
columns:
  set_aside_at: {description: When it was set aside (UTC)., label: Set aside}
  stream: {description: The stream or the consumer., label: By}
  reason: {description: Why., label: Why}
  id: {description: "Its name for `headrace dead-letters show`.", label: Id}
metrics:
  letters: {expression: count(*), label: Waiting, description: Events that wait for somebody., format: ","}
*/
select set_aside_at, stream, reason, id
from dead_letters
where settled is null;
