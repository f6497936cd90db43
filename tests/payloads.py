"""What a question, an answer, a file name or a model id may hold, and what must be shown as the text that it is."""

CRACK = "window.cracked = true"
"""What runs where text is taken for code: a page in a test asks afterwards whether it did."""

PAYLOADS: dict[str, str] = {
    "script": f"<script>{CRACK}</script>",
    "image": f'<img src=x onerror="{CRACK}">',
    "attribute": f"\"'><svg onload='{CRACK}'>",
    "link": f"[here](javascript:{CRACK}) javascript:{CRACK}",
    "Vega expression": '{"expr": "' + CRACK + '"}',
    "Vega signal": f"datum.layer']); {CRACK}; (['",
    "template": "{{ " + CRACK + " }} ${" + CRACK + "} {% raw %}",
    "Markdown": "**bold** `code` | # heading\n- list\n\n$x$ ~~gone~~",
    "right to left": "left \u202eright\u202c and \u2067more",
    "NUL": "a\0b",
    "terminal": "\x1b[31mred\x1b[2J",
    "10 kB": "x" * 10_240,
}
"""Texts by what each of them tries."""

EVERY = "\n".join(PAYLOADS.values())
"""All of them in one text, for a field there is but one of."""
