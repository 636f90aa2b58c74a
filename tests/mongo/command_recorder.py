"""What a client asks of its server."""

from pymongo.monitoring import CommandListener, CommandStartedEvent


class CommandRecorder(CommandListener):
    """Keeps the commands of a client, in order."""

    def __init__(self) -> None:
        self.commands: list[CommandStartedEvent] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Keep a command that goes out."""
        self.commands.append(event)

    def succeeded(self, event: object) -> None:
        """An answer is no command."""

    def failed(self, event: object) -> None:
        """A failure is no command."""
