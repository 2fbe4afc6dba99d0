"""Whether a Token may charge.

terms      our answer as the eMSP that owns it
deciding   our decision as the CPO it wants to charge at
commanded  what its eMSP has just commanded for it
asking     the real-time question to its eMSP
listing    which Tokens may charge while nobody can be asked
recording  every decision, kept with its reason
"""
