"""What the URLs of all modules are made of (§transport_and_format_interface_endpoints): regular expressions."""

import re

from ocpi.ids import VERSION

VERSION_PATH = re.escape(VERSION)
SENDER = f"{VERSION_PATH}/sender"
RECEIVER = f"{VERSION_PATH}/receiver"

ID = "[ -.0-~]{1,255}"  # printable ASCII but the slash: what a CiString may hold
OWNER = "(?P<country_code>[!-.0-~]{2})/(?P<party_id>[!-.0-~]{3})"
