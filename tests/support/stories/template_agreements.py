"""Agreements made from the templates, with people whose keys are known."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from tallystick.desk.strict_yaml import read_yaml
from tallystick.desk.templates.filling import Particulars, TemplateName, filled
from tallystick.desk.templates.holidays import Place
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Channel, ChannelKind
from tallystick.domain.codec import decode_with_defaults, encode
from tallystick.domain.ids import PartyId
from tallystick.domain.json import JsonValue
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tests.support.worlds.agreements import AGREEMENT, PEOPLE, age_identity, signing_key

PARTIES: Final = {
    part: PartyId(name)
    for part, name in {
        "depositor": "nordwind",
        "beneficiary": "halden",
        "second": "orrin",
        "agent": "harbour",
        "arbitrator": "kestrel",
        "witness": "marlowe",
        "verifier": "marlowe",
    }.items()
}
_WITHOUT: Final = {
    "kestrel": {TemplateName.THREE_PARTY},
    "marlowe": {TemplateName.THREE_PARTY, TemplateName.FOUR_PARTY},
}


def particulars_for(template: TemplateName, *, begins: date, places: tuple[Place, ...] = ()) -> Particulars:
    """What somebody chooses whose agreement has the known people in it, as far as the template has seats."""
    persons = [one for one in PEOPLE if template not in _WITHOUT.get(one.partition("@")[2], ())]
    return Particulars(
        id="nordwind-halden",
        title="Telemetry platform",
        effective_from=begins,
        covers_until=date(begins.year + 3, 12, 31),
        parties=PARTIES,
        persons=persons,
        places=places,
    )


def agreement_of(draft: str) -> Agreement:
    """The agreement that a draft makes once everybody has put their key file beside it."""
    document = read_yaml(draft.encode(), file="agreement.yaml", size_bytes_max=AGREEMENT_SIZE_BYTES_MAX).value
    assert isinstance(document, Mapping)
    persons = document["persons"]
    assert isinstance(persons, list)
    whole = {
        **document,
        "deployment": "test",
        "engine": encode(AGREEMENT.engine),
        "persons": [_person(one) for one in persons],
    }
    return decode_with_defaults(Agreement, whole)


def from_template(template: TemplateName, *, begins: date) -> Agreement:
    """An agreement of the known people, made from a template; its depositor reads an outbox."""
    made = agreement_of(filled(template, particulars_for(template, begins=begins)))
    outbox = (Channel(kind=ChannelKind.OUTBOX, address="nordwind"),)
    return replace(made, parties=(replace(made.parties[0], channels=outbox), *made.parties[1:]))


def _person(written: JsonValue) -> JsonValue:
    assert isinstance(written, Mapping)
    person = Path(str(written["pub"])).stem
    return {
        "id": person,
        "name": written["name"],
        "signing_key": signing_key(person).public_key,
        "age_recipient": str(age_identity(person).recipient()),
    }
