"""How claims turn out: stories, each of which a lawyer could read aloud.

The numbers are those of the edge cases that escrow agreements are known to trip
over; where our rule is another than the usual proposal, the title says "ours".
"""

from dataclasses import dataclass, replace
from typing import Final

import pytest

from tallystick.domain.agreement.plan import Opening, Opens
from tests.support.stories.stories import play
from tests.support.worlds.agreements import (
    AGREEMENT,
    agreement,
    quorum,
)
from tests.support.worlds.groundwork import FILED_FOR
from tests.support.worlds.world import World


@dataclass(frozen=True)
class Story:
    title: str
    tells: str


OPEN: Final = """
    bea files
    ana accepts
    dora acknowledges
"""
IN_APPROVAL: Final = f"{OPEN}\nthe window ends\n"
CRITICAL_IN_APPROVAL: Final = """
    bea files for critical
    ana accepts
    dora acknowledges
    the window ends
"""
LENT: Final = """
    bea files
    ana accepts
    kim approves provisional
    tom approves provisional
    bea reports provisional activated
"""
PAST_DOCS: Final = f"""
    {LENT}
    dora acknowledges
    the window ends
    = APPROVAL; provisional ACTIVATED
"""
CRITICAL_OUT: Final = f"""
    {PAST_DOCS}
    ana approves critical, source
    kim approves critical, source
    tom approves critical, source
    = PROVISIONING; critical DECIDED
"""
RELEASED: Final = f"""
    {CRITICAL_OUT}
    bea reports critical activated
    3 days pass
    = PROVISIONING; source DECIDED
    bea reports source activated
    = RELEASED; provisional ACTIVATED; critical ACTIVATED; source ACTIVATED
"""

