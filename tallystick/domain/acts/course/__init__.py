"""Acts that move a claim along or end it: the check of its form, the receipt of notice, its withdrawal."""
