# SPDX-License-Identifier: Apache-2.0
"""Made-up identities of the demo's customers, the way a CRM keeps them.

The order data names nobody. Everything here is invented from the customer's number alone, so it is the
same on every run and machine: addresses lie in domains reserved for examples, phones in a span of codes
without a known operator.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

FIRST_NAMES = ("Anna", "Boris", "Daria", "Elena", "Gleb", "Ilya", "Irina", "Lev", "Maria", "Oleg", "Vera")
LAST_NAMES = ("Belova", "Gusev", "Ivanova", "Kim", "Lebedev", "Morozova", "Orlov", "Sokolova", "Titov")
DOMAINS = ("example.com", "example.org", "example.net")

PHONE_FORMS = (
    "+7 ({0}) {1}-{2}-{3}",
    "+7{0}{1}{2}{3}",
    "8 {0} {1}-{2}-{3}",
    "8({0}){1}{2}{3}",
    "7{0}{1}{2}{3}",
    "7.{0}.{1}.{2}.{3}",
    "+7 {0} {1} {2} {3}",
    " +7-{0}-{1}-{2}{3} ",
)

# Which identifiers a CRM knows of a customer, by the customer's draw out of ten.
KNOWN_IDENTIFIERS = (
    ("client_id", "email", "phone"),
    ("client_id", "email", "phone"),
    ("client_id", "email", "phone"),
    ("email", "phone"),
    ("email", "phone"),
    ("client_id", "email"),
    ("client_id", "phone"),
    ("client_id",),
    ("email",),
    ("phone",),
)


@dataclass(frozen=True)
class Identity:
    """One customer: the clean values, and the same values as someone typed them into the CRM."""

    email: str
    phone: str
    client_id: str
    typed_email: str
    typed_phone: str
    known: tuple[str, ...]


def draw(purpose: str, key: str, sides: int) -> int:
    """Return a number below `sides` that depends on nothing but the purpose and the key."""
    digest = hashlib.sha256(f"{purpose}:{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % sides


def identity(customer_id: str) -> Identity:
    """Make up the identity of the customer with this number."""
    email = _email(customer_id)
    phone = _phone(customer_id)
    return Identity(
        email=email,
        phone=phone,
        client_id=_client_id(customer_id),
        typed_email=_typed_email(email, customer_id),
        typed_phone=_typed_phone(phone, customer_id),
        known=KNOWN_IDENTIFIERS[draw("known", customer_id, len(KNOWN_IDENTIFIERS))],
    )


def _email(customer_id: str) -> str:
    first = FIRST_NAMES[draw("first", customer_id, len(FIRST_NAMES))]
    last = LAST_NAMES[draw("last", customer_id, len(LAST_NAMES))]
    domain = DOMAINS[draw("domain", customer_id, len(DOMAINS))]
    return f"{first}.{last}.{customer_id}@{domain}".lower()


def _typed_email(email: str, customer_id: str) -> str:
    name, _, domain = email.partition("@")
    forms = (email, f"{name.title()}@{domain}", email.upper(), f"{name}@{domain.title()}", f" {email} ")
    return forms[draw("email form", customer_id, len(forms))]


def _phone(customer_id: str) -> str:
    number = int(customer_id)
    # The factor has no common divisor with 10**7: two customers never share a phone.
    return f"797{2 + number % 5}{(number * 7919 + 1234567) % 10**7:07d}"


def _typed_phone(phone: str, customer_id: str) -> str:
    form = PHONE_FORMS[draw("phone form", customer_id, len(PHONE_FORMS))]
    return form.format(phone[1:4], phone[4:7], phone[7:9], phone[9:11])


def _client_id(customer_id: str) -> str:
    # As the counter makes it: the second of the first visit, then a random number of 8 or 9 digits.
    first_visit = 1_690_000_000 + draw("first visit", customer_id, 80_000_000)
    length = 8 + draw("client id length", customer_id, 2)
    smallest = 10 ** (length - 1)
    return f"{first_visit}{smallest + draw('client id', customer_id, 9 * smallest)}"
