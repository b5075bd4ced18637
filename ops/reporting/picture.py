"""A picture of a stack as Mermaid, which forges draw by themselves, and as SVG."""

from __future__ import annotations

from html import escape

from model.review import Picture

_STEP, _WIDTH, _HEIGHT = 44, 210, 30
_COLUMNS = (10, 330, 650)
_CHANGED, _QUIET = "#d97706", "#6b7280"


def mermaid(picture: Picture) -> str:
    """A flowchart; what changes has a thick line."""
    lines = ["flowchart LR"]
    for service, found in picture.addresses.items():
        lines.append(f'  to-{service}(("{"<br/>".join((service, *found))}"))')
    for (service, daemon), numbers in picture.public.items():
        lines.append(f'  to-{service} -- "{_ports(numbers)}" --> {daemon}')
    lines += [f"  {client} --> {server}" for client, server in picture.behind]
    marked = [f"to-{name}" if name in picture.addresses else name for name in sorted(picture.changed)]
    if marked:
        lines += ["  classDef changed stroke:#d97706,stroke-width:3px", f"  class {','.join(marked)} changed"]
    return "\n".join(lines)


def svg(picture: Picture) -> str:
    """The same in three columns; what changes is drawn in another colour and thicker."""
    columns: tuple[list[str], list[str], list[str]] = (
        [f"to-{service}" for service in picture.addresses],
        list(dict.fromkeys(daemon for _, daemon in picture.public)),
        [],
    )
    columns[2].extend(sorted({name for pair in picture.behind for name in pair} - set(columns[1])))
    places = {
        name: (_COLUMNS[column], 10 + row * _STEP)
        for column, names in enumerate(columns)
        for row, name in enumerate(names)
    }
    parts = [
        _line(places[f"to-{service}"], places[daemon], _ports(numbers))
        for (service, daemon), numbers in picture.public.items()
    ]
    parts += [_line(places[client], places[server]) for client, server in picture.behind]
    for service, found in picture.addresses.items():
        parts.append(
            _box(places[f"to-{service}"], f"{service} {' '.join(found)}", service in picture.changed)
        )
    parts += [_box(places[name], name, name in picture.changed) for name in (*columns[1], *columns[2])]
    height = 10 + max(map(len, columns)) * _STEP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_COLUMNS[2] + _WIDTH + 10} {height}">'
        f"<title>Addresses, daemons and what they ask</title>{''.join(parts)}</svg>"
    )


def _box(place: tuple[int, int], text: str, changed: bool) -> str:
    x, y = place
    colour, width = (_CHANGED, 3) if changed else (_QUIET, 1)
    return (
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="#fff" stroke="{colour}"'
        f' stroke-width="{width}"/><text x="{x + 8}" y="{y + 20}" font-size="13">{escape(text)}</text>'
    )


def _line(start: tuple[int, int], end: tuple[int, int], text: str = "") -> str:
    x1, y1 = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    x2, y2 = end[0], end[1] + _HEIGHT // 2
    if end[0] <= start[0]:
        # Within one column the line leaves and returns on the left side.
        x1, x2 = start[0], end[0]
    bend = f"M{x1} {y1} C{x1 + 60} {y1},{x2 - 60} {y2},{x2} {y2}"
    label = ""
    if text:
        label = f'<text x="{x1 + 6}" y="{y1 - 4}" font-size="10" fill="{_QUIET}">{escape(text)}</text>'
    return f'<path d="{bend}" fill="none" stroke="#cbd5e1"/>{label}'


def _ports(numbers: tuple[int, ...]) -> str:
    shown = " ".join(map(str, numbers[:6]))
    return f"{shown} ..." if len(numbers) > 6 else shown
