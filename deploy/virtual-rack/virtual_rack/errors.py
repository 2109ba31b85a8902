"""The one error that a person is meant to read."""


class RackError(Exception):
    """Something the rack could not do, said so that a person knows what to do next."""
