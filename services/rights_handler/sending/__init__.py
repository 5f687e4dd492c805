"""The sending-phase rules: may this party contact this person at this instant? Dated, pure objects; `book` has their order."""