STORIES: Final = (
    # ---------------------------------------------------------------- approval and its counting
    Story("everyone agrees, and everything is released stage by stage", RELEASED),
    Story(
        "two of three suffice for provisional access, before any window",
        """
        bea files
        ana accepts
        kim approves provisional
        = ACCEPTED; provisional WAITING
        tom approves provisional
        = ACCEPTED; provisional DECIDED
        """,
    ),
    Story(
        "approvals from before the receivers were named anew are asked for again",
        f"""
        {CRITICAL_IN_APPROVAL}
        ana approves critical
        kim approves critical
        bea and ben name as receiver ben
        tom approves critical
        = APPROVAL; critical WAITING
        ana approves critical
        = APPROVAL; critical WAITING
        ! already-stated: ana approves critical
        kim approves critical
        = PROVISIONING; critical DECIDED
        """,
    ),
    Story(
        "receivers who are named while the gate is asked take the quorum back",
        f"""
        {CRITICAL_IN_APPROVAL}
        the gate is down
        ana approves critical
        kim approves critical
        tom approves critical
        = VALIDATING; critical QUORATE
        bea and abe name as receivers bea, ben
        = APPROVAL; critical WAITING
        the gate works
        = APPROVAL; critical WAITING
        ana approves critical
        kim approves critical
        tom approves critical
        = PROVISIONING; critical DECIDED
        """,
    ),
    Story(
        "what is decided stays sealed to whom it was, and only they and claimants report it",
        f"""
        {CRITICAL_OUT}
        bea and ben name as receiver ben
        ben reports critical activated
        3 days pass
        = APPROVAL; source WAITING
        """,
    ),
    Story(
        "receivers are named by two of the beneficiary, or by one of them and the agent's intake",
        f"""
        {OPEN}
        ! not-authorised-to-state: bea names as receiver ben
        ! not-authorised-to-state: ana and abe name as receiver ben
        ! not-authorised-to-state: bea and kim name as receiver ben
        ! not-authorised-to-state: dora and bea name as receiver ben
        ! receivers-refused: bea and ben name as receiver ana
        ! receivers-refused: bea and ben name as receivers ben, ben
        bea and ana name as receiver ben
        """,
    ),
    Story(
        "nobody receives anything else once all is decided",
        f"""
        {CRITICAL_OUT}
        bea reports critical activated
        3 days pass
        = PROVISIONING; source DECIDED
        ! claim-wrong-state: bea and ben name as receiver ben
        """,
    ),
    Story(
        "nothing but provisional access goes out while the window runs",
        f"""
        {OPEN}
        ana approves provisional, critical, source
        kim approves provisional, critical, source
        tom approves provisional, critical, source
        = WINDOW; provisional DECIDED; critical WAITING
        bea reports provisional activated
        the last moment of the window comes
        = WINDOW; critical WAITING
        1 second passes
        = PROVISIONING; critical DECIDED
        """,
    ),
    Story(
        "the same person twice is one person",
        """
        bea files
        ana accepts
        kim approves provisional
        ! already-stated: kim approves provisional
        = ACCEPTED; provisional WAITING
        """,
    ),
    Story(
        "two officers in one `any` group are one seat",
        """
        bea files
        ana accepts
        ana approves provisional
        abe approves provisional
        = ACCEPTED; provisional WAITING
        kim approves provisional
        = ACCEPTED; provisional DECIDED
        """,
    ),
    Story(
        "the claimant does not approve",
        "bea files\nana accepts\n! not-authorised-to-state: bea approves provisional",
    ),
    Story(
        "nor a colleague of the claimant",
        "bea files\nana accepts\n! not-authorised-to-state: ben approves provisional",
    ),
    Story(
        "the depositor's own approval counts where the quorum names them, and nowhere else",
        f"""
        {PAST_DOCS}
        ! not-authorised-to-state: dora approves provisional
        dora approves critical
        kim approves critical
        tom approves critical
        = PROVISIONING; critical DECIDED
        """,
    ),
    Story(
        "an approval is for the stages it names and for no other",
        f"""
        {PAST_DOCS}
        ana approves critical
        kim approves critical
        tom approves critical
        bea reports critical activated
        6 days pass
        = APPROVAL; source WAITING
        """,
    ),
    Story(
        "an approval for a drill is none for a release",
        "bea files\nana accepts\n! misdirected: kim approves provisional as a drill",
    ),
    Story(
        "nobody approves a claim whose form is not accepted",
        "bea files\n! claim-wrong-state: kim approves provisional\n= FILED",
    ),
    Story(
        "a stage that the claim does not ask for is not approved",
        "bea files for provisional\nana accepts\n! unknown-stage: kim approves critical",
    ),
    Story(
        "an approval does not outlive the agreement's lifetime for one",
        "bea files\nana accepts\n! bad-timing: kim approves provisional for 31 days",
    ),
    Story(
        "an approval that has expired does not count, and may be given anew",
        f"""
        {OPEN}
        kim approves provisional for 1 days
        2 days pass
        tom approves provisional
        = WINDOW; provisional WAITING
        kim approves provisional
        = WINDOW; provisional DECIDED
        """,
    ),
    Story(
        "an approver who takes it back in time does not count",
        """
        bea files
        ana accepts
        the gate is down
        kim approves provisional
        tom approves provisional
        = ACCEPTED; provisional QUORATE
        tom retracts the approval
        the gate works
        = ACCEPTED; provisional WAITING
        """,
    ),
    Story(
        "what is taken back cannot be taken back again",
        """
        bea files
        ana accepts
        kim approves provisional
        kim retracts the approval
        ! nothing-to-retract: kim retracts the approval
        ! nothing-to-retract: tom retracts the approval
        """,
    ),
    Story(
        "16: an approver whose key is revoked before the decision does not count",
        """
        bea files
        ana accepts
        the gate is down
        kim approves provisional
        tom approves provisional
        tom revokes their own key
        the gate works
        = ACCEPTED; provisional WAITING
        ana approves provisional
        5 seconds pass
        = ACCEPTED; provisional DECIDED
        """,
    ),
    Story(
        "16: revoked after the decision, it changes nothing that was decided",
        f"""
        {LENT}
        tom revokes their own key
        = ACCEPTED; provisional ACTIVATED
        ! key-revoked: tom approves critical
        """,
    ),
    Story(
        "16: a quorum revokes a stolen key, one person alone does not",
        """
        bea files
        ana accepts
        ! not-authorised-to-state: kim revokes tom's key
        ana and kim revoke tom's key
        ! key-revoked: tom approves provisional
        """,
    ),
    Story(
        "17: a quorum that cannot be reached any more lapses, it is never lowered",
        f"""
        {PAST_DOCS}
        tom revokes their own key
        kim revokes their own key
        ana approves critical
        dora approves critical
        9 days pass
        = LAPSED; critical WAITING
        """,
    ),
    # ---------------------------------------------------------------- denial
    Story(
        "one denial is not enough, two of three end the claim",
        f"{OPEN}\nkim denies\n= WINDOW\ntom denies\n= DENIED",
    ),
    Story(
        "a denial quorum goes before an approval quorum",
        f"""
        {PAST_DOCS}
        the gate is down
        ana approves critical
        kim approves critical
        tom approves critical
        = VALIDATING; critical QUORATE
        kim denies
        tom denies
        = DENIED; critical QUORATE
        the gate works
        = DENIED; critical WAITING
        """,
    ),
    Story(
        "a denial may be taken back while it stands",
        f"{OPEN}\nkim denies\nkim retracts the denial\ntom denies\n= WINDOW\nkim denies\n= DENIED",
    ),
    Story("the same denial twice is one", f"{OPEN}\nkim denies\n! already-stated: kim denies\n= WINDOW"),
    Story(
        "who has denied approves nothing of it until the denial is taken back",
        f"{OPEN}\nkim denies\n! denial-stands: kim approves provisional\nana approves provisional\n"
        "= WINDOW; provisional WAITING\nkim retracts the denial\nkim approves provisional\n"
        "= WINDOW; provisional DECIDED",
    ),
    Story(
        "a denial after an approval takes the approval out of the count",
        f"{OPEN}\nkim approves provisional\nkim denies\nana approves provisional\n"
        "= WINDOW; provisional WAITING\ntom approves provisional\n= WINDOW; provisional DECIDED",
    ),
    Story(
        "a denial of one stage bars its author from that stage only",
        f"{OPEN}\nkim denies stage critical\n! denial-stands: kim approves provisional, critical\n"
        "kim approves provisional\nana approves provisional\n= WINDOW; provisional DECIDED",
    ),
    Story(
        "a stage that enough persons deny is not released, and the claim lapses",
        f"""
        {PAST_DOCS}
        kim denies stage critical
        tom denies stage critical
        ana approves critical
        dora approves critical
        = APPROVAL; critical WAITING
        9 days pass
        = LAPSED; critical WAITING
        """,
    ),
    Story(
        "denials of every undecided stage end the claim as one of the whole does",
        f"{OPEN}\nkim denies stages provisional, critical\ntom denies\n= WINDOW\n"
        "kim denies stage source\n= DENIED",
    ),
    Story(
        "the same denial of a stage twice is one, and a whole one includes it",
        f"{OPEN}\nkim denies stage critical\n! already-stated: kim denies stage critical\nkim denies\n"
        "! already-stated: kim denies stage provisional\n= WINDOW",
    ),
    Story(
        "the denier whose key is revoked does not count",
        f"{OPEN}\nkim denies\nkim revokes their own key\ntom denies\n= WINDOW\nana denies\n= DENIED",
    ),
    # ---------------------------------------------------------------- notice and window
    Story(
        "no proof of notice, no window",
        "bea files\nnotices bounce\nana accepts\n40 days pass\n= ACCEPTED",
    ),
    Story(
        "6: a notice that no channel took is tried again, and opens the window once one did",
        "bea files\nnotices bounce\nana accepts\n5 days pass\n= ACCEPTED\n"
        "notices arrive\n3 days pass\n= WINDOW",
    ),
    Story(
        "6: ours: a notice that was taken is deemed received a day later, without anyone's word",
        "bea files\nana accepts\n23 hours pass\n= ACCEPTED\n1 hour passes\n= WINDOW",
    ),
    Story(
        "1: an objection at the last moment is in time",
        f"{OPEN}\nthe last moment of the window comes\ndora objects\n= CONTESTED",
    ),
    Story(
        "1: ours: after the window, but before the decision, it stops the release all the same",
        f"{IN_APPROVAL}\ndora objects\n= CONTESTED",
    ),
    Story(
        "2: an objection while the gate is at work stops it",
        f"""
        {PAST_DOCS}
        the gate is down
        ana approves critical
        kim approves critical
        tom approves critical
        = VALIDATING; critical QUORATE
        dora objects
        = CONTESTED; critical WAITING
        the gate works
        = CONTESTED; critical WAITING
        """,
    ),
    Story(
        "2: an objection to what is decided is recorded as late, and stops nothing",
        f"""
        {CRITICAL_OUT}
        dora objects to critical
        bea reports critical activated
        3 days pass
        = PROVISIONING; source DECIDED
        """,
    ),
    Story(
        "2: a late objection uses up nothing: another may follow it",
        f"""
        {CRITICAL_OUT}
        dora objects to critical
        dora objects to critical
        dora objects to source
        bea reports critical activated
        = CONTESTED; source WAITING
        """,
    ),
    Story(
        "2: an objection between two stages stops the second, not the first",
        f"""
        {CRITICAL_OUT}
        dora objects
        = PROVISIONING; critical DECIDED
        bea reports critical activated
        = CONTESTED; critical ACTIVATED; source WAITING
        """,
    ),
    Story(
        "3: ours: the days that are open at the recipient's and the agent's count",
        # 24 November and ten business days: 8 December, 17:00 in Berlin
        f"{OPEN}\n14 days pass\n= WINDOW\n7 hours pass\n= WINDOW\n1 second passes\n= APPROVAL",
    ),
    Story(
        "4: ours: the pinned calendar stands; a new holiday is met by a hold, never by a shorter window",
        f"""
        {PAST_DOCS}
        kim holds the claim
        ana approves critical
        kim approves critical
        tom approves critical
        = APPROVAL; critical WAITING
        """,
    ),
    Story(
        "5: a notice after the cut-off hour at the recipient's is received the next business day",
        # 17:30 in Berlin on 24 November: the 25th is not counted, so the window ends a day later
        "bea files\nana accepts\n7 hours pass\n30 minutes pass\ndora acknowledges\n"
        "14 days pass\n= WINDOW\n1 day passes\n= APPROVAL",
    ),
    # ---------------------------------------------------------------- objection and its end
    Story(
        "7: an objection by someone who may not make one is refused and stops nothing",
        f"{OPEN}\n! not-authorised-to-state: tom objects\n= WINDOW",
    ),
    Story(
        "7: nor is one with a revoked key",
        f"{OPEN}\ndirk revokes their own key\n! key-revoked: dirk objects\n= WINDOW\n"
        "dora objects\n= CONTESTED",
    ),
    Story(
        "8: an objection needs one of the grounds, and words",
        f"{OPEN}\n! unknown-ground: dora objects as a-hunch\n! unknown-ground: dora objects without a word",
    ),
    Story("the same objection twice is one", f"{OPEN}\ndora objects\n! already-stated: dora objects"),
    Story(
        "9: an objection that was retracted is over for this claim, for the whole party",
        f"""
        {OPEN}
        dora objects
        = CONTESTED
        dora retracts the objection
        = WINDOW
        ! retraction-is-final: dora objects
        ! retraction-is-final: dirk objects
        """,
    ),
    Story(
        "an objection that was ruled on is not made again",
        f"{OPEN}\ndora objects\nkim rules to release\n= WINDOW\n! dispute-settled: dora objects\n"
        "! dispute-settled: dirk objects to critical",
    ),
    Story(
        "a ruling on a partial objection leaves the rest of the claim contestable",
        f"{OPEN}\ndora objects to source\nkim rules to release\ndora objects to critical\n= WINDOW",
    ),
    Story(
        "10: a partial objection lets the uncontested stages go on",
        f"""
        {OPEN}
        dora objects to source
        = WINDOW
        ana approves provisional, critical, source
        kim approves provisional, critical, source
        tom approves provisional, critical, source
        bea reports provisional activated
        the window ends
        = PROVISIONING; critical DECIDED
        bea reports critical activated
        3 days pass
        = CONTESTED; source WAITING
        kim rules to release
        = PROVISIONING; source DECIDED
        """,
    ),
    Story(
        "two objections: the second still stops when the first is retracted",
        f"{OPEN}\ndora objects\ndirk objects\ndora retracts the objection\n= CONTESTED",
    ),
    Story(
        "a dispute that outlasts the window leaves the quorum its whole time",
        f"""
        {PAST_DOCS}
        dora objects
        40 days pass
        = CONTESTED
        kim rules to release
        = APPROVAL
        4 days pass
        ana approves critical
        kim approves critical
        tom approves critical
        = PROVISIONING; critical DECIDED
        """,
    ),
    Story("the arbitrator refuses", f"{OPEN}\ndora objects\nkim rules to refuse\n= REFUSED"),
    Story(
        "a ruling without its award is none",
        f"{OPEN}\ndora objects\n! ruling-incomplete: kim rules without an award\n= CONTESTED",
    ),
    Story(
        "nobody but the arbitrator rules",
        f"{OPEN}\ndora objects\n! not-authorised-to-state: tom rules to release\n= CONTESTED",
    ),
    # ---------------------------------------------------------------- cure, withdrawal, duplicates
    Story(
        "11: ours: a cure is objected, and the claimant who accepts it withdraws",
        f"{OPEN}\ndora objects as cured\n= CONTESTED\nbea withdraws as cured\n= CURED",
    ),
    Story(
        "11: what was lent is given back after a cure",
        f"""
        {LENT}
        dora objects as cured
        bea withdraws as cured
        = CURED; provisional ACTIVATED
        bea reports provisional rolled back
        bea returns docs
        = CURED; provisional ROLLED_BACK
        ! nothing-due: bea returns docs
        """,
    ),
    Story(
        "12: after a cure between two stages everything is given back",
        f"""
        {CRITICAL_OUT}
        bea reports critical activated
        bea withdraws as cured
        = CURED
        ! misdirected: bea returns docs
        bea returns docs, licence-keys, activation-rules
        """,
    ),
    Story(
        "12: a cure after the release is ordered back, and returned",
        f"""
        {RELEASED}
        dora and bea instruct to return
        = RETURN_DUE
        ! misdirected: bea returns docs
        bea returns docs, licence-keys, activation-rules, source
        = RETURNED
        """,
    ),
    Story("13: the same claim is not filed twice", "bea files\n! duplicate-claim: ben files it again"),
    Story(
        "13: once it has ended it may be filed again",
        "bea files\nana rejects\n= NOT_ACCEPTED\nben files it again\n= FILED",
    ),
    Story(
        "14: ours: only the beneficiary who filed a claim acts on it",
        f"{OPEN}\n! not-authorised-to-state: dora withdraws\n= WINDOW",
    ),
    Story("15: the claimant withdraws", f"{OPEN}\nben withdraws\n= WITHDRAWN"),
    Story(
        "15: ours: withdrawal is open until the last stage is decided",
        f"""
        {CRITICAL_OUT}
        bea reports critical activated
        3 days pass
        = PROVISIONING; source DECIDED
        ! claim-wrong-state: bea withdraws
        """,
    ),
    Story(
        "15: what is on its way when the claim is withdrawn is still reported",
        f"{CRITICAL_OUT}\nbea withdraws\n= WITHDRAWN; critical DECIDED\n"
        "bea reports critical activated\n= WITHDRAWN; critical ACTIVATED\n! nothing-due: bea returns docs",
    ),
    # ---------------------------------------------------------------- custody, agreement, deposits
    Story(
        "18: ours: the gate holds the key; without the custody epoch that was pinned, nothing goes out",
        """
        bea files
        ana accepts
        the gate finds no custody
        kim approves provisional
        tom approves provisional
        = ACCEPTED; provisional WAITING
        the gate finds all in order
        5 seconds pass
        = ACCEPTED; provisional DECIDED
        """,
    ),
    Story(
        "20: an agreement amended in between changes nothing: the claim counts under its own version",
        """
        bea files
        ana accepts
        ! misdirected: kim approves provisional under the next version
        kim approves provisional
        """,
    ),
    Story(
        "21: what goes out is the deposit that the claim pinned, whatever came later",
        """
        bea files
        ana accepts
        the gate finds another deposit
        kim approves provisional
        tom approves provisional
        = ACCEPTED; provisional WAITING
        """,
    ),
    Story("a drill is not a claim for a release", "! misdirected: bea files a drill"),
    Story(
        "a claim without its evidence is not filed",
        "! condition-not-met: bea files with insolvency-record",
    ),
    Story(
        "35: counter-evidence is evaluated: with a successor's undertaking nothing is due",
        "! condition-not-met: bea files with insolvency-record, officer-declaration, successor-undertaking",
    ),
    Story(
        "a stage is not asked for without the one it opens after",
        "! unknown-stage: bea files for source",
    ),
    Story("nobody but a claimant files", "! not-authorised-to-state: dora files"),
    # ---------------------------------------------------------------- holds
    Story(
        "23: a hold on one stage blocks that stage only",
        f"""
        {PAST_DOCS}
        kim holds source
        ana approves critical, source
        kim approves critical, source
        tom approves critical, source
        = PROVISIONING; critical DECIDED
        bea reports critical activated
        9 days pass
        = APPROVAL; source WAITING
        ana and tom lift the hold
        = PROVISIONING; source DECIDED
        """,
    ),
    Story(
        "23: a hold while the gate is at work stops it",
        f"""
        {PAST_DOCS}
        the gate is down
        ana approves critical
        kim approves critical
        tom approves critical
        kim holds the claim
        the gate works
        = APPROVAL; critical WAITING
        """,
    ),
    Story(
        "23: windows go on under a hold, and a claim does not die of it",
        f"{OPEN}\nkim holds the claim\nthe window ends\n= APPROVAL\n60 days pass\n= APPROVAL\n"
        "ana and tom lift the hold\n= APPROVAL\n9 days pass\n= LAPSED",
    ),
    Story(
        "a hold is lifted together, and once",
        f"{OPEN}\nkim holds the claim\n! not-authorised-to-state: kim lifts the hold\n"
        "ana and tom lift the hold\n= WINDOW",
    ),
    Story(
        "26: ours as proposed: a hold wins over a joint instruction",
        f"""
        {OPEN}
        kim holds the claim
        dora and bea instruct to release
        ana approves provisional, critical
        kim approves provisional, critical
        tom approves provisional, critical
        = APPROVAL; provisional WAITING; critical WAITING
        """,
    ),
    # ---------------------------------------------------------------- joint instruction, court order
    Story(
        "a joint instruction skips the window, never the quorum",
        f"""
        {LENT}
        dora and bea instruct to release
        = APPROVAL; critical WAITING
        ana approves critical
        kim approves critical
        = APPROVAL
        tom approves critical
        = PROVISIONING; critical DECIDED
        """,
    ),
    Story(
        "a joint instruction by one party is none",
        f"{OPEN}\n! not-authorised-to-state: dora and dirk instruct to release\n"
        "! not-authorised-to-state: bea instructs to release\n= WINDOW",
    ),
    Story(
        "a joint instruction whose signer is revoked before the decision skips nothing",
        f"""
        {LENT}
        the gate is down
        dora and bea instruct to release
        dora revokes their own key
        ana approves critical
        kim approves critical
        tom approves critical
        the gate works
        = APPROVAL; critical WAITING
        """,
    ),
    Story(
        "what a joint instruction had skipped goes on once a signer is revoked: nobody loses the claim by it",
        f"""
        {LENT}
        dora and bea instruct to release
        = APPROVAL
        dora revokes their own key
        15 days pass
        ana approves critical
        kim approves critical
        tom approves critical
        = PROVISIONING; critical DECIDED
        """,
    ),
    Story(
        "an objection that a joint instruction settled stands again once a signer is revoked",
        f"""
        {LENT}
        dora acknowledges
        dirk objects
        dora and bea instruct to release
        = APPROVAL
        dora revokes their own key
        the window ends
        ana approves critical
        kim approves critical
        tom approves critical
        = CONTESTED; critical WAITING
        kim rules to release
        = PROVISIONING; critical DECIDED
        """,
    ),
    Story(
        "an objection that a stolen key took back stands again once the key is revoked",
        f"""
        {PAST_DOCS}
        dora objects
        dora retracts the objection
        ! retraction-is-final: dirk objects
        = APPROVAL
        ana and tom revokes dora's key
        = CONTESTED
        ana approves critical
        kim approves critical
        tom approves critical
        = CONTESTED; critical WAITING
        """,
    ),
    Story(
        "a ruling whose arbitrator is revoked before the decision settles nothing",
        f"""
        {PAST_DOCS}
        dora objects
        kim rules to release
        = APPROVAL
        kim revokes their own key
        ana approves critical
        tom approves critical
        dora approves critical
        = CONTESTED; critical WAITING
        """,
    ),
    Story(
        "a stated limit: an acknowledgement by a key that is revoked later stands, and the window goes on",
        f"{OPEN}\ndora revokes their own key\n= WINDOW\ndirk objects\n= CONTESTED",
    ),
    Story(
        "a hold that a revoked key helped to lift stands again",
        f"""
        {PAST_DOCS}
        kim holds the claim
        abe and tom lift the hold
        abe revokes their own key
        ana approves critical
        kim approves critical
        tom approves critical
        = APPROVAL; critical WAITING
        """,
    ),
    Story("a joint instruction refuses", f"{OPEN}\ndora and bea instruct to refuse\n= REFUSED"),
    Story(
        "24: a final court order skips the window; approvals are still needed",
        f"{LENT}\nana and tom attest an order to release\n= APPROVAL; critical WAITING",
    ),
    Story(
        "24: a court order before any notice needs neither notice nor window, but every approval",
        """
        bea files
        notices bounce
        ana accepts
        kim approves provisional, critical
        tom approves provisional, critical
        ana approves critical
        bea reports provisional activated
        ana retracts the approval
        ana and tom attest an order to release
        = APPROVAL; critical WAITING
        ana approves critical
        = PROVISIONING; critical DECIDED
        """,
    ),
    Story(
        "24: ours: an order skips notice no longer once a key that attested it is revoked",
        """
        bea files for critical
        notices bounce
        ana accepts
        the gate is down
        ana and tom attest an order to release
        kim approves critical
        abe approves critical
        dora approves critical
        tom revokes their own key
        the gate works
        = APPROVAL; critical WAITING
        """,
    ),
    Story(
        "24: a court order without its finality certificate is none",
        f"{OPEN}\n! ruling-incomplete: ana and tom attest an order to release without finality\n= WINDOW",
    ),
    Story(
        "24: one officer alone attests nothing",
        f"{OPEN}\n! not-authorised-to-state: ana attest an order to release\n= WINDOW",
    ),
    Story(
        "24: an order to refuse stops what is not decided while a stage is on its way",
        f"{CRITICAL_OUT}\nana and tom attest an order to refuse\n= REFUSED; critical DECIDED; source WAITING",
    ),
    Story(
        "an order to return what is partly out ends the claim, and everything is due",
        f"{CRITICAL_OUT}\nbea reports critical activated\nana and tom attest an order to return\n= REFUSED\n"
        "bea returns docs, licence-keys, activation-rules",
    ),
    Story(
        "an order to return what a lapsed claim had let out makes it due",
        f"{CRITICAL_OUT}\nbea reports critical activated\nkim retracts the approval\n12 days pass\n= LAPSED\n"
        "! nothing-due: bea returns docs\nana and tom attest an order to return\n= LAPSED\n"
        "bea returns docs, licence-keys, activation-rules",
    ),
    Story(
        "a first objection after an order still stops; ruled on, it is over",
        f"{OPEN}\nana and tom attest an order to release\n= APPROVAL\ndora objects\n= CONTESTED\n"
        "kim rules to release\n= APPROVAL\n! dispute-settled: dora objects",
    ),
    # ---------------------------------------------------------------- provisional access
    Story(
        "provisional access stays while the parties dispute",
        f"{LENT}\ndora objects\n= CONTESTED; provisional ACTIVATED",
    ),
    Story(
        "provisional access is given back when the claim is refused",
        f"{LENT}\ndora objects\nkim rules to refuse\n= REFUSED\nbea reports provisional rolled back\n"
        "bea returns docs\n= REFUSED; provisional ROLLED_BACK",
    ),
    Story(
        "provisional access that fails is undone, and the claim continues",
        """
        bea files
        ana accepts
        kim approves provisional
        tom approves provisional
        bea reports provisional failed
        = ACCEPTED; provisional FAILED
        bea reports provisional rolled back
        dora acknowledges
        the window ends
        = APPROVAL; provisional ROLLED_BACK
        """,
    ),
    Story(
        "a provisional stage undone while the next is on its way leaves that one alone",
        """
        bea files
        ana accepts
        dora acknowledges
        kim approves provisional, critical
        tom approves provisional, critical
        ana approves critical
        bea reports provisional failed
        the window ends
        = PROVISIONING; critical DECIDED
        ! misdirected: bea reports critical rolled back
        bea reports provisional rolled back
        = PROVISIONING; critical DECIDED
        bea reports critical activated
        = APPROVAL
        """,
    ),
    Story(
        "a silent receiver of provisional access holds up nothing for ever",
        """
        bea files
        ana accepts
        dora acknowledges
        kim approves provisional
        tom approves provisional
        3 days pass
        = WINDOW; provisional FAILED
        the window ends
        = APPROVAL
        """,
    ),
    # ---------------------------------------------------------------- provisioning, rollback, lapse
    Story(
        "a stage that fails rolls back itself and keeps the rest, as the agreement says",
        f"""
        {CRITICAL_OUT}
        bea reports critical failed
        = ROLLING_BACK
        ! misdirected: bea reports provisional rolled back
        bea reports critical rolled back
        = ROLLED_BACK; provisional ACTIVATED; critical ROLLED_BACK
        """,
    ),
    Story(
        "a stage whose failure undoes everything is undone last first",
        f"""
        {CRITICAL_OUT}
        bea reports critical activated
        3 days pass
        bea reports source failed
        = ROLLING_BACK
        ! misdirected: bea reports critical rolled back
        bea reports source rolled back
        bea reports critical rolled back
        = ROLLING_BACK
        bea reports provisional rolled back
        = ROLLED_BACK
        """,
    ),
    Story(
        "what a failed release has kept may be ordered back, as after a whole one",
        f"""
        {CRITICAL_OUT}
        bea reports critical failed
        bea reports critical rolled back
        = ROLLED_BACK; provisional ACTIVATED; critical ROLLED_BACK
        ! nothing-due: bea returns docs
        ana and tom attest an order to return
        = RETURN_DUE
        bea reports provisional rolled back
        ! misdirected: bea returns docs
        bea returns docs, licence-keys, activation-rules
        = RETURNED; provisional ROLLED_BACK
        """,
    ),
    Story(
        "who never reports a rollback keeps no order to return away",
        f"""
        {CRITICAL_OUT}
        49 hours pass
        = ROLLING_BACK; critical FAILED
        dora and bea instruct to return
        = RETURN_DUE; critical FAILED
        bea reports critical rolled back
        bea returns docs, licence-keys, activation-rules
        = RETURNED; provisional ACTIVATED; critical ROLLED_BACK
        """,
    ),
    Story(
        "a silent receiver is a failed stage",
        f"{CRITICAL_OUT}\n49 hours pass\n= ROLLING_BACK; critical FAILED\n"
        "! claim-wrong-state: bea reports critical activated",
    ),
    Story(
        "a stage that is not on its way is not reported",
        f"{CRITICAL_OUT}\n! claim-wrong-state: bea reports source activated\n= PROVISIONING; source WAITING",
    ),
    Story("silence approves nothing: the claim lapses", f"{IN_APPROVAL}\n9 days pass\n= LAPSED"),
    Story(
        "the gate refuses an altered deposit, asks again, and the claim does not lapse meanwhile",
        f"""
        {OPEN}
        the gate finds an altered byte
        kim approves provisional
        tom approves provisional
        = WINDOW; provisional WAITING
        the window ends
        12 days pass
        = APPROVAL; provisional WAITING
        the gate finds all in order
        1 day passes
        = PROVISIONING; provisional DECIDED
        """,
    ),
    Story(
        "22: ours: a later deposit changes nothing; a claim on an unverified one is not filed",
        f"{OPEN}\n! misdirected: dora deposits\n= WINDOW",
    ),
    Story(
        "a claim whose claimant's key was revoked is not released",
        f"{OPEN}\nbea revokes their own key\nkim approves provisional\ntom approves provisional\n"
        "= WINDOW; provisional WAITING\nben withdraws\n= WITHDRAWN",
    ),
    Story(
        "the escrow agent finds the form incomplete",
        "bea files\nana rejects\n= NOT_ACCEPTED\n! claim-wrong-state: ana accepts",
    ),
)


