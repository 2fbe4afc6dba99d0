"""Bringing partners up to date: what each has acknowledged, and the smallest difference to how things are.

streams      what is delivered, in order of urgency
images       what a platform holds of an object, as digests
portraits    the objects as they are now
differences  the requests that turn one image into another
feeds        what has changed for a platform, as parcels
carrying     sending them, and finding out after a refusal what the platform holds
records      the rows: claims of lanes, images, failures, hours
policies     when to try again, and when to call a person
pacing       how fast a platform may be called
standing     what is to be done in a lane now
visits       a worker in a lane, batch by batch
doubts       what a worker that died may have sent
lanes        who is to be visited, and what becomes of a visit
behind_hubs  what waited for a party that is back behind its hub
freshness    how far behind each platform is, and since when
lateness     when that is too long
alarms       telling staff when it begins and when it ends
desk         what staff may do about what could not be delivered
"""
