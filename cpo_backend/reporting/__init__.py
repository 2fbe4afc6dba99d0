"""Reports of what our charge points do and earn, added up from our own CDRs.

sites      our Locations: names, clocks, and the EVSEs they have
figures    what one CDR comes to, day by day; pure
following  keeps the figures of all CDRs, by their feed
asking     which figures a report is of
adding     adds them up: energy, sessions, revenue, utilisation
files      a report to take away
"""
