"""A page of words, pictures and tables in the look of the report: for comparisons and studies."""

from collections.abc import Sequence
from dataclasses import dataclass

from flarecast import __version__
from flarecast.report.canvas import inlined, variables
from flarecast.report.page import templates
from flarecast.report.tables import Cell, Row, Table


@dataclass(frozen=True)
class Picture:
    """A figure as SVG text of matplotlib, on white; what it is, for those who cannot see it; its caption."""

    svg: str
    name: str
    caption: str = ""


@dataclass(frozen=True)
class Part:
    """A section: words, then pictures, then a list of remarks, then tables, folded up if they are many."""

    title: str
    paragraphs: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    remarks: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Document:
    """A page: a kicker above the title, what it is about, its sections."""

    kicker: str
    title: str
    about: tuple[str, ...]
    sections: tuple[Part, ...]


def plain_table(head: Sequence[str], body: Sequence[Sequence[str]], title: str = "") -> Table:
    """A table of texts; the first cell of a row is its name."""
    rows = tuple(Row(row[0], tuple(Cell(cell) for cell in row[1:])) for row in body)
    return Table(title, head[0], tuple(head[1:]), rows, "")


def document_page(document: Document) -> str:
    """HTML of a document, one file that needs nothing else."""
    from markupsafe import Markup

    found = templates(escape=True)
    number = 0
    sections = []
    for part in document.sections:
        shown = []
        for picture in part.pictures:
            svg = inlined(picture.svg.encode("utf-8"), f"f{number}", picture.name, themed=False)
            shown.append({"svg": Markup(svg), "caption": picture.caption})
            number += 1
        sections.append({name: getattr(part, name) for name in ("title", "paragraphs", "remarks", "tables")})
        sections[-1] |= {"pictures": shown, "folded": part.folded}
    style = found.get_template("style.css").render(variables=variables())
    return found.get_template("document.html.j2").render(
        document={"kicker": document.kicker, "title": document.title, "about": document.about}
        | {"sections": sections},
        title=f"{document.kicker}: {document.title}",
        style=Markup(style),
        version=__version__,
    )
