"""Why a file is refused as a whole."""

from service.errors import ServiceError
from service.kit.language import Text


class UnreadableFile(ServiceError):
    """A file that holds no rows that can be read; nothing was imported."""

    status = 422
    code = "unreadable_file"
    title = Text("文件无法读取，未导入任何内容", "The file cannot be read; nothing was imported")
