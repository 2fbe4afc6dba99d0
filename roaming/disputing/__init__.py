"""Disputes about CDRs that others have sent us.

desk       opens disputes, moves them on, and sees when a credit CDR has resolved one
bundle     the evidence for the partner, as one document
arriving   how the CDR came, from the exchange log
comparing  what it claims beside what it should be
page       the same evidence as a page to be read, printed and sent
"""
