"""Messages to persons: what this service wants written, sealed and put on the internal topic `messages` for the notifier."""

from services.rights_handler.messaging.ordering import PersonMessages
from services.rights_handler.messaging.person_message import PersonMessage

__all__ = ["PersonMessage", "PersonMessages"]
