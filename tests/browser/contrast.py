"""Contrast of a page's texts, as WCAG 2.2 asks of small ones: 4.5 to 1."""

from playwright.sync_api import Page

_FAINT = """() => {
    const parts = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (node) => {
        for (; node; node = node.parentElement) {
            const colour = parts(getComputedStyle(node).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
        }
    };
    return [...document.body.querySelectorAll("*:not(script, title)")]
        .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
        .filter((node) => {
            const style = getComputedStyle(node);
            const [a, b] = [light(parts(node.localName === "text" ? style.fill : style.color)), light(behind(node))];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
        })
        .map((node) => node.textContent);
}"""


def faint_texts(page: Page) -> list[str]:
    """Return the texts of a page, a figure's too, that stand out too little from what is behind them."""
    found: list[str] = page.evaluate(_FAINT)
    return found
