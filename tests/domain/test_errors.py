"""An error from another process is raised here as the class that it was there."""

from tallystick.domain.errors import told_of
from tallystick.domain.ids import ClaimId
from tallystick.domain.refusals import MisdirectedError


def test_error_of_another_process_has_the_class_of_its_code_and_keeps_its_facts() -> None:
    error = told_of("misdirected", "it names another claim", {"given": ClaimId("clm-1")})
    assert type(error) is MisdirectedError
    assert (error.message, error.facts) == ("it names another claim", {"given": "clm-1"})


def test_error_with_an_unknown_code_is_not_one_of_ours() -> None:
    assert told_of("no-such-code", "who knows", {}) is None
