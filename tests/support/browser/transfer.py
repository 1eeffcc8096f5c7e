"""Files and texts that a person chooses, drops or pastes."""

from playwright.sync_api import Page

from tests.support.drawings import draw_digit, encode

Given = tuple[str, str, bytes]
"""Name, media type and content of a file."""
TRANSFER = """([way, files, texts, place]) => {
    const data = new DataTransfer();
    const file = ([name, type, bytes]) => new File([new Uint8Array(bytes)], name, { type });
    for (const each of files) data.items.add(file(each));
    for (const [type, text] of texts) data.setData(type, text);
    const options = { bubbles: true, cancelable: true };
    const event = way === "paste"
        ? new ClipboardEvent("paste", { ...options, clipboardData: data })
        : new DragEvent("drop", { ...options, dataTransfer: data });
    return document.querySelector(place).dispatchEvent(event);
}"""


def give(
    page: Page, way: str, *files: Given, texts: dict[str, str] | None = None, place: str = "#slate"
) -> bool:
    """Choose, drop or paste files, or texts by media type; false if the page keeps it from the browser."""
    if way == "choose":
        ((name, kind, data),) = files
        page.get_by_label("Upload a picture").set_input_files(
            {"name": name, "mimeType": kind, "buffer": data}
        )
        return True
    given = [[name, kind, list(data)] for name, kind, data in files]
    allowed: bool = page.evaluate(TRANSFER, [way, given, list((texts or {}).items()), place])
    return allowed


def picture(digit: int, kind: str, **options: object) -> Given:
    """A drawn digit as a file of this kind."""
    return f"digit.{kind.lower()}", f"image/{kind.lower()}", encode(draw_digit(digit), kind, **options)
