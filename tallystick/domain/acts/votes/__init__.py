"""Acts for and against a claim: approval, denial, objection, and taking one of them back."""
