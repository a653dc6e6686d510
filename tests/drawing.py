"""Reads a picture that replay --svg draws: its texts, its shapes, and their colours in light and dark."""
import re
from collections import defaultdict
from xml.dom import minidom
from xml.parsers.expat import ExpatError

ROOT = ".fp-map"  # the class of the picture's root
DARK = "@media (prefers-color-scheme:dark){"
LEAST_SIZE = 12
PHONE = 360  # CSS pixels, at which a picture is as wide as the screen
LEAST_PIXELS = 8.5
LEAST_CONTRAST = 4.5
BOX = re.compile(r"M(\d+) (\d+)H(\d+)v(\d+)H\1")

# The widths of characters in parts of the font's size. They are those of a wide font, or more.
WIDTHS = {**dict.fromkeys(" .,:;|I/\\'ijl", .34), **dict.fromkeys("-f", .37), **dict.fromkeys("()[]rt!", .42),
          **dict.fromkeys("acekosvxyz", .62), **dict.fromkeys("mMW@%&+=<>~^#w", 1.0),
          **dict.fromkeys("ABCDGHJKNOQRUVXZ", .8)}


def parse(picture):
    """Returns the document in picture, or None when it is not well-formed."""
    try:
        return minidom.parseString(picture)
    except ExpatError:
        return None


def content(node):
    """Returns all text in node and below."""
    return node.data if node.nodeType == node.TEXT_NODE else "".join(map(content, node.childNodes))


def plain(picture):
    """Returns the texts of picture, each on a line, however they are broken into lines there."""
    return "\n".join(content(text) for text in parse(picture).getElementsByTagName("text"))


def rules(css):
    """Returns {(selector, property): value} of a style sheet without groups."""
    found = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        for item in body.split(";"):
            name, _, value = item.partition(":")
            size = re.match(r"\d+px", value) if name == "font" else None
            for selector in selectors.split(","):
                found[selector.strip(), "font-size" if size else name] = size[0] if size else value
    return found


class Text:
    """A line of text: words, its anchor's x, its baseline's y, and the classes that style it, the
    innermost first."""

    def __init__(self, words, x, y, classes):
        self.words, self.x, self.y, self.classes = words, x, y, classes
        self.size, self.left, self.right = LEAST_SIZE, x, x

    def measure(self, style):
        """Fills size, and left and right by a careful guess."""
        self.size = int(style(self.classes, "font-size").removesuffix("px"))
        width = self.size * (len(self.words) * .62 if "mono" in (style(self.classes, "font-family") or "")
                             else sum(WIDTHS.get(c, .64) for c in self.words))
        anchor = style(self.classes, "text-anchor")
        self.left = self.x - width * {"start": 0, "middle": .5, "end": 1}[anchor]
        self.right = self.left + width


