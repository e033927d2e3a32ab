"""Base64 in its one allowed spelling, so that equal bytes are equal text."""

import binascii

from tallystick.domain.errors import MalformedError


class MalformedBase64Error(MalformedError):
    """Text that is not the one base64 spelling of any bytes."""

    code = "malformed-base64"
    why = "Binary values are standard base64 (RFC 4648 section 4), padded, with zero trailing bits."
    advice = "Encode the bytes again: standard alphabet, padding, no spaces or line breaks."


def base64_text(data: bytes) -> str:
    """Return `data` in standard base64 with padding (RFC 4648 section 4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def base64_bytes(text: str, *, where: str) -> bytes:
    """Return the bytes of which `text` is the one spelling.

    Python's decoder ignores trailing bits; two spellings of one signature would be two envelopes, so the
    text must match.

    Raises:
        MalformedBase64Error: Another alphabet, missing padding, stray bits or characters.
    """
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        raise MalformedBase64Error("a text is not base64", at=where) from None
    if base64_text(data) != text:
        raise MalformedBase64Error("a text is not the one base64 spelling of its bytes", at=where)
    return data
