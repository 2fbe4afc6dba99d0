"""What every account of a month is made of, between parties and with owners alike.

months   calendar months in a time zone
shares   net amount and VAT of one CDR by rate; pure
sums     what CDRs come to by currency and rate; pure
sheets   rows as CSV, XLSX and JSON lines
"""
