"""Telling a person. From: a title and a few words without personal data. To: the Apprise URLs of the settings."""

from collections.abc import Sequence

from twinning_pipelines.errors import FarSideUnavailable, WrongUsage


def notify(urls: Sequence[str], title: str, body: str) -> None:
    """Sends to every URL. Raises WrongUsage for one that Apprise can't read, FarSideUnavailable when one was not reached.

    The URLs hold passwords, so no error quotes them.
    """
    import apprise  # noqa: PLC0415  (half a second that only bad news should cost)

    service = apprise.Apprise()
    for place, url in enumerate(urls, start=1):
        if not service.add(url):
            raise WrongUsage(f"TWINNING_NOTIFY_URLS: Apprise can't read URL number {place}")
    if not service.notify(title=title, body=body):
        raise FarSideUnavailable(f"the news {title!r} did not reach every one of {len(urls)} Apprise URLs")
