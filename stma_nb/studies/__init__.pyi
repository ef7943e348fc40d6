from .jobs import (
    STUDIES as STUDIES,
    read as read,
    run as run,
)
