"""Owners of charge points and what they get: the statement of a month, to the last digit.

choosing   which CDRs belong to an owner's month
sharing    what the owner gets of them, line by line; pure but for the shares it is given
building   makes a statement of them, with the list and its hash
closing    ends a month for good
drafting   draws up a month of every owner
files      a statement as CSV, XLSX, JSON lines and a page to print
"""
