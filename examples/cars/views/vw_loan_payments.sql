/*
title: Loan payments
description: >-
  Payments on loans as the loan desk was told of them, one row per payment. Each event counts once, whichever filters it has
  passed and however often it came. What should be a number and is none is empty.
time_column: created_at
columns:
  created_at: {description: "When it was submitted (UTC); where the event does not say, when it was received.", label: At}
  payment_id: {description: Which payment., label: Payment}
  institution: {description: Through whom., label: Institution}
  method: {description: How., label: Method}
  amount: {description: What was paid., label: Amount, format: "$,.2f"}
  paid_on: {description: The date that it names., label: Date}
metrics:
  payments: {expression: count(*), label: Payments, description: Payments submitted., format: ","}
  paid_sum: {expression: sum(amount), label: Paid, description: What was paid on loans., format: "$,.0f"}
*/
select distinct on (coalesce(event_uuid, origin))
  coalesce(created_at, received_at) as created_at,
  entity_id as payment_id,
  loanPayment ->> 'financialInstitution' as institution,
  loanPayment ->> 'paymentMethod' as method,
  case when jsonb_typeof(loanPayment -> 'amount') = 'number' then (loanPayment ->> 'amount')::numeric end as amount,
  loanPayment ->> 'paymentDate' as paid_on
from received_events
cross join lateral (select event #> '{eventBody,entities,0,updatedAttributes,loanPayment}' as loanPayment) as told
where event_name = 'LoanPaymentSubmitted'
order by coalesce(event_uuid, origin), received_at;
