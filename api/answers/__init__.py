"""The shapes of answers, and how claims are put into them."""
