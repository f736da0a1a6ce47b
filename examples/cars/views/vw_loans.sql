/*
title: Loans
description: >-
  Loans as the loan desk was told of them, one row per new loan. Each event counts once, whichever filters it has passed and however
  often it came. What should be a number and is none is empty.
time_column: created_at
columns:
  created_at: {description: "When it was agreed upon (UTC); where the event does not say, when it was received.", label: At}
  loan_id: {description: Which loan., label: Loan}
  institution: {description: Who lends., label: Institution}
  amount: {description: What is lent., label: Amount, format: "$,.0f"}
  monthly_payment: {description: What is to be paid each month., label: A month, format: "$,.2f"}
  interest_rate: {description: Of a year., label: Interest, format: ".1%"}
  term_months: {description: For how many months., label: Months, format: ","}
  balance: {description: What was still to be paid when it was agreed upon., label: Balance, format: "$,.0f"}
  status: {description: How it stood then., label: Status}
metrics:
  loans: {expression: count(*), label: Loans, description: New loans., format: ","}
  amount_sum: {expression: sum(amount), label: Lent, description: What was lent with new loans., format: "$,.0f"}
  interest_avg: {expression: avg(interest_rate), label: Interest, description: "Average of new loans, of a year.", format: ".2%"}
*/
select distinct on (coalesce(event_uuid, origin))
  coalesce(created_at, received_at) as created_at,
  entity_id as loan_id,
  loan ->> 'financialInstitution' as institution,
  case when jsonb_typeof(loan -> 'loanAmount') = 'number' then (loan ->> 'loanAmount')::numeric end as amount,
  case when jsonb_typeof(loan -> 'monthlyPayment') = 'number' then (loan ->> 'monthlyPayment')::numeric end as monthly_payment,
  case when jsonb_typeof(loan -> 'interestRate') = 'number' then (loan ->> 'interestRate')::numeric end as interest_rate,
  case when jsonb_typeof(loan -> 'termMonths') = 'number' then (loan ->> 'termMonths')::numeric end as term_months,
  case when jsonb_typeof(loan -> 'balance') = 'number' then (loan ->> 'balance')::numeric end as balance,
  loan ->> 'status' as status
from received_events
cross join lateral (select event #> '{eventBody,entities,0,updatedAttributes,loan}' as loan) as told
where event_name = 'LoanCreated'
order by coalesce(event_uuid, origin), received_at;