FILED_FOR_HALDEN: Final = """
    ana files on behalf of halden
    bea confirms
    abe accepts
    dora acknowledges
    the window ends
"""
FILED_FOR_STORIES: Final = (
    Story(
        "the agent files, the bank confirms, another officer takes it in, and it is released to the bank",
        f"""
        {FILED_FOR_HALDEN}
        = APPROVAL; critical WAITING
        abe approves critical
        kim approves critical
        tom approves critical
        = PROVISIONING; critical DECIDED
        bea reports critical activated
        = RELEASED; critical ACTIVATED
        """,
    ),
    Story(
        "once the bank has confirmed, whoever filed does not stop the release by revoking their own key",
        f"""
        {FILED_FOR_HALDEN}
        ana revokes their own key
        abe approves critical
        kim approves critical
        tom approves critical
        = PROVISIONING; critical DECIDED
        """,
    ),
    Story(
        "once the key that confirmed is revoked, another confirms, and all but deniers are asked again",
        f"""
        {FILED_FOR_HALDEN}
        abe approves critical
        tom approves critical
        kim denies
        ana and kim revoke bea's key
        = APPROVAL; critical WAITING
        ben confirms
        ! already-stated: ben confirms
        ! denial-stands: kim approves critical
        abe approves critical
        tom approves critical
        = APPROVAL; critical WAITING
        tom denies
        = DENIED
        """,
    ),
    Story(
        "another of the bank confirms what is not yet taken in",
        """
        ana files on behalf of halden
        bea confirms
        ana and kim revoke bea's key
        ben confirms
        abe accepts
        = ACCEPTED
        """,
    ),
    Story(
        "what nobody has confirmed is neither taken in nor noticed nor given other receivers",
        """
        ana files on behalf of halden
        ! confirmation-awaited: abe accepts
        ! confirmation-awaited: abe rejects
        ! confirmation-awaited: bea and ben name as receiver ben
        ! claim-wrong-state: dora acknowledges
        ! claim-wrong-state: kim approves critical
        ! claim-wrong-state: kim denies
        = FILED
        """,
    ),
    Story(
        "what stops goes on being accepted before anybody has confirmed",
        """
        ana files on behalf of halden
        kim holds the claim
        bea confirms
        ana files on behalf of halden
        kim rules to refuse
        = REFUSED
        """,
    ),
    Story(
        "nobody but a claimant of that beneficiary confirms, and only once",
        """
        ana files on behalf of halden
        ! not-authorised-to-state: ana confirms for bea
        ! not-authorised-to-state: abe confirms for bea
        ! not-authorised-to-state: dora confirms for bea
        ! receivers-refused: bea confirms for ana
        ! receivers-refused: bea confirms for bea, bea
        ben confirms for bea, ben
        ! already-stated: bea confirms
        """,
    ),
    Story(
        "what the bank filed itself needs no confirmation",
        """
        bea files
        ! already-stated: bea confirms
        ana accepts
        """,
    ),
    Story(
        "the filer does not take in, vote, lift, rule or attest what they filed",
        """
        ana files on behalf of halden
        bea confirms
        ! not-authorised-to-state: ana accepts
        ! not-authorised-to-state: bea and ana name as receiver ben
        abe accepts
        ! self-serving: ana approves critical
        ! self-serving: ana denies
        kim holds the claim
        ! self-serving: ana and kim lift the hold
        abe and kim lift the hold
        ! self-serving: ana and tom attest an order to release
        abe and tom attest an order to release
        """,
    ),
    Story(
        "the filer withdraws what nobody confirmed, and nothing that was",
        """
        ana files on behalf of halden
        ! not-authorised-to-state: abe withdraws
        ana withdraws
        = WITHDRAWN
        ana files on behalf of halden
        bea confirms
        ! not-authorised-to-state: ana withdraws
        ben withdraws
        = WITHDRAWN
        """,
    ),
    Story(
        "the bank refuses what was filed for it, by withdrawing it",
        "ana files on behalf of halden\nben withdraws\n= WITHDRAWN",
    ),
    Story(
        "what nobody confirms lapses after the agreed time, and can be confirmed no more",
        """
        ana files on behalf of halden
        6 days pass
        = FILED
        8 days pass
        = LAPSED
        ! claim-wrong-state: bea confirms
        """,
    ),
    Story(
        "a hold on what waits to be confirmed neither saves time nor costs any",
        """
        ana files on behalf of halden
        kim holds the claim
        20 days pass
        = FILED
        abe and tom lift the hold
        6 days pass
        = FILED
        bea confirms
        ana files on behalf of halden
        kim holds the claim
        20 days pass
        bea confirms
        = FILED
        """,
    ),
    Story(
        "nobody files for a party that is no beneficiary, or without leave",
        """
        ! not-authorised-to-state: ana files on behalf of kestrel
        ! not-authorised-to-state: kim files on behalf of halden
        ! not-authorised-to-state: bea files on behalf of halden
        """,
    ),
)


