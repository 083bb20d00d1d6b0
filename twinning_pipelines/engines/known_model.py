"""What a model server tells of itself and of the models that it has."""

from msgspec import Struct

from twinning_pipelines.errors import FarSideRefused


class KnownModel(Struct, frozen=True):
    """A model on a server. digest: of its weights, where told; size: bytes; context: tokens; None where untold.

    elsewhere: the host that it really runs on, empty for a model that is on the server.
    """

    name: str
    digest: str | None = None
    size: int | None = None
    context: int | None = None
    elsewhere: str = ""


class Standing(Struct, frozen=True):
    """A server that answers: its kind, its version where told, and its models."""

    kind: str
    version: str
    models: tuple[KnownModel, ...]


def refuse_cloud(model: str) -> None:
    """Raises FarSideRefused for a name of those whose model runs in a cloud, though a server at home lists it."""
    if model.strip().lower().endswith((":cloud", "-cloud")):
        raise FarSideRefused(
            f"{model!r} runs in a cloud: what it is asked would leave the house; choose one that is here"
        )
