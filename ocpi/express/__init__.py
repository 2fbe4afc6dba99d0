"""What partners ask all day, answered on the event loop: pages of a Sender, and the status of an EVSE.

Django answers everything; a thread, its framework and the switching between threads cost these two requests more than
their own work. Here they are answered by the same rules (gateway, store, envelope) where the answer is plain success.
Whatever else comes of them, a refusal, an error, a document that has to be refreshed first, is left to Django, with the
request as it came: nothing has been changed by then, or, where telling of a change failed, it is made once more, which
changes nothing.
"""
