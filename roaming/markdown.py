"""Markdown that we write about partners."""


def printable(text: str) -> str:
    """A partner's text, with nothing in it that a terminal or an editor would obey."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def plain(text: str) -> str:
    """A partner's text as text: no bars, no line ends, no markup."""
    return "".join(f"\\{sign}" if sign in "\\|`*<>[]" else sign for sign in printable(text))
