"""Reports as files that people open: `html.page_of` makes a web page, `pdf.pdf_of` a PDF/A-3.

Both print the sections of a `tallystick.domain.report.layout.Paper`, and add nothing. The template of the PDF
is a file of its own beside them. Typst, which sets it, is installed only on request.
"""