def test_a_confirmation_after_the_last_moment_is_late_even_before_the_engine_records_the_end() -> None:
    asleep = World(agreement=FILED_FOR, engine_runs=False)
    play("ana files on behalf of halden\n8 days pass\n! confirmation-late: bea confirms\n= FILED", asleep)


def test_the_filer_instructs_no_release_together_with_both_sides() -> None:
    joint = quorum({"all": ["dora@nordwind", "bea@halden", {"any": ["ana@harbour", "abe@harbour"]}]})
    terms = replace(FILED_FOR, authorities=replace(FILED_FOR.authorities, joint_instruction=joint))
    play(
        """
        ana files on behalf of halden
        bea confirms
        abe accepts
        ! self-serving: dora, bea and ana instruct to release
        dora, bea and abe instruct to release
        dora, bea and ana instruct to refuse
        = REFUSED
        """,
        World(agreement=terms),
    )


@pytest.mark.parametrize("story", FILED_FOR_STORIES, ids=[story.title for story in FILED_FOR_STORIES])
def test_story_of_a_claim_that_the_agent_filed(story: Story) -> None:
    play(story.tells, World(agreement=FILED_FOR))


@pytest.mark.parametrize("story", STORIES, ids=[story.title for story in STORIES])
def test_story(story: Story) -> None:
    play(story.tells)


def test_a_stage_is_not_released_after_one_that_was_undone() -> None:
    _, critical, source = AGREEMENT.stages
    second = replace(source, opens=Opening(when=Opens.AFTER_WINDOW))
    play(
        f"""
        {IN_APPROVAL}
        ana approves critical, source
        kim approves critical, source
        tom approves critical
        = PROVISIONING; critical DECIDED
        bea reports critical activated
        = APPROVAL
        bea reports critical rolled back
        tom approves source
        = APPROVAL; critical ROLLED_BACK; source WAITING
        """,
        World(agreement=agreement(stages=(critical, second), components=AGREEMENT.components[1:])),
    )


def test_every_edge_case_has_its_story() -> None:
    numbers = {int(story.title.partition(":")[0]) for story in STORIES if story.title[0].isdigit()}
    assert {*range(1, 19), *range(20, 25)} <= numbers


def test_the_table_is_long_enough_and_has_nothing_twice() -> None:
    titles = [story.title for story in STORIES]
    assert len(titles) >= 45
    assert len(set(titles)) == len(titles)
