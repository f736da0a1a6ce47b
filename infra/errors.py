"""What stops the platform, told to a person: the text says what is wrong and what to do."""


class PlatformError(Exception):
    """The platform, or a part of it, cannot be set up, started or stopped."""
