"""Every bound, in the module of its subject, asserted against others where they meet.

Anything without a number here is bounded by something that has one, or only people
end it (and the code that waits says so).
"""
