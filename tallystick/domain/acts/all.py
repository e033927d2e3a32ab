"""Every act, one line each, in the order in which commands and addresses are listed."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from tallystick.domain.acts.act import Act, Rule
from tallystick.domain.claim.claim import Claim
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.errors import MalformedError
from tallystick.domain.kinds import Kind
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.header import ActBody
from tallystick.domain.statements.signed import Body, Signed

_FILES: Final = (
    "course.confirmation",
    "course.intake",
    "course.acknowledgement",
    "votes.approval",
    "votes.denial",
    "votes.objection",
    "votes.retraction",
    "course.withdrawal",
    "orders.hold",
    "delivery.giving_back",
    "orders.ruling",
    "orders.instruction",
    "orders.lift",
    "course.service",
    "delivery.receivers",
    "delivery.receipt",
)

ACTS: Final[tuple[Act[Any], ...]] = tuple(
    import_module(f"tallystick.domain.acts.{file}").ACT for file in _FILES
)

BY_KIND: Final[Mapping[Kind, Act[Any]]] = MappingProxyType({act.kind: act for act in ACTS})

BY_COMMAND: Final[Mapping[str, Act[Any]]] = MappingProxyType(
    {act.command.name: act for act in ACTS if act.command is not None and not act.command.group}
)
"""The acts whose command is in no group."""

OF_CLAIM: Final = tuple(act for act in ACTS if act.command is not None and act.command.group == "claim")
"""The acts whose command is one of `tallystick claim`."""

RULES: Final[Mapping[type[Body], Rule[Any]]] = MappingProxyType({act.body: act.rule for act in ACTS})
"""The rule of each type of body."""

TOGETHER: Final = frozenset(act.kind for act in ACTS if act.together)
"""Kinds that several persons may sign together, in one envelope."""


class NotDraftedError(MalformedError):
    """Statements of this kind are not drafted."""

    code = "not-drafted"
    why = "Only acts about a claim are drafted; claims, deposits and agreements are written from files."
    advice = "Choose one of the kinds in the facts."


def draft(kind: Kind, heading: Heading, claim: Claim, choices: Choices) -> ActBody:
    """Return the statement of `kind` that a person would make about a claim.

    What its author left open is filled in from the record. `admission` decides whether the statement may
    be recorded, and may refuse it.

    Raises:
        NotDraftedError: The kind is not an act about a claim.
        DraftIncompleteError: `choices` lacks something that this kind needs.
    """
    if kind not in BY_KIND:
        raise NotDraftedError("this kind of statement is not drafted", kind=kind.value, known=sorted(BY_KIND))
    act = BY_KIND[kind]
    body: ActBody = act.draft(heading, act.completed(heading, claim, choices))
    return body


def check_is_act(signed: Signed[Body]) -> None:
    """Refuse what is not a person's statement about a claim.

    Raises:
        MisdirectedError: A filing, a deposit, a revocation …, or a statement of the engine's.
    """
    if type(signed.body) not in RULES:
        raise MisdirectedError("this is not a person's statement about a claim", kind=signed.kind.value)
