"""Speaks with tests/interop/node/peer.mjs: questions to implementations that are not ours."""

import base64
import json
from dataclasses import dataclass
from typing import IO, cast


class PeerRefusedError(Exception):
    """The other implementation refused what it was given."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A running peer, which takes one question at a time and answers it."""

    questions: IO[str]
    answers: IO[str]

    def ask(self, question: str, *given: str | bytes) -> str:
        """Return the answer as text; bytes go as base64.

        Raises:
            PeerRefusedError: The other implementation threw an error.
        """
        texts = [text if isinstance(text, str) else base64.b64encode(text).decode() for text in given]
        self.questions.write(json.dumps([question, *texts]) + "\n")
        self.questions.flush()
        verdict, answer = cast("list[str]", json.loads(self.answers.readline()))
        if verdict != "answered":
            raise PeerRefusedError(answer)
        return answer

    def ask_for_bytes(self, question: str, *given: str | bytes) -> bytes:
        """Return the answer, which is base64, as bytes.

        Raises:
            PeerRefusedError: The other implementation threw an error.
        """
        return base64.b64decode(self.ask(question, *given), validate=True)
