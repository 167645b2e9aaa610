"""Pictures as the scenarios look at them: PNG and PPM (as our programs and QEMU write them) into pixels."""
import struct
import zlib

CHANNELS = {0: 1, 2: 3, 6: 4}


class Picture:
    def __init__(self, width, height, channels, rows):
        self.width, self.height = width, height
        self.channels, self.rows = channels, rows

    def pixel(self, x, y):
        """(red, green, blue)."""
        at = x * self.channels
        row = self.rows[y]
        if self.channels < 3:
            return (row[at],) * 3
        return tuple(row[at:at + 3])

    def colours(self):
        """How many different pixels there are, up to some thousands: 1 is an empty screen."""
        found = set()
        for row in self.rows[::2]:
            for at in range(0, len(row), self.channels):
                found.add(row[at:at + self.channels])
            if len(found) > 4096:
                break
        return len(found)

    def is_near(self, x, y, colour, by=8):
        """That pixel has that colour, or nearly."""
        return all(abs(a - b) <= by for a, b in zip(self.pixel(x, y), colour))

    def barcode(self, x=0, y=0, cell=8):
        """The number in a bar code of display/barcode.h with its corner at x, y; None: there is none."""
        row = 0
        if self.height <= y + cell or self.width <= x + 24 * cell:
            return None
        for number in range(24):
            row = row << 1 | (self.pixel(x + number * cell + cell // 2, y + cell // 2)[1] > 127)
        number = row >> 4 & 0xffff
        check = (number ^ number >> 4 ^ number >> 8 ^ number >> 12 ^ 9) & 15
        return number if row >> 20 == 10 and row & 15 == check else None

    def lit(self, level=64):
        """The share of pixels brighter than `level`: text on black has some hundredths."""
        bright = total = 0
        for row in self.rows[::2]:
            green = row[1::self.channels] if self.channels > 1 else row
            bright += sum(1 for value in green if value > level)
            total += len(green)
        return bright / max(total, 1)


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    if pa <= pb and pa <= pc:
        return a
    return b if pb <= pc else c


def unfilter(kind, row, above, step):
    if kind == 2:
        return bytearray((x + y) & 255 for x, y in zip(row, above))
    if kind:
        for i, value in enumerate(row):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            guess = (left if kind == 1 else (left + above[i]) // 2 if kind == 3
                     else paeth(left, above[i], corner))
            row[i] = (value + guess) & 255
    return row


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    return ppm(data, path) if data[:2] == b"P6" else png(data, path)


def ppm(data, path):
    """QEMU's: no comments."""
    parts = data.split(None, 4) if data[:3] == b"P6\n" else []
    if len(parts) < 4 or parts[3] != b"255":
        raise ValueError("%s: a PPM of a kind that is not read here" % path)
    width, height = int(parts[1]), int(parts[2])
    stride = width * 3
    body = data[len(data) - stride * height:]
    return Picture(width, height, 3, [body[at:at + stride]
                                      for at in range(0, stride * height, stride)])


def png(data, path):
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("%s is no PNG" % path)
    at, packed, head = 8, b"", None
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + size]
        if kind == b"IHDR":
            head = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        at += 12 + size
    width, height, depth, colour, _, _, interlace = head
    if depth != 8 or colour not in CHANNELS or interlace:
        raise ValueError("%s: a PNG of a kind that is not read here" % path)
    step = CHANNELS[colour]
    stride = width * step
    raw = zlib.decompress(packed)
    rows, above = [], bytearray(stride)
    for y in range(height):
        begin = y * (stride + 1)
        above = unfilter(raw[begin], bytearray(raw[begin + 1:begin + 1 + stride]), above, step)
        rows.append(bytes(above))
    return Picture(width, height, step, rows)
