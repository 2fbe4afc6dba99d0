"""Firmware that chargers fetch and diagnostics that they send, by HTTP; FTP is not spoken.

`links` signs the URLs, `door` is the ASGI application behind them, `ranges` reads which part is asked for, `keeping`
has the files on disk, and `offering` gives operations their URLs.
"""
