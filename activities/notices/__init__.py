"""Letters: about claims, about damaged copies, and how they leave."""
