"""Why a connection was not made: what is wrong with the certificate that the other side showed."""

import ssl


def certificate_fault(error: BaseException | None) -> str | None:
    """Return what is wrong with a server's certificate, if that is what led to `error`; else None.

    Libraries wrap the error of TLS in their own, which say only that there was no connection. A proxy that
    reads along, or a certificate that has run out, looks like a broken wire then.
    """
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None
