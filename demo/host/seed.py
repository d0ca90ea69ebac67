"""Demo data: two organisations, so that it shows that one never sees the other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import select
from werkzeug.security import generate_password_hash

from .models import Activity, Appointment, Contact, Organisation, User, db

PASSWORD = "demo"
PEOPLE = [
    ("Brightpath", "Ada Lindqvist", "ada@harbor.example", "admin"),
    ("Brightpath", "Mira Okafor", "mira@harbor.example", "user"),
    ("Brightpath", "Joan Ferrer", "joan@harbor.example", "user"),
    ("Northwind", "Nils Aalto", "nils@harbor.example", "user"),
]
CONTACTS = [
    ("Brightpath", "Noor Haddad", "noor@veldhoven.example", "+31 40 555 0101", "Veldhoven Energy"),
    ("Brightpath", "Jonas Berg", "jonas@berg.example", "+46 8 555 0144", "Berg Partners"),
    ("Brightpath", "Lotte Vermeer", "lotte@vermeer.example", "+31 20 555 0170", "Vermeer Studio"),
    ("Northwind", "Signe Holm", "signe@holm.example", "+47 22 55 01 88", "Holm Shipping"),
]


def fill_if_empty() -> None:
    """Add the demo's people once."""
    if db.session.scalars(select(User).limit(1)).first():
        return
    organisations = {name: Organisation(name=name) for name in ("Brightpath", "Northwind")}
    db.session.add_all(organisations.values())
    db.session.flush()
    for organisation, name, email, role in PEOPLE:
        facts = {"name": name, "email": email, "role": role, "password_hash": _hash()}
        db.session.add(User(organisation_id=organisations[organisation].id, **facts))
    for organisation, name, email, phone, company in CONTACTS:
        facts = {"name": name, "email": email, "phone": phone, "company": company}
        db.session.add(Contact(organisation_id=organisations[organisation].id, **facts))
    db.session.flush()
    _plan_a_little()
    db.session.commit()


@cache
def _hash() -> str:
    return generate_password_hash(PASSWORD)


def _plan_a_little() -> None:
    mira = db.session.scalars(select(User).where(User.email == "mira@harbor.example")).one()
    noor = db.session.scalars(select(Contact).where(Contact.name == "Noor Haddad")).one()
    nine = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    guest = {"email": noor.email, "name": noor.name, "contact_ref": str(noor.id)}
    for days, title, place, guests in ((3, "Second interview", "Room 1", [guest]), (5, "Offer call", "Phone", [])):
        start = nine + timedelta(days=days)
        when = {"starts_at": start, "ends_at": start + timedelta(hours=1), "zone": "Europe/Amsterdam"}
        db.session.add(Appointment(owner_id=mira.id, title=title, place=place, guests=guests, **when))
    note = {"kind": "note", "title": "Sent the job description", "zone": "Europe/Amsterdam"}
    db.session.add(Activity(owner_id=mira.id, contact_id=noor.id, **note))
