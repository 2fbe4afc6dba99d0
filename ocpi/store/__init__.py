"""The object store: the only writer of OCPI objects, own and partners' alike.

An object is a row: owner and key (compared without case), `last_updated` as its owner sent it, a creation sequence
(the primary key) for stable paging, a revision for the change feed, and the document as exact JSON text. Nothing here
knows partners or HTTP.
"""
