"""The one decision: may this stage be released."""
