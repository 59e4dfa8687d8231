"""A bound on work that takes much memory or long: so many at a time in one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.errors import Unavailable
from service.kit.language import Text


class Places:
    """So many places; who finds none is sent away and does not wait, since waiting would hold the upload in memory.

    >>> Places(2).free
    2
    """

    def __init__(self, count: int) -> None:
        self.free = count

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Take a place until the block ends.

        Raises:
            Unavailable: all are taken.
        """
        if self.free == 0:
            raise Unavailable(
                Text("正在处理的导入过多，请稍后重试", "Too many imports are under way: try again in a while"),
                retry_after_seconds=30,
            )
        self.free -= 1
        try:
            yield
        finally:
            self.free += 1
