"""What a request can look like: shapes of any size, each dear to read in a way of its own, and random damage to them.

A shape is a function of a size and a source of chance; it returns the attributes that the body gets, and its payload. The
payload is what stands inside a `<message>`, or in its place when it begins with a `<`.
"""

import random
import zlib

from wire import BOSH, PATH, packed


def many(unit, size):
    """`unit`, repeated as often as it fits in `size` bytes, and at least once."""
    return unit * max(1, size // len(unit))


def marks(size):
    """Combining marks of two classes in the wrong order."""
    return ("a" + "\u0301" * (size // 4) + "\u0323" * (size // 4)).encode()


def wrap(inside):
    """One stanza with this content."""
    return b"<message xmlns='jabber:client'>" + inside + b"</message>"


def attributes(size, count, unit=b" a%03d=''", name=b"a"):
    """Elements with this many attributes each."""
    element = b"<" + name + b"".join(unit % number for number in range(count)) + b"/>"
    return wrap(many(element, size))


def nested(size, depth):
    return wrap(many(b"<a>" * depth + b"</a>" * depth, size))


def names(size, length):
    """Elements whose names are all different."""
    return wrap(b"".join(b"<n%0*d/>" % (length, number) for number in range(max(1, size // (length + 4)))))


PAYLOADS = {
    "plain text": lambda size, chance: wrap(many(b"plain text ", size)),
    "characters": lambda size, chance: wrap(many("é".encode(), size)),
    "combining marks": lambda size, chance: wrap(marks(size)),
    "empty elements": lambda size, chance: wrap(many(b"<a/>", size)),
    "elements with a namespace": lambda size, chance: many(b"<a xmlns='x'/>", size),
    "elements and their ends": lambda size, chance: wrap(many(b"<a></a>", size)),
    "children": lambda size, chance: many(b"<iq/>", size),
    "stanzas": lambda size, chance: many(b"<message xmlns='jabber:client'/>", size),
    "renamed": lambda size, chance: many(b"<b:a xmlns:b='%b'/>" % BOSH.encode(), size),
    "nested": lambda size, chance: nested(size, chance.choice((3, 20, 60, 95, 500))),
    "attributes": lambda size, chance: attributes(size, chance.choice((2, 20, 60, 190))),
    "one wide element": lambda size, chance: attributes(1, max(1, size // 9)),
    "long attribute": lambda size, chance: wrap(b"<a b='" + many(b"x", size) + b"'/>"),
    "references": lambda size, chance: wrap(many(chance.choice((b"&amp;", b"&#38;", b"&#x26;", b"x&lt;")), size)),
    "references in attributes": lambda size, chance: wrap(b"<a b='" + many(b"&amp;", size) + b"'/>"),
    "CDATA": lambda size, chance: wrap(many(chance.choice((b"<![CDATA[x]]>", b"<![CDATA[]]>")), size)),
    "line ends": lambda size, chance: wrap(many(chance.choice((b"x\r", b"\r\n", b"\n")), size)),
    "white space": lambda size, chance: many(b" ", size),
    "white space in a tag": lambda size, chance: wrap(b"<a" + many(b"\n", size) + b"/>"),
    "unbound prefixes": lambda size, chance: attributes(
        size, chance.choice((10, 60, 190)), b" q:a%03d=''", b"x" * min(max(1, size // 4), chance.choice((1, 100, 5_000)))),
    "unbound elements": lambda size, chance: many(b"<q:" + b"x" * chance.choice((1, 100, 5_000)) + b"/>", size),
    "relative namespaces": lambda size, chance: wrap(many(b"<a xmlns='x/y'/>", size)),
    "bad namespaces": lambda size, chance: wrap(many(b"<a xmlns=':'/>", size)),
    "declarations": lambda size, chance: attributes(size, chance.choice((10, 60)), b" xmlns:p%03d='u:v'"),
    "twice the same attribute": lambda size, chance: wrap(many(b"<a b='' b=''/>", size)),
    "many names": lambda size, chance: names(size, chance.choice((4, 30, 200))),
    "long names": lambda size, chance: wrap(many(b"<" + b"n" * chance.choice((500, 5_000, 40_000)) + b"/>", size)),
    "names of two bytes": lambda size, chance: wrap(many(b"<" + "é".encode() * chance.choice((50, 5_000)) + b"/>", size)),
    "xml:lang": lambda size, chance: many(b"<iq xml:lang='de'/>", size),
    "comments": lambda size, chance: wrap(many(b"<!-- x -->", size)),
    "instructions": lambda size, chance: wrap(many(b"<?x y?>", size)),
    "a DTD": lambda size, chance: b"<!DOCTYPE a [" + many(b"<!ENTITY a 'b'>", size) + b"]>",
    "unknown entities": lambda size, chance: wrap(many(b"&x;", size)),
    "no end": lambda size, chance: many(b"<a>", size),
    "a fault at the end": lambda size, chance: wrap(many(b"<a/>", size) + b"</b>"),
    "random characters": lambda size, chance: bytes(chance.choices(b"<>/=' \"&;:!?ax\n-[]", k=size)),
    "random bytes": lambda size, chance: chance.randbytes(size),
    "nothing": lambda size, chance: b"",
}

# The contents of an attribute of the body.
FILLS = {
    "ASCII": lambda size: b"x" * size,
    "combining marks": marks,
    "capitals": lambda size: many("ß".upper().encode() + "İ".encode(), size),
    "characters": lambda size: many("é".encode(), size),
    "joined characters": lambda size: many("\U0001F468\u200D".encode(), size),
    "digits": lambda size: b"1" * size,
    "references": lambda size: many(b"&#x301;&#x323;", size),
    "white space": lambda size: b" " * size,
    "dots": lambda size: many(b"a.", size),
    "colons": lambda size: many(b"xmpp:a:", size),
}
ATTRIBUTES = ("to", "from", "xml:lang", "route", "key", "newkey", "stream", "content", "ver", "rid", "sid", "ack", "wait",
              "hold", "pause", "type", "other", "q:other", "xmlns:p", "xmpp:version")


def of_attribute(name, fill):
    return lambda size, chance: ({name: FILLS[fill](size)}, b"")


SHAPES = {name: (lambda shape: lambda size, chance: ({}, shape(size, chance)))(shape) for name, shape in PAYLOADS.items()}
for _attribute in ATTRIBUTES:
    for _fill in FILLS:
        SHAPES[f"{_attribute} of {_fill}"] = of_attribute(_attribute, _fill)
SHAPES["body attributes"] = lambda size, chance: ({f"a{number}": b"" for number in range(size // 8)}, b"")
SHAPES["body declarations"] = lambda size, chance: ({f"xmlns:a{number}": b"b" for number in range(size // 14)}, b"")

CODINGS = ("plain", "chunked", "small chunks", "gzip", "deflate", "gzip, stored", "gzip, chunked", "gzip, almost five times",
           "deflate, almost five times")


def damage(payload, chance):
    """A few random changes to a payload."""
    data = bytearray(payload)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(data) + 1)
        what = chance.randrange(4)
        if what == 0:
            data[at:at + 1] = chance.randbytes(1)
        elif what == 1:
            del data[at:at + chance.randrange(1, 50)]
        elif what == 2:
            piece = bytes(data[at:at + chance.randrange(1, 200)])
            data[at:at] = piece * chance.randrange(1, 20)
        else:
            data[at:at] = chance.choice((b"<", b">", b"&", b"]]>", b"<a>", b"</a>", b"'", b"\0", b"\xff", b"<![CDATA[", b"&amp;",
                                         b" xmlns='x'", b"<!--", "\u0301".encode()))
    return bytes(data)


def body(own, shape):
    """A `<body/>` with the attributes of the place and of the shape."""
    given, payload = shape
    everything = {**own, **given}
    text = b"".join(b" %b='%b'" % (name.encode(), value if isinstance(value, bytes) else str(value).encode())
                    for name, value in everything.items())
    return b"<body xmlns='%b'%b>%b</body>" % (BOSH.encode(), text, payload)


def encode(data, coding):
    """The whole request for a body, in this coding."""
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n".encode()
    if "almost" in coding:
        data = packed(data, 31 if "gzip" in coding else 15, 4.7)
        head += b"Content-Encoding: " + coding.partition(",")[0].encode() + b"\r\n"
    elif "gzip" in coding or coding == "deflate":
        level = 0 if "stored" in coding else 9 if len(data) < 50_000 else 6
        packer = zlib.compressobj(level, zlib.DEFLATED, 31 if "gzip" in coding else 15)
        data = packer.compress(data) + packer.flush()
        head += b"Content-Encoding: " + (b"gzip" if "gzip" in coding else b"deflate") + b"\r\n"
    if "chunk" in coding:
        step = 8 if coding == "small chunks" else 4_096
        pieces = b"".join(b"%x\r\n%b\r\n" % (len(data[at:at + step]), data[at:at + step]) for at in range(0, len(data), step))
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    return head + b"Content-Length: %d\r\n\r\n" % len(data) + data


def canonical():
    """A source of chance that is the same each time."""
    return random.Random(1)
