"""The audit of CDRs that others send us: each is priced again and compared with what else we know of its session.

evidence   what we know besides the CDR: its Session, Location, Token, authorization, Tariffs, other CDRs
gates      what cannot be, or was seen before; pure
prices     what it should cost; pure
findings   what was found, and the verdict that follows
running    batch by batch through the feed of CDRs
"""
