"""The guide holds each snippet's file as it is: `python -m tests.unit.partner_guide.blocks` writes them in, a test compares."""

import re

from tests.unit.partner_guide.languages import FOLDER, GUIDE

LANGUAGES = {"py": "python", "sh": "sh", "php": "php", "java": "java", "json": "json"}
BLOCK = re.compile(r"<!-- (partners/[A-Za-z_.]+) -->\n```[a-z]+\n.*?\n```\n", re.DOTALL)


def filled(text):
    """The guide with each named file in its place."""

    def block(found):
        name = found[1]
        code = (FOLDER.parent / name).read_text()
        return f"<!-- {name} -->\n```{LANGUAGES[name.rsplit('.', 1)[1]]}\n{code}```\n"

    return BLOCK.sub(block, text)


if __name__ == "__main__":
    GUIDE.write_text(filled(GUIDE.read_text()))
