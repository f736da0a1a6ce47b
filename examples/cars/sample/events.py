"""The four kinds of events, as the dealership's programs write them."""

from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

_MAKES = {"Toyota": ["Corolla", "RAV4"], "Ford": ["Focus", "F-150"], "Volkswagen": ["Golf", "Passat"], "Tesla": ["Model 3", "Model Y"]}
_BANKS = ["First Auto Bank", "Union Credit", "Harbour Finance"]
_SERVICES = {"oil change": 89, "brakes": 420, "tyres": 380, "inspection": 120}


@dataclass(frozen=True)
class Event:
    """One event, and the row that it changes."""

    table: str
    entity_id: str
    body: dict[str, Any]  # as consumers get it

    @property
    def uuid(self) -> str:
        return self.body["eventHeader"]["uuid"]


def car_created(rng: Random, at: datetime) -> Event:
    make = rng.choice(list(_MAKES))
    attributes = {
        "make": make, "model": rng.choice(_MAKES[make]), "year": rng.randint(2012, at.year), "color": rng.choice(["red", "blue", "grey"]),
        "mileage": rng.randrange(150_000), "owner": f"customer-{rng.randrange(5000)}", "totalBalance": rng.randrange(0, 40_000),
    }  # fmt: skip
    return _event(rng, at, "CarCreated", "Car", "car_entities", f"car-{rng.randrange(10_000)}", attributes)


def loan_created(rng: Random, at: datetime) -> Event:
    key, amount, months = f"loan-{rng.randrange(10_000)}", rng.randrange(5_000, 90_000), rng.choice([24, 36, 48, 60])
    loan = {
        "id": key, "balance": amount, "loanAmount": amount, "interestRate": rng.choice([0.029, 0.045, 0.069]), "termMonths": months,
        "startDate": at.date().isoformat(), "status": "active", "monthlyPayment": round(amount / months, 2),
        "financialInstitution": rng.choice(_BANKS),
    }  # fmt: skip
    return _event(rng, at, "LoanCreated", "Loan", "loan_entities", key, {"loan": loan})


def loan_payment_submitted(rng: Random, at: datetime) -> Event:
    key = f"payment-{rng.getrandbits(40)}"
    payment = {
        "id": key, "amount": rng.randrange(10_000, 120_000) / 100, "paymentDate": at.isoformat(timespec="milliseconds"),
        "paymentMethod": rng.choice(["transfer", "card"]), "transactionId": str(UUID(int=rng.getrandbits(128))),
        "financialInstitution": rng.choice(_BANKS), "accountLast4": f"{rng.randrange(10_000):04}",
    }  # fmt: skip
    return _event(rng, at, "LoanPaymentSubmitted", "LoanPayment", "loan_payment_entities", key, {"loanPayment": payment})


def car_service_done(rng: Random, at: datetime) -> Event:
    key, (what, price) = f"service-{rng.getrandbits(40)}", rng.choice(list(_SERVICES.items()))
    number = rng.randint(1, 3)
    service = {
        "id": key, "serviceDate": at.date().isoformat(), "amountPaid": price + rng.randrange(50), "dealerId": f"dealer-{number:03}",
        "dealerName": f"Workshop {number}", "mileageAtService": rng.randrange(150_000), "description": what.capitalize(),
        "serviceType": what,
    }  # fmt: skip
    return _event(rng, at, "CarServiceDone", "ServiceRecord", "service_record_entities", key, {"service": service})


KINDS = (car_created, loan_created, loan_payment_submitted, car_service_done)


def _event(rng: Random, at: datetime, name: str, kind: str, table: str, key: str, attributes: dict[str, Any]) -> Event:
    moment = int(at.timestamp() * 1000)
    header = {
        "uuid": str(UUID(int=rng.getrandbits(128), version=4)), "eventName": name, "eventType": name, "createdDate": moment,
        "savedDate": moment,
    }  # fmt: skip
    entity = {"entityType": kind, "entityId": key, "updatedAttributes": attributes}
    metadata = {"table": table, "operation": "INSERT", "timestamp": moment}
    return Event(table, key, {"eventHeader": header, "eventBody": {"entities": [entity]}, "sourceMetadata": metadata})
