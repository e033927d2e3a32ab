"""Why JSON is refused."""

from tallystick.domain.errors import MalformedError


class NotUtf8Error(MalformedError):
    """Bytes that are not plain UTF-8."""

    code = "json-not-utf8"
    why = "JSON between systems is UTF-8 without a byte order mark (RFC 8259 section 8.1)."
    advice = "Write UTF-8 without a byte order mark; in many editors, that is an option of `Save as`."


class JsonSyntaxError(MalformedError):
    """Text that breaks the JSON grammar, or continues after its value."""

    code = "json-syntax"
    why = "The bytes are not exactly one JSON value."
    advice = "Correct the JSON at the character whose position `at` gives."


class JsonTooLargeError(MalformedError):
    """More bytes, nesting or values than a document may have."""

    code = "json-too-large"
    why = "Documents are bounded in size, depth and number of values."
    advice = "Send less; `limit` says how much is allowed."


class DuplicateMemberError(MalformedError):
    """An object that names one member twice, which parsers read differently."""

    code = "json-duplicate-member"
    why = "Parsers disagree on which of two equal names counts, so neither does."
    advice = "Name each member once; names that differ only in escapes are equal."


class UnsupportedNumberError(MalformedError):
    """A number that is not an integer that every parser reads alike."""

    code = "json-number"
    why = "Numbers are integers within ±(2^53-1), without fraction, exponent or negative zero."
    advice = "Write the value as an integer in that range, or as text."


class UnsupportedTextError(MalformedError):
    """Text with control characters or half of a surrogate pair."""

    code = "json-text"
    why = "Text has no control characters except tab and newline, and is well-formed Unicode."
    advice = "Remove the character; `at` says in which value."


class UnsupportedValueError(MalformedError):
    """A value that JSON, as used here, cannot carry."""

    code = "json-value"
    why = "Only null, booleans, integers, text, lists and objects with text names are written."
    advice = "Convert the value first; times, digests and bytes are written as text."


class NotCanonicalError(MalformedError):
    """JSON that is not written in its RFC 8785 form."""

    code = "json-not-canonical"
    why = "A signed body must equal its own canonical form (RFC 8785), so that it has one digest."
    advice = "Write the body with an RFC 8785 serializer, then sign those bytes."
