"""Makes the two font files of this folder from Debian's `fonts-inter` package; see README.md.

    python3 subset.py /usr/share/fonts/opentype/inter
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

WEIGHTS = {"Inter-Regular.otf": "axonml-sans-regular.ttf", "Inter-SemiBold.otf": "axonml-sans-semibold.ttf"}

CODEPOINTS = [
    *range(0x20, 0x7F),
    *range(0xA0, 0x100),  # Latin-1
    *range(0x391, 0x3CA),  # Greek
    0x2070, *range(0x2074, 0x208F), 0x207F,  # superscripts and subscripts
    0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026, 0x2030,  # punctuation
    0x2190, 0x2191, 0x2192, 0x2193, 0x2194,  # arrows
    0x2202, 0x2206, 0x2211, 0x2212, 0x221A, 0x221E, 0x2248, 0x2260, 0x2264, 0x2265,  # mathematics
]


def to_truetype(font: TTFont) -> None:
    """Replaces cubic outlines by quadratic ones, and pins every glyph's box to its origin."""
    glyphs = font.getGlyphSet()
    glyf = newTable("glyf")
    glyf.glyphs, glyf.glyphOrder = {}, font.getGlyphOrder()
    for name in glyf.glyphOrder:
        pen = TTGlyphPen(None)
        quadratic = Cu2QuPen(pen, max_err=font["head"].unitsPerEm / 1000, reverse_direction=True)
        glyphs[name].draw(quadratic)
        if pen.points:
            # plotters 0.3.7 draws a glyph from the left edge of its box, dropping the left bearing; a contour
            # without area at the origin makes the bearing part of the box.
            pen.moveTo((0, 0))
            pen.lineTo((0, 1))
            pen.closePath()
        glyf.glyphs[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), glyf
    glyf.compile(font)
    font["maxp"] = maxp = newTable("maxp")
    maxp.tableVersion, maxp.numGlyphs = 0x00010000, len(glyf.glyphOrder)
    for field in (
        "maxZones maxTwilightPoints maxStorage maxFunctionDefs maxInstructionDefs maxStackElements "
        "maxSizeOfInstructions maxComponentElements maxPoints maxContours maxCompositePoints "
        "maxCompositeContours maxComponentDepth"
    ).split():
        setattr(maxp, field, 0)
    maxp.maxZones = 1
    maxp.recalc(font)
    del font["CFF "]
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"
    for name, (advance, _) in font["hmtx"].metrics.items():
        glyph = glyf[name]
        glyph.recalcBounds(glyf)
        font["hmtx"][name] = (advance, getattr(glyph, "xMin", 0))


def main(source: Path) -> None:
    for original, made in WEIGHTS.items():
        font = TTFont(source / original)
        options = subset.Options()
        options.layout_features, options.hinting, options.notdef_outline = [], False, True
        options.name_IDs, options.drop_tables = [0, 1, 2, 13, 14], options.drop_tables + ["GDEF", "GPOS", "GSUB", "STAT"]
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=CODEPOINTS)
        cutter.subset(font)
        to_truetype(font)
        # ab_glyph sizes a font by ascent - descent; make that one em, so that a size here means what it means in SVG.
        em = font["head"].unitsPerEm
        font["hhea"].ascent, font["hhea"].descent, font["hhea"].lineGap = em - em // 5, -(em // 5), 0
        font["OS/2"].sTypoAscender, font["OS/2"].sTypoDescender, font["OS/2"].sTypoLineGap = em - em // 5, -(em // 5), 0
        font["OS/2"].fsSelection &= ~(1 << 7)
        for record in font["name"].names:
            if record.nameID == 1:
                record.string = "AxonML Sans"
        font["head"].modified = font["head"].created  # the same input gives the same bytes
        font.recalcTimestamp = False
        font.save(Path(__file__).parent / made)


main(Path(sys.argv[1]))
