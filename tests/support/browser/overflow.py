"""Faults of a page's layout, as the browser laid it out."""

from playwright.sync_api import Page

NAMES = """
    const words = (part) => (part.title || part.ariaLabel || part.textContent).trim().replace(/\\s+/g, " ");
    const mark = (part) => part.id || part.getAttribute("class");
    const name = (part) => part ? `${part.localName}.${mark(part)} "${words(part).slice(0, 24)}"` : "nothing";
    const found = [];
"""
OVERFLOWS = f"""async () => {{
    {NAMES}
    // The frame in which scripts learn of a new size.
    await new Promise((then) => requestAnimationFrame(() => setTimeout(then)));
    const ROUNDING = 1; // pixel
    const shown = (part) =>
        part.checkVisibility() && part.closest("thead, .visually-hidden")?.offsetWidth !== 1;

    const compare = (part, around, before = 0, after = 0) => {{
        const [inner, outer] = [part.getBoundingClientRect(), around.getBoundingClientRect()];
        const beyond = Math.max(outer.left - before - inner.left, inner.right - outer.right - after);
        if (inner.width && beyond > ROUNDING)
            found.push(`${{name(part)}}: ${{beyond.toFixed(1)}} px out of ${{name(around)}}`);
    }};

    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) found.push(`the page: ${{wide}} px too wide`);

    for (const part of document.querySelectorAll("body *:not(svg *)")) {{
        const {{ display, position, overflowX, marginLeft, marginRight }} = getComputedStyle(part);
        if (!shown(part) || display === "inline") continue;
        if (overflowX === "visible" && part.scrollWidth - part.clientWidth > ROUNDING && part.clientWidth > 1)
            found.push(`${{name(part)}}: ${{part.scrollWidth - part.clientWidth}} px too little room inside`);
        const around = part.parentElement;
        const outer = getComputedStyle(around);
        if (["absolute", "fixed"].includes(position)) continue;
        if (["inline", "contents"].includes(outer.display)) continue;
        if (outer.overflowX !== "visible") continue; // it is moved sideways, or cut off
        compare(part, around, Math.max(0, -parseFloat(marginLeft)), Math.max(0, -parseFloat(marginRight)));
    }}

    for (const figure of document.querySelectorAll("figure:has(.chart)")) {{
        const labels = [...figure.querySelectorAll(".chart text")].filter((label) => label.textContent);
        const boxes = labels.map((label) => label.getBoundingClientRect());
        labels.forEach((label, at) => {{
            compare(label, figure);
            boxes.slice(0, at).forEach((box, other) => {{
                const across = Math.min(box.right, boxes[at].right) - Math.max(box.left, boxes[at].left);
                const down = Math.min(box.bottom, boxes[at].bottom) - Math.max(box.top, boxes[at].top);
                // A line's box is higher than its figures are.
                if (across > ROUNDING && down > boxes[at].height / 3)
                    found.push(`${{name(label)}} lies on ${{name(labels[other])}}`);
            }});
        }});
    }}
    return found;
}}"""
COVERED = f"""() => {{
    {NAMES}
    const controls = ":is(main, .masthead) :is(a, button, select, summary, label, input)";
    for (const part of document.querySelectorAll(controls)) {{
        const seen = part.checkVisibility({{ visibilityProperty: true, opacityProperty: true }});
        if (!seen || part.closest(".visually-hidden")) continue;
        part.scrollIntoView({{ block: "center", inline: "nearest", behavior: "instant" }});
        const {{ left, right, top, height }} = part.getClientRects()[0];
        for (const x of [left + 2, (left + right) / 2, right - 2]) {{
            const hit = document.elementFromPoint(x, top + height / 2);
            const control = hit?.closest("a, button, summary, label") ?? hit;
            if (part.contains(hit) || control?.contains(part) || control?.control === part) continue;
            found.push(`${{name(control)}} lies on ${{name(part)}}`);
            break;
        }}
    }}
    scrollTo(0, 0);
    return found;
}}"""


def overflows(page: Page) -> list[str]:
    """Boxes and labels of charts that are wider than what holds them, or lie on one another."""
    found: list[str] = page.evaluate(OVERFLOWS)
    return found


def covered(page: Page) -> list[str]:
    """Controls and links that another part covers, in the middle or at an end."""
    found: list[str] = page.evaluate(COVERED)
    return found
