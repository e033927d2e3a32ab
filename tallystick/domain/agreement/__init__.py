"""What the parties agreed: everything in which real escrow agreements differ, as data.

To look something up, call a method of `Agreement`; a claim holds it as `Terms`, with the digest that it
pins. To compute a deadline with the days that were counted, call `deadline`. Each other module has one
part of the document: parties, components, conditions, windows, stages (`plan`), powers and so on.
"""
