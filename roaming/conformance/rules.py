"""What a platform is judged by: each rule with the place in the specification that a partner can be shown."""

from enum import Enum, StrEnum


class Grade(StrEnum):
    """What a broken rule means: data or money go wrong with it, or it makes trouble sooner or later."""

    ERROR = "error"
    WARNING = "warning"


class Rule(Enum):
    """A rule: its grade, what it says, and the anchor of the specification; none where only sense demands it."""

    def __init__(self, grade: Grade, says: str, anchor: str) -> None:
        self.grade, self.says, self.anchor = grade, says, anchor

    @property
    def id(self) -> str:
        return self.name.lower().replace("_", "-")

    ENVELOPE = (
        Grade.ERROR,
        "A request is answered by JSON with a status_code and a timestamp.",
        "transport_and_format_response_format",
    )
    SUCCESS = Grade.ERROR, "What is offered can be read: HTTP 200 and a status of 1xxx.", "status_codes_status_codes"
    CONTENT_TYPE = (
        Grade.WARNING,
        "The content is called application/json.",
        "transport_and_format_json_http_implementation_guide",
    )
    MESSAGE_IDS = (
        Grade.WARNING,
        "A response repeats X-Request-ID and X-Correlation-ID.",
        "transport_and_format_unique_messageg_ids",
    )
    ROUTING = (
        Grade.WARNING,
        "A response of a functional module has the routing headers of its request, swapped.",
        "transport_and_format_message_routing",
    )
    CLOCK = Grade.WARNING, "The clock is right to a minute: pulls and times of charging depend on it.", ""
    STRANGER = (
        Grade.ERROR,
        "A credentials token that nobody was given is answered by HTTP 401.",
        "transport_and_format_authorization_header",
    )
    VERSIONS = (
        Grade.ERROR,
        "Versions are a list, with a URL for OCPI 2.2.1.",
        "version_information_get_versions_endpoint_data",
    )
    DETAILS = Grade.ERROR, "Version details list endpoints.", "version_information_get_details_endpoint_data"
    ENDPOINT = (
        Grade.WARNING,
        "Each endpoint has an identifier, a role and a URL, and is listed once.",
        "version_information_endpoint_endpoint_class",
    )
    ENDPOINTS_AS_REGISTERED = (
        Grade.WARNING,
        "The endpoints are those of the registration; new ones are told by PUT of credentials.",
        "credentials_changing_endpoints_for_the_current_version",
    )
    CREDENTIALS = Grade.ERROR, "The credentials are a Credentials object.", "credentials_credentials_object"
    ROLES_AS_REGISTERED = (
        Grade.WARNING,
        "The parties and roles are those of the registration; new ones are told by PUT of credentials.",
        "credentials_updating_the_credentials_and_resetting_the_token",
    )
    LIST = (
        Grade.ERROR,
        "A list is a list, of as many objects as were asked for at most.",
        "transport_and_format_pagination",
    )
    TOTAL_COUNT = (
        Grade.WARNING,
        "X-Total-Count tells how many objects there are.",
        "transport_and_format_paginated_response",
    )
    LIMIT = Grade.WARNING, "X-Limit tells how many objects a page can have.", "transport_and_format_paginated_response"
    LINK = (
        Grade.ERROR,
        "Link leads to the next page, except on the last one.",
        "transport_and_format_paginated_response",
    )
    NEXT_PAGE = Grade.ERROR, "The next page has other objects.", "transport_and_format_paginated_response"
    DATE_FROM = Grade.ERROR, "date_from leaves out what was updated before.", "transport_and_format_paginated_request"
    USABLE = Grade.ERROR, "Objects have what makes them usable.", ""
    SOUND = Grade.WARNING, "Objects are as the specification has them.", ""
    OWNED = (
        Grade.ERROR,
        "Objects belong to parties of the platform; at a hub, to anybody but us.",
        "transport_and_format_client_owned_object_push",
    )
    ONE_OBJECT = Grade.ERROR, "An object alone is what it is in the list.", "mod_locations_get_object_response_data"
    UNKNOWN_OBJECT = (
        Grade.WARNING,
        "An object that does not exist is HTTP 404 or a status of 2xxx.",
        "status_codes_status_codes",
    )
