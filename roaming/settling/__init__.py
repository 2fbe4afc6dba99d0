"""Settling the months of CPOs and eMSPs: what the CDRs of a month come to, to the last digit.

months     calendar months in a time zone
terms      what two parties have agreed on for their settlements
shares     net amount and VAT of one CDR by rate; pure
sums       what CDRs come to by currency and rate, fees included; pure
choosing   which CDRs belong to a month, and which of them are held back
building   makes a settlement of them
drafting   does so for every pair
closing    ends a month for good
files      the list of a settlement as CSV, XLSX and JSON lines
"""
