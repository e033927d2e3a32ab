"""Agreements to start from: `filling.filled` makes a draft of a template.

Each template is a commented YAML file beside this module. Its placeholders are written `${so}`; what is left
for its parties to edit is marked `# EDIT`, and `filling.edits` lists those lines. `holidays.calendar_of` pins
the holidays of a country, from the library `holidays`, which is installed only on request. They are written
into the draft, so that what the parties sign has them.
"""