class Drawing:
    """What is in a picture: texts, and boxes [(left, top, right, bottom, class)] in the order drawn."""

    def __init__(self, picture):
        self.document = parse(picture)
        self.root = self.document.documentElement
        css = "".join(content(s) for s in self.document.getElementsByTagName("style"))
        light, _, dark = css.partition(DARK)
        self.light, self.own_dark = rules(light), rules(dark.removesuffix("}"))
        self.dark = {**self.light, **self.own_dark}
        self.width, self.height = (int(self.root.getAttribute(name)) for name in ("width", "height"))
        self.texts = [text for node in self.document.getElementsByTagName("text") for text in self.lines(node)]
        self.boxes = [(0, 0, self.width, self.height, "bg")]
        for node in self.root.childNodes:
            self.boxes += self.boxes_of(node)
        for text in self.texts:
            text.measure(lambda classes, name: self.style(classes, name, self.light))

    @staticmethod
    def boxes_of(node):
        """Returns the boxes of node, if it is a shape with some."""
        if node.nodeName == "path":
            return [(left, top, right, top + height, node.getAttribute("class")) for left, top, right, height
                    in (map(int, box) for box in BOX.findall(node.getAttribute("d")))]
        if node.nodeName == "rect" and node.hasAttribute("x"):
            x, y, width, height = (int(node.getAttribute(name)) for name in ("x", "y", "width", "height"))
            return [(x, y, x + width, y + height, node.getAttribute("class"))]
        return []

    @staticmethod
    def lines(node):
        """Returns the Texts of a <text>: itself or its <tspan>s, in a group that moves them or in none."""
        group = node.parentNode if node.parentNode.nodeName == "g" else None
        right = int(re.fullmatch(r"translate\((\d+) 0\)", group.getAttribute("transform"))[1]) if group else 0
        classes = [n.getAttribute("class") for n in (node, group) if n and n.hasAttribute("class")]
        return [Text(content(n), int(n.getAttribute("x") or 0) + right, int(n.getAttribute("y")), classes)
                for n in node.getElementsByTagName("tspan") or [node]]

    @staticmethod
    def style(classes, name, sheet):
        """Returns the value of a property in sheet for text of these classes; None when it has none."""
        values = [sheet.get((f"{ROOT} .{c}", name)) for c in classes] + [sheet.get((ROOT, name))]
        return next((v for v in values if v), None)

    def columns(self):
        """Returns [texts from top to bottom] for each x that texts have."""
        found = defaultdict(list)
        for text in self.texts:
            found[text.x].append(text)
        return [sorted(texts, key=lambda t: t.y) for texts in found.values()]

    def behind(self):
        """Yields (text, class of the topmost box behind its middle) for each text."""
        strips = defaultdict(list)
        for box in self.boxes:
            for strip in range(box[1] // 16, box[3] // 16 + 1):
                strips[strip].append(box)
        for text in self.texts:
            x, y = (text.left + text.right) / 2, text.y - text.size // 3
            yield text, [b[4] for b in strips[y // 16] if b[0] <= x <= b[2] and b[1] <= y <= b[3]][-1]


def luminance(colour):
    """Returns the relative luminance of a colour, #rrggbb, as WCAG 2 defines it."""
    parts = [int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= .04045 else ((p + .055) / 1.055) ** 2.4 for p in parts)
    return .2126 * red + .7152 * green + .0722 * blue


def contrast(one, other):
    """Returns the contrast of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + .05) / (low + .05)


def style_wrong(drawing):
    """Returns None, or how the style of drawing is not its own or has no dark variant."""
    foreign = [s for s, _ in {**drawing.light, **drawing.own_dark} if s != ROOT and not s.startswith(ROOT + " ")]
    if foreign or drawing.root.getAttribute("class") != ROOT[1:]:
        return f"rules that are not for the picture alone: {foreign}"
    for node in drawing.document.getElementsByTagName("*"):
        if any(node.hasAttribute(name) for name in ("id", "style", "fill", "stroke")):
            return f"<{node.nodeName}> has an id or a style of its own"
    colours = {key for key in drawing.light if key[1] in ("fill", "stroke")}
    if not colours or colours != set(drawing.own_dark):
        return f"not the same colours in light and in dark: {sorted(colours ^ set(drawing.own_dark))}"
    return None


def contrast_wrong(drawing):
    """Returns None, or which text of drawing differs too little from what lies behind it."""
    pairs = {(tuple(text.classes), box) for text, box in drawing.behind()}
    for sheet, name in ((drawing.light, "light"), (drawing.dark, "dark")):
        for classes, box in pairs:
            ratio = contrast(drawing.style(classes, "fill", sheet), drawing.style([box], "fill", sheet))
            if ratio < LEAST_CONTRAST:
                return f"{name}: text {classes} on {box} has a contrast of {ratio:.2f}"
    return None


def illegible(picture):
    """Returns None, or what is wrong with the style, the texts and their places in picture."""
    drawing = Drawing(picture)
    if drawing.root.getAttribute("viewBox") != f"0 0 {drawing.width} {drawing.height}":
        return "the picture's own size is not that of its viewBox"
    for text in drawing.texts:
        if text.size < LEAST_SIZE or text.size * PHONE < LEAST_PIXELS * drawing.width:
            return f"{text.words!r} is too small"
        if text.left < 0 or text.right > drawing.width or text.y < text.size or text.y > drawing.height:
            return f"{text.words!r} is beyond the picture: {text.left:.0f} to {text.right:.0f} of {drawing.width}"
    for texts in drawing.columns():
        for one, other in zip(texts, texts[1:]):
            if other.y - one.y < other.size:
                return f"{one.words!r} and {other.words!r} overlap"
    return style_wrong(drawing) or contrast_wrong(drawing)
