"""One claim, played from its filing to where it comes to rest.

The engine's part is the real one: `due` says what it records, `next_look` when it looks again, `decide` what
the gate decides, and `advance` admits and folds every statement. Only the signatures are left out.
"""

from datetime import datetime, timedelta

from tallystick.domain.acts.all import draft
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.agreement.terms import HeaderMembers
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.course import stage_for_the_gate
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import PersonId, PublicKey, StageId, engine_person, gate_person
from tallystick.domain.instants import plus
from tallystick.domain.kinds import Kind
from tallystick.domain.notice.proof import notice_given
from tallystick.domain.notice.sighting import to_be_sighted
from tallystick.domain.progress.attempts import notice_due_at
from tallystick.domain.progress.due import due
from tallystick.domain.progress.moments import next_look
from tallystick.domain.record.fold import advance, fold
from tallystick.domain.release.decision import decide
from tallystick.domain.soundness.simulation.cast import Cast
from tallystick.domain.soundness.simulation.props import Props, as_if_signed, invented
from tallystick.domain.statements.engine import ChannelResult, DecisionStatement, Event, Notice, Sighting
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import Contribution
from tallystick.domain.statements.signed import Body, Entry
from tallystick.domain.waits.ends import notice_overdue
from tallystick.limits.agreements import PLAY_NOTICES_MAX


class Play:
    """A claim under way, and what time it is.

    Attributes:
        claim: As everything said so far leaves it.
        now: The time of the play.
    """

    def __init__(self, props: Props, cast: Cast, filing: ClaimFiling) -> None:
        """File the claim, at the moment at which it was issued."""
        self.props = props
        self.cast = cast
        self.now = filing.issued_at
        claimant = props.agreement.person(cast.claimant).signing_key
        signed = as_if_signed(filing, claimant, name="claim")
        self.claim: Claim = fold(props.terms, [Entry(index=0, accepted_at=self.now, signed=signed)])

    @property
    def agreement(self) -> Agreement:
        """The agreement that is tried."""
        return self.props.agreement

    def engine_acts(self) -> bool:
        """Let the engine do the one thing that it owes next; return whether it owed any.

        Raises:
            CalendarExhaustedError: It would have to compute a deadline after a calendar's end.
        """
        return self._records_due() or self._gives_notice() or self._sees_notice() or self._asks_gate()

    def time_passes(self) -> bool:
        """Go to the next moment at which the engine would look; return whether there is one.

        Raises:
            CalendarExhaustedError: A deadline is after a calendar's end.
        """
        if not self.claim.is_open:
            return False
        moment = self._overdue() if self._gives_up() else next_look(self.agreement, self.claim, at=self.now)
        self.now = moment or self.now
        return moment is not None

    def _gives_up(self) -> bool:
        """Return whether no more letters are tried: the channels that take none now take none later."""
        given = notice_given(self.agreement, self.claim)
        return self._has_tried_enough() and given is None

    def _has_tried_enough(self) -> bool:
        return len(self.claim.notices) >= PLAY_NOTICES_MAX

    def _overdue(self) -> datetime | None:
        """Return the moment after which notice is overdue, if that is yet to come."""
        end = notice_overdue(self.agreement, self.claim)
        after = None if end is None else plus(end.at, timedelta(seconds=1))
        return after if after is not None and after > self.now else None

    def say(self, kind: Kind, *persons: PersonId, **choices: object) -> bool:
        """Let `persons` sign the act that the first of them drafts; return whether it was admitted.

        Raises:
            CalendarExhaustedError: The draft or the rule needs a deadline after a calendar's end.
        """
        if not persons:
            return False
        heading = Heading(
            terms=self.props.terms,
            claim=self.claim.digest,
            filing=self.claim.filing,
            person=persons[0],
            issued_at=self.now,
            nonce=self._nonce(),
        )
        keys = [self.agreement.person(person).signing_key for person in persons]
        try:
            self._enter(draft(kind, heading, self.claim, Choices(**choices)), *keys)
        except CalendarExhaustedError:
            raise
        except TallystickError:
            return False
        return True

    def _records_due(self) -> bool:
        owed = due(self.agreement, self.claim, at=self.now)
        if owed is None:
            return False
        event = Event(
            **self._header(engine_person(self.agreement.deployment)),
            claim=self.claim.digest,
            happening=owed.happening,
            stage=owed.stage,
            until=owed.until,
            cause=owed.cause,
            because=owed.because,
        )
        self._enter(event, self.agreement.engine.log_key)
        return True

    def _gives_notice(self) -> bool:
        owed_at = notice_due_at(self.agreement, self.claim)
        if owed_at is None or owed_at > self.now or self._has_tried_enough():
            return False
        party = depositor(self.agreement)
        results = (
            ChannelResult(
                kind=one.kind, address=one.address, taken=one not in self.cast.dead, own=False, detail=""
            )
            for one in party.channels
        )
        notice = Notice(
            **self._header(engine_person(self.agreement.deployment)),
            claim=self.claim.digest,
            party=party.id,
            attempt=len(self.claim.notices) + 1,
            text_digest=invented("letter"),
            channels=tuple(results),
        )
        self._enter(notice, self.agreement.engine.log_key)
        return True

    def _sees_notice(self) -> bool:
        seen = to_be_sighted(self.agreement, self.claim)
        if seen is None:
            return False
        sighting = Sighting(
            **self._header(gate_person(self.agreement.deployment)),
            claim=self.claim.digest,
            notice=seen.signed.id,
        )
        self._enter(sighting, self.agreement.engine.decision_key)
        return True

    def _asks_gate(self) -> bool:
        if (stage := stage_for_the_gate(self.claim)) is None:
            return False
        made = decide(self.agreement, self.claim, stage, self.props.sight(self.now))
        decision = DecisionStatement(
            **self._header(gate_person(self.agreement.deployment)),
            claim=self.claim.digest,
            stage=stage,
            released=made.released,
            decided_at=self.now,
            record=self.claim.record_digest,
            premises=made.premises,
            contributions=self._shares(stage) if made.released else (),
        )
        self._enter(decision, self.agreement.engine.decision_key)
        return True

    def _shares(self, stage: StageId) -> tuple[Contribution, ...]:
        return tuple(
            Contribution(component=component, leaf="gate", sealed_digest=invented("share"))
            for component in self.agreement.stage(stage).components
        )

    def _enter(self, body: Body, *keys: PublicKey) -> None:
        signed = as_if_signed(body, *keys, name=f"{body.KIND} {len(self.claim.entries)}")
        entry = Entry(index=len(self.claim.entries), accepted_at=self.now, signed=signed)
        self.claim = advance(self.props.terms, self.claim, entry)

    def _header(self, person: PersonId) -> HeaderMembers:
        return self.props.terms.header(person, self.now, self._nonce())

    def _nonce(self) -> str:
        return f"{len(self.claim.entries):032x}"
