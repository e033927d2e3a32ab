"""The release rule a second time, from the signed documents alone: plain JSON in, reasons against it out.

It shares no line with `tallystick.domain`, and believes no event of the engine's but that a claim or a
stage has ended: windows, notice and quorums are counted again here. Agreements whose windows are plain
durations and whose days are all business days are enough for it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

Document = Mapping[str, Any]
"""A JSON object; its members are whatever the format says."""

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Said:
    """One entry of a claim's record; `signers` are persons, and empty for what the engine signs."""

    id: str
    kind: str
    at: datetime
    signers: frozenset[str]
    body: Document


def met(tree: Any, people: frozenset[str]) -> bool:  # noqa: ANN401 - a tree is a name, or an object of trees
    """Whether `people` suffice for a quorum tree as the agreement writes it."""
    if isinstance(tree, str):
        return tree in people
    (members,) = (tree[word] for word in ("of", "any", "all") if word in tree)
    agreeing = sum(met(member, people) for member in members)
    return bool(agreeing >= tree.get("k", 1 if "any" in tree else len(members)))


def span(text: str) -> timedelta:
    """How long a duration of days, hours, minutes and seconds is."""
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text)
    assert match is not None, text
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class ReleaseRule:
    """The rule for one claim: its record begins with its filing, and it is `now` by the gate's clock."""

    agreement: Document
    record: Sequence[Said]
    now: datetime

    def against(self, stage: str) -> tuple[str, ...]:
        """Every reason why `stage` may not be released now; empty if it may be."""
        return tuple(reason for reason, true in self._reasons(stage) if true)

    def _reasons(self, name: str) -> Iterator[tuple[str, bool]]:
        filing, stage = self.record[0].body, self._stage(name)
        yield "not asked for", name not in filing["stages"]
        yield "not filed for a release", filing["purpose"] != "release"
        yield "its beneficiary has not confirmed it", "for" in filing and self._confirmation is None
        yield "nobody may receive", not self._receivers
        yield "not taken in", not self._taken_in
        revoked = bool(self.record[0].signers & self._revoked)
        yield "the claimant's key is revoked", revoked and self._confirmation is None
        yield "the claim has ended", self._ended()
        yield "decided before", name in self._decided
        yield "denied", met(self.agreement["authorities"]["denial"], self._denying(name) - self._barred)
        yield "an objection stands", self._contested(name)
        yield "a hold stands", self._held(name)
        yield "no quorum", not met(stage["quorum"], self._approving(name))
        yield from self._order(stage)
        if stage["opens"]["when"] != "on_acceptance":
            proven = self._notice_proven()
            late = not self._known and (proven is None or proven > self.now)
            yield "no notice", not self._skipping and late
            yield "the window runs", not self._skipping and not self._window_over(proven)

    def _order(self, stage: Document) -> Iterator[tuple[str, bool]]:
        asked = [one for one in self.agreement["stages"] if one["id"] in self.record[0].body["stages"]]
        before = [one["id"] for one in asked[: next((n for n, one in enumerate(asked) if one is stage), 0)]]
        yield "an earlier stage is undecided", not set(before) <= self._decided
        yield (
            "another stage is on its way",
            any(
                not self._failed(one) and self._activated_at(one) is None
                for one in self._decided - {stage["id"]}
            ),
        )
        lent = {one["id"] for one in asked if one["opens"]["when"] == "on_acceptance"}
        yield "a released stage is not in use", any(self._failed(one) for one in self._decided - lent)
        after = stage["opens"].get("stage")
        if after is not None:
            done, delay = self._activated_at(after), span(stage["opens"].get("delay", "PT0S"))
            yield "not open yet", done is None or self._failed(after) or done + delay > self.now

    # ------------------------------------------------------------------ what was said, and still counts

    def _of(self, *kinds: str) -> list[Said]:
        return [one for one in self.record if one.kind in kinds]

    @cached_property
    def _revoked(self) -> frozenset[str]:
        names = {person["signing_key"]: person["id"] for person in self.agreement["persons"]}
        return frozenset(names[one.body["key"]] for one in self._of("key-revocation"))

    def _standing(self, *kinds: str) -> list[Said]:
        return [one for one in self._of(*kinds) if not one.signers & self._revoked]

    @cached_property
    def _taken_back(self) -> frozenset[str]:
        return frozenset(one.body["of"] for one in self._standing("retraction"))

    @cached_property
    def _barred(self) -> frozenset[str]:
        (filer,) = self.record[0].signers
        confirmers = {str(one.body["person"]) for one in self._of("confirmation")}
        party = "@" + self.record[0].body.get("for", filer.partition("@")[2])
        excluded = self.agreement.get("excludes_claimant_party", True)
        own = [one["id"] for one in self.agreement["persons"] if excluded and one["id"].endswith(party)]
        return frozenset({filer, *confirmers, *own})

    @cached_property
    def _confirmation(self) -> Said | None:
        """The beneficiary's word that makes a claim its own, as long as its author's key stands."""
        return next(iter(self._standing("confirmation")), None)

    def _on_this_claim(self, vote: Said) -> bool:
        """An approval names the latest confirmation, a denial any of them; nothing, if there is none."""
        named = [one.id for one in self._of("confirmation")]
        allowed = named if vote.kind == "denial" else named[-1:]
        return vote.body["confirmation"] in allowed if "confirmation" in vote.body else not named

    @cached_property
    def _naming(self) -> Said:
        """The statement that named the receivers last."""
        return [self.record[0], *self._of("confirmation"), *self._of("receivers")][-1]

    @cached_property
    def _named_anew(self) -> str | None:
        """What an approval must name: its author was shown these receivers."""
        return self._naming.id if self._naming.kind == "receivers" else None

    @cached_property
    def _receivers(self) -> frozenset[str]:
        named = {str(one["person"]) for one in self._naming.body.get("receivers", ())}
        doubtful = self._naming.kind == "receivers" and self._naming.signers & self._revoked
        return frozenset() if doubtful else frozenset(named - self._revoked)

    def _denying(self, stage: str) -> frozenset[str]:
        denials = (
            one
            for one in self._standing("denial")
            if one.id not in self._taken_back and self._on_this_claim(one)
        )
        return frozenset(one.body["person"] for one in denials if _covers(one, stage))

    def _approving(self, stage: str) -> frozenset[str]:
        return (
            frozenset(
                one.body["person"]
                for one in self._standing("approval")
                if stage in one.body["stages"]
                and (one.body["claim"], one.body["purpose"]) == (self.record[0].id, "release")
                and one.signers == frozenset({str(one.body["person"])})
                and one.id not in self._taken_back
                and self._on_this_claim(one)
                and one.body.get("receivers_named") == self._named_anew
                and datetime.fromisoformat(one.body["expires_at"]) >= self.now
            )
            - self._denying(stage)
            - self._barred
        )

    @cached_property
    def _release_orders(self) -> list[Said]:
        orders = self._standing("ruling", "joint-instruction")
        return [one for one in orders if one.body["outcome"] == "release"]

    @cached_property
    def _skipping(self) -> bool:
        return any(one.body.get("authority") != "arbitration" for one in self._release_orders)

    def _contested(self, stage: str) -> bool:
        settled = max((self.record.index(one) for one in self._release_orders), default=-1)
        return any(
            one.id not in self._taken_back and _covers(one, stage) and self.record.index(one) > settled
            for one in self._of("objection")
        )

    def _held(self, stage: str) -> bool:
        lifted = {one.body["hold"] for one in self._standing("hold-lift")}
        standing = (one for one in self._of("hold") if one.id not in lifted and _covers(one, stage))
        review = self._wait("hold", then="go_on")
        return any(review is None or one.at + span(review["after"]) >= self.now for one in standing)

    def _wait(self, name: str, *, then: str) -> Document | None:
        """The end of a wait, if the parties have agreed on this one."""
        wait: Document | None = self.agreement.get("waits", {}).get(name)
        return wait if wait is not None and wait["then"] == then else None

    @cached_property
    def _taken_in(self) -> bool:
        if any(one.body["accepted"] for one in self._of("intake")):
            return True
        unchecked = self._wait("intake", then="go_on") is not None and "for" not in self.record[0].body
        return unchecked and self.now > self.record[0].at + span(self.agreement["windows"]["intake"])

    def _ended(self) -> bool:
        refused = any(not one.body["accepted"] for one in self._of("intake"))
        ordered = any(
            one.body["outcome"] in {"refuse", "return"}
            for one in self._of("ruling", "joint-instruction")
        )  # fmt: skip
        ends = {"lapsed", "denial-quorum-reached", "intake-lapsed", "notice-lapsed", "dispute-lapsed"}
        ends |= {"hold-lapsed"}
        happened = any(one.body["happening"] in ends for one in self._of("event"))
        return refused or ordered or happened or bool(self._of("withdrawal"))

    # ------------------------------------------------------------------ the stages, and the window

    def _stage(self, name: str) -> Document:
        stages: Sequence[Document] = self.agreement["stages"]
        return next(one for one in stages if one["id"] == name)

    @cached_property
    def _decided(self) -> frozenset[str]:
        return frozenset(one.body["stage"] for one in self._of("decision") if one.body["released"])

    def _activated_at(self, stage: str) -> datetime | None:
        outcomes = (one for one in self._of("receipt") if one.body["outcome"] == "activated")
        return next((one.at for one in outcomes if one.body["stage"] == stage), None)

    def _failed(self, stage: str) -> bool:
        about = [one for one in self._of("receipt", "event") if one.body.get("stage") == stage]
        bad = {"failed", "rolled_back", "stage-timed-out"}
        return any(one.body.get("outcome", one.body.get("happening")) in bad for one in about)

    @cached_property
    def _known(self) -> list[Said]:
        """By what the depositor shows that it knows, whatever the hour is."""
        return self._of("notice-acknowledgement", "joint-instruction")

    def _notice_proven(self) -> datetime | None:
        known = [self._received(one.at) for one in self._known]
        deemed_after = self.agreement["notice"].get("deemed_after")
        taken = [one for one in self._of("notice") if any(way["taken"] for way in one.body["channels"])]
        deemed = [self._received(one.at + span(deemed_after)) for one in taken if deemed_after]
        return min([*known, *deemed], default=None)

    def _received(self, at: datetime) -> datetime:
        (vendor,) = (one for one in self.agreement["parties"] if one["role"] == "depositor")
        local = at.astimezone(ZoneInfo(vendor["time_zone"]))
        if local.strftime("%H:%M:%S") <= self.agreement["notice"]["cutoff"] + ":00":
            return at
        return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0).astimezone(at.tzinfo)

    def _window_over(self, proven: datetime | None) -> bool:
        window, seen = span(self.agreement["windows"]["objection"]), self._of("sighting")
        if proven is None or not seen:
            return False
        sighted = datetime.fromisoformat(seen[0].body["issued_at"])
        return self.now > proven + window and self.now >= sighted + window - HOUR


def _covers(one: Said, stage: str) -> bool:
    return one.body.get("stages") is None or stage in one.body["stages"]
