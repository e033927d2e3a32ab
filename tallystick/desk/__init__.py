"""A person's own means, without a terminal: key, server, trust, files, forms."""
