"""Commands and charging profiles in both directions: durable, and each with one result.

receiving   commands for charge points of ours, and their results (CPO)
delivering  results and news of profiles, brought to the platforms that wait for them (CPO)
sending     commands of ours, and what is answered at once (eMSP, SCSP)
returning   what comes to our response_urls later (eMSP, SCSP)
sweeping    what happens when nothing happens
"""
